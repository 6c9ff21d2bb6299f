"""Conversations told as YAML (tests/conversations): what is said, and what must hold after each line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tables import table

from bot.cli.conversation import Conversation
from bot.pipeline.resources import Resources
from bot.store import Store
from bot.store.staff import open_session

SEEN = {"online": 0.0, "away": 3600.0}
FOLDER = Path(__file__).parent / "conversations"


def stories() -> list[Any]:
    """Every story of every file."""
    return [
        pytest.param(story, id=f"{path.stem}: {story['name']}")
        for path in sorted(FOLDER.glob("*.yaml"))
        for story in table(path).get("conversations", ())
    ]


@pytest.mark.parametrize("story", stories())
def test_conversation(story: dict[str, Any], tmp_path: Path, resources: Resources) -> None:
    """Each line of the story is said to the real house; its expectations must hold."""
    asyncio.run(_tell(story, tmp_path / "chat.db", resources))


async def _tell(story: dict[str, Any], database: Path, resources: Resources) -> None:
    async with Conversation.open(database, story.get("lang", ""), story.get("now", ""), resources) as conversation:
        if "staff" in story:
            _somebody_was_there(database, SEEN[story["staff"]])
        for number, turn in enumerate(story["turns"], 1):
            line = {key: turn[key] for key in ("text", "choice", "now") if key in turn}
            answer = await conversation.line(line) if line else {"replies": [], **conversation.standing()}
            answer = await _answer_questions(conversation, dict(turn.get("answers", {})), answer)
            _check(turn, answer, f"turn {number} {line}")


def _somebody_was_there(database: Path, seconds: float) -> None:
    """A caseworker used the desk so many seconds ago."""
    store = Store(database)
    try:
        staff = store.add_staff("lin", "agent", "")
        seen = "UPDATE staff_sessions SET seen_at = seen_at - :seconds"
        store.database.write_now(lambda c: open_session(c, b"token", staff))
        store.database.write_now(lambda c: c.execute(seen, {"seconds": seconds}))
    finally:
        store.close()


async def _answer_questions(
    conversation: Conversation, answers: dict[str, str], answer: dict[str, Any]
) -> dict[str, Any]:
    """Gives `answers` (fact to text) in whatever order they are asked; each question is asked once."""
    while answer["asking"] in answers:
        answer = await conversation.line({"text": answers.pop(answer["asking"])})
    assert not answers, f"never asked: {sorted(answers)}, now asking {answer['asking']}"
    return answer


def _check(turn: dict[str, Any], answer: dict[str, Any], where: str) -> None:
    text = "\n".join(reply["text"] for reply in answer["replies"])
    choices = [choice["id"] for reply in answer["replies"] for choice in reply["choices"]]
    if turn.get("silent"):
        assert not answer["replies"], f"{where}: {text}"
    for wanted in turn.get("says", []):
        assert wanted in text, f"{where}: {wanted!r} not in\n{text}"
    for unwanted in turn.get("says_not", []):
        assert unwanted not in text, f"{where}: {unwanted!r} in\n{text}"
    for wanted in turn.get("offers", []):
        assert wanted in choices, f"{where}: {wanted} not offered, only {choices}"
    for unwanted in turn.get("offers_not", []):
        assert unwanted not in choices, f"{where}: {unwanted} offered"
    if "asking" in turn:
        assert answer["asking"] == turn["asking"], f"{where}: asking {answer['asking']}\n{text}"
    if "mode" in turn:
        assert answer["mode"] == turn["mode"], where
    for rule, verdict in turn.get("verdicts", {}).items():
        assert answer["verdicts"].get(rule) == verdict, f"{where}: {answer['verdicts']}\n{text}"
    for rule in turn.get("no_verdict", []):
        assert rule not in answer["verdicts"], f"{where}: {answer['verdicts']}"
    for topic, window in turn.get("window", {}).items():
        assert answer["window"].get(topic) == window, f"{where}: {answer['window']}"
