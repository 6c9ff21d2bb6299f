"""People who wander: random words, buttons and languages never crash a conversation, loop it, or shut them in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tables import table

from bot.cli.conversation import Conversation
from bot.pipeline.resources import Resources

STEPS = 60
WALKS = 6
WAYS_OUT = {"menu", "handoff", "stop", "handoff:urgent"}
STRANGE = (
    "",
    "   ",
    "?" * 3000,
    "\u202e\u0000",
    "🙃🙃",
    "<script>",
    "{allowance}",
    "0",
    "-1",
    "99999999999999999999",
    "1 2 99",
)
FORGED = (
    "check:", "check:p99", "check:p03", "answer:age:99", "answer:nothing:yes", "tick:age", "tick:", "ticked:",
    "ticked:0", "ticked:7.7.7", "ticked:done", "change:situations", "change:age", "subject:dog", "results", "back",
    "skip", "continue", "checks:p01", "screening", "lang:xx", "aspect:p15", "topic:ov9", "audience:worker:999",
    "forget:no", "x" * 500,
)  # fmt: skip


def answers() -> list[str]:
    """Everything people type in the tables of answers."""
    folder = Path(__file__).parent / "answers"
    return [str(text) for path in sorted(folder.glob("*.yaml")) for rows in table(path).values() for text in rows]


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_wanderer_always_has_an_answer_and_a_way_out(seed: int, tmp_path: Path, resources: Resources) -> None:
    asyncio.run(_walk(random.Random(seed), tmp_path / "chat.db", resources))


async def _walk(chance: random.Random, database: Path, resources: Resources) -> None:
    texts, seen = answers(), list[str]()
    async with Conversation.open(database, "", "2018-07-15", resources) as conversation:
        asked: list[str | None] = []
        for _ in range(STEPS):
            line = _line(chance, texts, seen)
            answer = await conversation.line(line)
            choices = [choice["id"] for reply in answer["replies"] for choice in reply["choices"]]
            assert answer["replies"], line
            assert all(reply["text"].strip() for reply in answer["replies"]), line
            assert WAYS_OUT & {choice.split(":")[0] for choice in choices} or _short(answer), (line, choices)
            assert not set(_untranslated(answer)), line
            seen = [*seen[-30:], *choices]
            asked.append(answer["asking"])
    facts = resources.knowledge.facts
    assert {fact for fact in asked if fact} <= {*facts, "situations"}


def _short(answer: dict[str, Any]) -> bool:
    """A thank-you or a language list needs no exit of its own: writing goes on, and nothing is open."""
    return answer["asking"] is None


def _untranslated(answer: dict[str, Any]) -> Iterator[str]:
    """Keys of the catalog or placeholders that reached a reader."""
    for reply in answer["replies"]:
        for text in (reply["text"], *(choice["label"] for choice in reply["choices"])):
            if "conversation." in text or "fact." in text or "rule.p" in text:
                yield text


def _line(chance: random.Random, texts: list[str], seen: list[str]) -> dict[str, Any]:
    kind = chance.random()
    if kind < 0.45 and seen:
        return {"choice": chance.choice(seen)}
    if kind < 0.6:
        return {"choice": chance.choice(FORGED)}
    if kind < 0.65:
        return {"text": chance.choice(STRANGE)}
    if kind < 0.68:
        return {"now": f"{chance.choice((2017, 2018, 2019))}-0{chance.randint(1, 9)}-15", "text": chance.choice(texts)}
    if kind < 0.7:
        return {chance.choice(("text", "choice", "now", "nothing")): chance.choice((None, 5, [], {"a": 1}))}
    return {"text": chance.choice(texts)}


@pytest.mark.parametrize("start", ["check:p15", "check:p02", "check:p20", "screening"])
def test_who_never_answers_is_let_go(start: str, tmp_path: Path, resources: Resources) -> None:
    """One who only says "not sure" or skips comes to a result; nothing is asked without end."""
    asyncio.run(_unsure(start, tmp_path / "chat.db", resources))


async def _unsure(start: str, database: Path, resources: Resources) -> None:
    for reply in ("我不知道", "不想說"):
        async with Conversation.open(database, "zh-TW", "2018-07-15", resources) as conversation:
            answer = await conversation.line({"choice": start})
            asked = []
            while answer["asking"] and len(asked) < 40:
                asked.append(answer["asking"])
                line = {"choice": "skip"} if answer["asking"] == "situations" else {"text": reply}
                answer = await conversation.line(line)
            assert answer["asking"] is None, asked
            assert len(asked) == len(set(asked)), asked
            await conversation.line({"choice": "forget:yes"})
