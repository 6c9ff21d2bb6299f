"""The list of parts: CycloneDX JSON of what an installation holds, made from the lock alone. `make sbom` writes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"


def made(validated: bool = True) -> dict[str, Any]:
    """The document: the same for the same lock, wherever it is made. To hold it against the schema takes long."""
    maker = str(Path(sys.executable).parent / "cyclonedx-py")
    command = [maker, "requirements", LOCK.name, "--pyproject", "pyproject.toml", "--sv", "1.6"]
    command += ["--output-reproducible", "--validate" if validated else "--no-validate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(done.stdout)
    for component in document["components"]:
        component.pop("description", None)  # the line of the lock once more
        for reference in component.get("externalReferences", []):
            reference.pop("comment", None)
            reference["url"] = component["purl"]  # which index the hashes were fetched from says nothing about the part
    return document


def main() -> None:
    """Write it to the file that is named, or print it."""
    text = json.dumps(made(), indent=2, sort_keys=True) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
