"""The quick reading of YAML gives what ruamel gives: the same data, the same lines, the same complaint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from knowledge import composing, reading
from knowledge.faults import KnowledgeError
from knowledge.sources import PACKAGED

FILES = sorted([*PACKAGED.rglob("*.yaml"), *(PACKAGED.parent / "intents" / "data").rglob("*.yaml")])
TRICKY = (
    "a: 1\nb: [2, 0o17, 0x1f, 1_000, 1.5, .5, 1e3, -3, +4, 08]\n",
    "a: yes\nb: no\nc: on\nd: true\ne: False\nf: ~\ng: null\nh:\n",
    "a: 2018-07-15\nb: 12:30\nc: 190:20:30\n",
    "a: '1'\nb: \"true\"\nc: !!str 5\nd: !!int '7'\n",
    "text: |\n  one\n\n  two\nfolded: >-\n  three\n  four\nkept: |+\n  five\n\n",
    "- [a, {b: c}]\n-\n  - d\n- {e: , f}\n",
    "a: &x {b: 1}\nc: *x\n",
    "<<: {a: 1}\n",
    "=: 1\n",
    "a: 1\na: 2\n",
    "a: [1\n",
    "a:\n\tb: 1\n",
    "a: b: c\n",
    "%YAML 1.1\n---\na: yes\n",
    "a: 中文：字 # remark\nb: '它''s'\nc: \"\\u4e00\\n\"\n",
    "a: one\x85b: two\n",
    "a: one\u2028b: two\n",
    "\ufeffa: 1\n",
    "a: 1\r\nb: 2\r\n",
    "a: 1\n---\nb: 2\n",
    "a: 1\n...\n",
    "? a\n: 1\n? [b]\n: 2\n",
    "? |\n  long\n: 1\n",
    "a: 😀\n",
    "a: \x07\n",
    "- - - a\n    - b\n",
    "# only a remark\n",
    "",
)
PIECES = (
    *("a", "b: ", "c:", "- ", "? ", ": ", "\n", "\n  ", "\n    ", " ", "\t", "'", '"', "[", "]", "{", "}", ", ", "#"),
    *(
        "|\n  ",
        ">-\n  ",
        " # ",
        "&x ",
        "*x",
        "!",
        "!!str ",
        "1",
        "0o7",
        "yes",
        "~",
        "中",
        "：",
        "%",
        "@",
        "---\n",
        "\r\n",
    ),
)


def told(text: str) -> Any:
    """Data and the line of every place; or the complaint and its line."""
    try:
        data, lines = reading._parsed.__wrapped__(text)
    except reading._Unreadable as error:
        return error.line, error.text
    return repr(data), dict(lines)


def told_by_ruamel(text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(composing, "CParser", None)
        return told(text)


@pytest.mark.parametrize("text", TRICKY)
def test_tricky_texts_are_read_alike(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(text) == told_by_ruamel(text, monkeypatch)


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")
@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_what_ruamel_reads_the_quick_way_reads_alike(pieces: list[str]) -> None:
    """libyaml is the more patient of the two: it lets pass a tab or a blank line that ruamel complains of."""
    with pytest.MonkeyPatch.context() as patch:
        strict = told_by_ruamel("".join(pieces), patch)
    assert told("".join(pieces)) == strict or isinstance(strict[0], int)


@pytest.mark.slow
def test_every_packaged_file_is_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    assert len(texts) > 300
    assert [told(text) for text in texts] == [told_by_ruamel(text, monkeypatch) for text in texts]


def test_the_quick_way_is_taken() -> None:
    """Else all of the above would compare ruamel with itself."""
    assert composing.CParser is not None
    node = composing.compose("a: 1\n")
    assert type(node).__module__ == "yaml.nodes"
    assert type(YAML(typ="safe", pure=True).compose("a: 1\n")).__module__ == "ruamel.yaml.nodes"


def test_a_complaint_is_ruamels(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\nb: [\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="not valid YAML: expected the node content") as caught:
        reading.read(path)
    assert caught.value.faults[0].line == 3
