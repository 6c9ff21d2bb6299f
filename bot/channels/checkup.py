"""What a look at the machine or at a platform finds, as `labor-bot doctor` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

APART_SECONDS = 60.0


class Level(StrEnum):
    """How bad it is. HINT: a thing to look at that nobody can ask for. FAIL alone makes the exit code 1."""

    OK = "ok"
    HINT = "hint"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. A text that is not OK says what to do; no token, secret or id of a person is ever in it."""

    level: Level
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<5} {self.name}: {self.text}"


def ok(name: str, text: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, name, text)


def hint(name: str, text: str) -> Finding:
    """Cannot be asked for: somebody must look."""
    return Finding(Level.HINT, name, text)


def warn(name: str, text: str) -> Finding:
    """The house works, but not as it should."""
    return Finding(Level.WARN, name, text)


def fail(name: str, text: str) -> Finding:
    """Something does not work."""
    return Finding(Level.FAIL, name, text)


def clock(platform: str, date: str, now: float) -> Finding:
    """This machine's clock (`now`, Unix seconds) against the Date header of a platform's answer."""
    name = f"clock ({platform})"
    try:
        apart = now - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return warn(name, f"{platform} did not say what time it is: compare the machine's clock with another one.")
    if abs(apart) <= APART_SECONDS:
        return ok(name, f"{abs(apart):.0f} s apart")
    where = "ahead" if apart > 0 else "behind"
    return fail(
        name,
        f"this machine is {abs(apart):.0f} s {where}: let it set its clock by NTP, since tokens, codes and the order of"
        " messages hang on it.",
    )


def near(url: str) -> bool:
    """Does an address lead to this machine, where http will do?"""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def elsewhere(url: str, ours: str) -> str:
    """Where another address leads, by its host alone: some carry secrets in their path."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return f"another path of {host}" if host == urlsplit(ours).netloc else (host or "nowhere")
