"""Known faults of the packages in the locks, for `make check`. Where nobody can be asked it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
SECONDS = 120.0


def asked(lock: str) -> list[dict[str, object]] | None:
    """What is known of each package of a lock; None when the service cannot be reached."""
    command = [str(Path(sys.executable).parent / "pip-audit"), "-r", lock, "--require-hashes", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
        return list(json.loads(done.stdout)["dependencies"])
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return None


def judged(lock: str, packages: list[dict[str, object]] | None) -> tuple[bool, list[str]]:
    """May the check pass, and what it says about one lock."""
    if packages is None:
        return True, [f"{lock}: SKIPPED, the advisory service cannot be reached; nothing is known about these packages"]
    faults = [
        f"{lock}: {package['name']} {package['version']}: {fault['id']}, mended in {mended(fault)}"
        for package in packages
        for fault in package.get("vulns", [])  # type: ignore[attr-defined]
    ]
    if faults:
        return False, faults
    known = sum("skip_reason" not in package for package in packages)
    if known == 0:
        return True, [f"{lock}: SKIPPED, the advisory service knows none of these packages"]
    return True, [f"{lock}: no known faults in {known} of {len(packages)} packages"]


def mended(fault: dict[str, object]) -> str:
    """The versions without the fault."""
    versions = fault.get("fix_versions") or ["no version yet"]
    return ", ".join(map(str, versions))  # type: ignore[call-overload]


def main() -> int:
    """1 when a package has a known fault."""
    results = [judged(lock, asked(lock)) for lock in LOCKS]
    for _, lines in results:
        print("\n".join(lines))
    return 0 if all(good for good, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
