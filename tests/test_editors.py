"""The exercise of docs/editors.md, followed to the letter in a copy of the project, and taken away again."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from knowledge.library import load

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "editors.md"
PARTS = ("bot", "docs", "intents", "knowledge", "templates")
START, END = "## Add a program with a rule\n", "## The assistant's own words\n"
UNDO = "### Take the exercise away again\n"
LAST = ["labor-bot intents train", "make quick"]  # minutes: the rest of the page must not need them

BLOCK = re.compile(r"^```(\w+) ?(\S*)( \(at the end\))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SKIPPED = "..."
PROGRAM = """import sys
from bot.cli import main
main(prog_name="labor-bot")
"""


@dataclass(frozen=True)
class Block:
    """One fenced block: `kind` is its language, `file` the file it is about, `added` whether it goes at the end."""

    kind: str
    file: str
    added: bool
    body: str


def blocks(text: str) -> list[Block]:
    """The blocks of a text in their order."""
    return [Block(kind, file, bool(added), body) for kind, file, added, body in BLOCK.findall(text)]


def section() -> tuple[str, str]:
    """What the page says on adding a program, and on taking it away."""
    text, end, _ = PAGE.read_text("utf-8").partition(START)[2].partition(END)
    add, _, undo = text.partition(UNDO)
    assert end
    assert undo
    return add, undo


@dataclass
class Copy:
    """A copy of the project, with somebody who does what the page says."""

    root: Path

    def start(self, arguments: list[str], errors: int = subprocess.STDOUT) -> subprocess.Popen[str]:
        """The program of the copy, running."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("LABOR_BOT_")}
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=self.root,
            env={**own, "PYTHONPATH": str(self.root), "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        )

    def labor_bot(self, arguments: list[str]) -> str:
        """What a command prints; its exit code is 0."""
        with self.start(arguments) as running:
            printed, _ = running.communicate()
        assert running.returncode == 0, f"{arguments}\n{printed}"
        return printed

    def type(self, commands: str) -> str:
        """The commands of a block, one after the other; those left for the end are passed over."""
        printed = ""
        for line in commands.splitlines():
            word, *arguments = shlex.split(line, comments=True)
            if line not in LAST:
                assert word == "labor-bot", line
                printed += self.labor_bot(arguments)
        return printed

    def write(self, block: Block) -> None:
        """The change of a block to its file."""
        path = self.root / block.file
        if block.kind == "diff":
            old, new = block.body.splitlines()
            assert (old[0], new[0]) == ("-", "+")
            lines = path.read_text("utf-8").splitlines()
            assert lines.count(old[1:]) == 1, block
            path.write_text("".join(f"{new[1:] if line == old[1:] else line}\n" for line in lines), "utf-8")
        elif block.added:
            path.write_text(path.read_text("utf-8") + block.body, "utf-8")
        else:
            assert not path.exists(), block
            path.write_text(block.body, "utf-8")

    def follow(self, text: str) -> None:
        """Every block of a text in order; what is shown below commands is what they print."""
        printed = ""
        for block in blocks(text):
            if block.file:
                self.write(block)
            elif block.kind == "sh":
                printed = self.type(block.body)
            else:
                assert block.kind == "console", block
                assert re.fullmatch(shown(block.body), printed), f"the page shows\n{block.body}\nnot\n{printed}"

    def contents(self) -> dict[str, bytes]:
        """Every file, but for what Python keeps for itself."""
        paths = (path for path in self.root.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}

    def talk(self, answers: Mapping[str, str], lang: str = "zh-TW") -> list[dict[str, Any]]:
        """A check of the exercise: every question gets the answer to its fact. What came back, turn by turn."""
        with self.start(["chat", "--jsonl", "--lang", lang, "--now", "2018-07-15"], subprocess.DEVNULL) as chat:
            assert chat.stdin
            assert chat.stdout
            turns: list[dict[str, Any]] = []
            line: dict[str, str] = {"choice": "check:p28"}
            while True:
                chat.stdin.write(f"{json.dumps(line)}\n")
                chat.stdin.flush()
                turns.append(json.loads(chat.stdout.readline()))
                fact = turns[-1]["asking"]
                if fact is None or len(turns) > len(answers):
                    return turns
                line = {"text": answers[fact]}


def shown(body: str) -> str:
    """A pattern for what a block shows: lines as they stand, `...` for any lines."""
    return "".join(r"(?:.*\n)*?" if line == SKIPPED else f"{re.escape(line)}\n" for line in body.splitlines())


def said(turn: Mapping[str, Any]) -> str:
    """All that was said in a turn."""
    return "\n".join(reply["text"] for reply in turn["replies"])


@pytest.mark.slow
def test_the_exercise_works_as_it_stands_on_the_page(tmp_path: Path) -> None:
    for name in PARTS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    copy = Copy(tmp_path)
    copy.labor_bot(["knowledge", "merge"])
    before = copy.contents()
    add, undo = section()

    copy.follow(add)
    answers = {
        "unemployed": "失業了",
        "registered_in_city": "有",
        "age": "20歲",
        "night_class_payments": "領過兩次",
    }
    turns = copy.talk(answers)
    assert {turn["asking"] for turn in turns} == {*answers, None}
    assert turns[-1]["verdicts"]["p28"] == "eligible"
    assert turns[-1]["window"]["p28"] == "open"
    assert "還沒有領滿3個月。" in said(turns[-1])
    refused = copy.talk({**answers, "night_class_payments": "3次"})
    assert refused[-1]["verdicts"]["p28"] == "not_eligible"
    assert "已經領滿3個月，不能再領。" in said(refused[-1])

    in_vietnamese = copy.talk({"unemployed": "không"}, "vi")
    assert in_vietnamese[-1]["verdicts"]["p28"] == "not_eligible"
    assert "夜間技能班補助" in said(in_vietnamese[0])
    assert "thất nghiệp" in said(in_vietnamese[0])
    assert "這項補助給失業的人。" in said(in_vietnamese[-1])

    for block in blocks(add):
        if block.file and (block.added or block.kind == "diff"):
            (tmp_path / block.file).write_bytes(before[block.file])
        elif block.file:
            (tmp_path / block.file).unlink()
    copy.follow(undo)
    assert {name for name, content in copy.contents().items() if before.get(name) != content} == set()
    assert copy.contents().keys() == before.keys()


def test_the_exercise_is_no_program_of_ours_and_ends_with_the_training() -> None:
    add, _ = section()
    typed = [line for block in blocks(add) if block.kind == "sh" for line in block.body.splitlines()]
    assert typed[-len(LAST) :] == LAST
    assert not set(LAST) & set(typed[: -len(LAST)])
    made = {block.file for block in blocks(add) if block.file and not block.added and block.kind != "diff"}
    assert len(made) == 3
    assert not any((ROOT / name).exists() for name in made)
    assert "p28" not in load().topics
