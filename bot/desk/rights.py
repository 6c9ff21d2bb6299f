"""Which role may do what at the desk. Object-level checks (is it my case?) are where the object is read."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Roles of accounts."""

    AGENT = "agent"
    SENIOR = "senior"
    EDITOR = "editor"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Right(StrEnum):
    """What can be done. COME_IN, OWN_PASSWORD and OWN_CODE belong to every account."""

    COME_IN = "come_in"
    OWN_PASSWORD = "own_password"  # noqa: S105 - a right, not a secret
    OWN_CODE = "own_code"
    SEE_QUEUE = "see_queue"
    OPEN_CASES = "open_cases"
    ANSWER = "answer"
    TAKE_OVER = "take_over"
    BLOCK = "block"
    USE_PHRASES = "use_phrases"
    EDIT_PHRASES = "edit_phrases"
    AUTHOR_LISTS = "author_lists"
    REPORTS = "reports"
    SERVICE_HOURS = "service_hours"
    PRIVACY_REQUESTS = "privacy_requests"
    AUDIT = "audit"
    PEOPLE = "people"


_EVERYBODY = frozenset({Right.COME_IN, Right.OWN_PASSWORD, Right.OWN_CODE})
_AGENT = _EVERYBODY | {Right.SEE_QUEUE, Right.OPEN_CASES, Right.ANSWER, Right.USE_PHRASES}
_SENIOR = _AGENT | {
    Right.TAKE_OVER,
    Right.BLOCK,
    Right.EDIT_PHRASES,
    Right.AUTHOR_LISTS,
    Right.REPORTS,
    Right.SERVICE_HOURS,
}

GRANTS: dict[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SENIOR: _SENIOR,
    Role.EDITOR: _EVERYBODY | {Right.USE_PHRASES, Right.EDIT_PHRASES, Right.AUTHOR_LISTS, Right.REPORTS},
    Role.PRIVACY_OFFICER: _EVERYBODY | {Right.PRIVACY_REQUESTS, Right.REPORTS},
    Role.ADMIN: _SENIOR | {Right.PEOPLE, Right.AUDIT, Right.PRIVACY_REQUESTS},
    Role.AUDITOR: _EVERYBODY | {Right.SEE_QUEUE, Right.AUDIT, Right.REPORTS},
}


def may(role: str, right: Right) -> bool:
    """Does the role have the right? An unknown role has none."""
    return role in GRANTS and right in GRANTS[Role(role)]
