"""What an installation is made of: the list of parts against the lock, and how known faults of packages are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import advisories
import pytest
import sbom

ROOT = Path(__file__).parent.parent
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def locked(lock: str) -> dict[tuple[str, str], set[str]]:
    """Name and version of every package of a lock, with its hashes."""
    text = (ROOT / lock).read_text("utf-8")
    starts = [*LOCKED.finditer(text)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return {
        (start[1], start[2]): set(HASH.findall(text[start.end() : end]))
        for start, end in zip(starts, ends, strict=True)
    }


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return sbom.made()


def test_the_list_of_parts_holds_every_locked_package_with_its_hashes(document: dict[str, Any]) -> None:
    listed = {
        (part["name"], part["version"]): {
            one["content"] for reference in part["externalReferences"] for one in reference["hashes"]
        }
        for part in document["components"]
    }
    assert listed == locked("requirements.lock")
    assert len(listed) > 40
    assert all(listed.values())
    assert all(part["purl"].startswith(f"pkg:pypi/{part['name']}@") for part in document["components"])


def test_the_list_of_parts_says_what_it_is_of_and_names_no_place(document: dict[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == "labor-bot"
    text = str(document["components"])
    for place in (str(ROOT), str(Path.home()), "file:", "http:", "https:", "index"):
        assert place not in text


def test_the_list_of_parts_is_the_same_each_time(document: dict[str, Any]) -> None:
    assert sbom.made(validated=False) == document


@pytest.mark.parametrize("lock", advisories.LOCKS)
def test_everything_in_a_lock_has_a_hash(lock: str) -> None:
    assert all(locked(lock).values())


def test_the_lock_of_the_tests_agrees_with_that_of_the_installation() -> None:
    assert locked("requirements.lock").keys() <= locked("requirements-dev.lock").keys()


GOOD = {"name": "a", "version": "1", "vulns": []}
UNKNOWN = {"name": "b", "version": "2", "skip_reason": "not found"}
BAD = {"name": "c", "version": "3", "vulns": [{"id": "X-1", "fix_versions": ["3.1"]}]}


@pytest.mark.parametrize(
    ("packages", "passes", "says"),
    [
        (None, True, "SKIPPED, the advisory service cannot be reached"),
        ([UNKNOWN], True, "SKIPPED, the advisory service knows none"),
        ([GOOD, UNKNOWN], True, "no known faults in 1 of 2 packages"),
        ([GOOD, BAD], False, "c 3: X-1, mended in 3.1"),
    ],
)
def test_what_is_known_of_packages_is_said_plainly(packages: Any, passes: bool, says: str) -> None:
    good, lines = advisories.judged("x.lock", packages)
    assert good is passes
    assert says in "\n".join(lines)


def test_without_an_advisory_service_the_check_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert advisories.asked("requirements.lock") is None
