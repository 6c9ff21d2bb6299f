"""The table of ASVS items in docs/security.md against the tests, and the few items that no other test holds."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import pytest

from bot import observe
from bot.pipeline.errands import FILE_BYTES
from bot.server import CSP, HSTS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
TABLE = PAGE[PAGE.index("## OWASP ASVS") :].split("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if re.match(r"\| \d", line)]
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")
ITEMS = (  # those that the study of other desks found to weigh most
    "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 2.3.1 2.3.3 2.3.4 2.4.1 3.3.2 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3"
    " 4.1.1 4.1.2 4.1.3 4.4.1 4.4.2 4.4.4 5.2.1 5.2.2 5.2.3 5.3.1 5.3.2 6.3.1 6.3.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3"
    " 7.4.4 7.4.5 7.5.3 8.1.1 8.2.1 8.2.2 8.2.3 8.3.1 10.5.1 10.5.2 10.5.3 10.5.4 11.5.1 13.2.4 13.2.5 13.3.1 14.1.1"
    " 14.1.2 14.2.1 14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 16.2.1 16.2.2 16.2.5 16.3.1 16.3.2 16.4.1 16.4.2"
)


def sources(*folders: str, kind: str = "*.py") -> dict[str, str]:
    """The text of every file of a kind, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob(kind))
    }


def test_every_weighty_item_is_there_once_and_in_order() -> None:
    numbers = [row[0] for row in ROWS]
    assert set(ITEMS.split()) <= set(numbers)
    assert numbers == sorted(set(numbers), key=lambda number: [int(part) for part in number.split(".")])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_tests_that_exist_or_says_honestly_that_there_are_none(row: list[str]) -> None:
    assert len(row) == 3
    answer = row[2]
    tests = NAMED.findall(answer)
    assert tests or answer.startswith(("not yet: ", "does not apply: "))
    for file, name in tests:
        text = (ROOT / "tests" / file).read_text("utf-8")
        assert not name or f"def {name}(" in text, f"{file}::{name}"


def test_the_program_starts_no_shell() -> None:
    found = {
        path: names
        for path, text in sources("bot", "intents", "knowledge").items()
        if (
            names := set(
                re.findall(r"\bsubprocess\b|\bos\.(?:system|popen|exec\w+|spawn\w+)|shell=True|\bpickle\.", text)
            )
        )
    }
    assert found.keys() <= {"intents/encoder/process.py", "intents/encoder/child.py", "bot/render/richmenu.py"}
    assert all(names == {"subprocess"} for names in found.values())


def test_browsers_are_held_to_https_for_a_year() -> None:
    assert HSTS[0] == b"strict-transport-security"
    assert b"includeSubDomains" in HSTS[1]
    age = re.search(rb"max-age=(\d+)", HSTS[1])
    assert age
    assert int(age[1]) >= 365 * 24 * 3600


def test_no_other_origin_is_let_read() -> None:
    for path, text in sources("bot").items():
        assert "access-control-allow" not in text.lower(), path
        assert "CORSMiddleware" not in text, path


def test_every_text_says_its_charset() -> None:
    """Starlette adds it to text; what is given a type by hand must bring it."""
    for path, text in sources("bot").items():
        for kind in re.findall(r"""["'](text/[a-z-]+[^"']*)["']""", text):
            if "media_type=" in text or "content-type" in text.lower():
                assert kind in ("text/plain", "text/html", "text/csv") or "charset=utf-8" in kind, f"{path}: {kind}"
    from starlette.responses import HTMLResponse, PlainTextResponse, Response

    for answer in (PlainTextResponse("a"), HTMLResponse("a"), Response("a", media_type="text/csv")):
        assert answer.headers["content-type"].endswith("charset=utf-8")


def test_files_have_a_limit_that_the_documentation_names() -> None:
    assert f"up to {FILE_BYTES // 1_000_000} MB" in (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_tokens_have_enough_chance_in_them() -> None:
    """128 bits, but for the one-time password, which is guessed at the log-in page alone."""
    found = [
        (path, int(size))
        for path, text in sources("bot").items()
        for size in re.findall(r"secrets\.token_\w+\((\d+)\)", text)
    ]
    assert len(found) >= 8
    assert {path for path, size in found if size < 16} <= {
        "bot/desk/codes.py",  # recovery codes of 120 bits
        "bot/desk/auth.py",
        "bot/keys.py",
    }  # keys.py: names of keys, which are no secret


def test_no_secret_is_made_by_plain_chance() -> None:
    plain = {path for path, text in sources("bot").items() if re.search(r"^(import|from) random\b", text, re.MULTILINE)}
    assert all("secrets" not in sources("bot")[path] for path in plain)
    assert not any(path.startswith(("bot/desk/", "bot/channels/visitors", "bot/config")) for path in plain)


def test_pages_load_nothing_from_elsewhere() -> None:
    assert "http" not in CSP
    for path, text in (sources("templates", kind="*.html") | sources("templates", kind="*.css")).items():
        assert not re.search(r"""(?:src|srcset)=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//""", text), path
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", text), path


def test_scripts_keep_nothing_in_the_browser() -> None:
    """But for two switches of the desk: keys on or off, notices on or off."""
    keeping = {
        Path(path).name
        for path, text in sources("templates", kind="*.js").items()
        if re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.", text)
    }
    assert keeping <= {"desk-keys.js", "desk-notify.js"}


def test_a_failure_is_logged_without_its_words() -> None:
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    observe.log.addHandler(handler)
    try:
        try:
            raise ValueError("A123456789\nERROR planted line")
        except ValueError as error:
            observe.failure("test", error)
    finally:
        observe.log.removeHandler(handler)
    assert "ValueError" in kept.getvalue()
    assert "A123456789" not in kept.getvalue()
    assert len(kept.getvalue().splitlines()) == 1
