"""The end of a child process as an operator would bring it about."""

from __future__ import annotations

import subprocess
from typing import Any

END_SECONDS = 30.0


def end(process: subprocess.Popen[Any] | None) -> None:
    """Ask it to end; kill it when it has not after half a minute. None, or one that ended, stays as it is."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
