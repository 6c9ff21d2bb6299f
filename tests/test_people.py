"""Golden people (tests/people): whole checks in free words, in six languages, end to end through the real house."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tables import table

from bot.cli.conversation import Conversation
from bot.pipeline.resources import Resources
from knowledge.facts import completed, read_value
from knowledge.rules import evaluate

FOLDER = Path(__file__).parent / "people"
LANGUAGES = ("zh-TW", "en", "vi", "id", "th", "fil")
MOST_QUESTIONS = 20


def people() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every person with the language of the file."""
    for lang in LANGUAGES:
        for person in table(FOLDER / f"{lang}.yaml")["people"]:
            yield lang, person


@pytest.mark.parametrize(
    ("lang", "person"), [pytest.param(lang, each, id=f"{lang}: {each['name']}") for lang, each in people()]
)
def test_a_person_gets_the_right_verdict(
    lang: str, person: dict[str, Any], tmp_path: Path, resources: Resources
) -> None:
    """What they type is understood, what is asked is answered, and the verdict is the plan's."""
    asyncio.run(_tell(lang, person, tmp_path / "chat.db", resources))


async def _tell(lang: str, person: dict[str, Any], database: Path, resources: Resources) -> None:
    answers = dict(person["answers"])
    async with Conversation.open(database, lang, person.get("now", "2018-07-15"), resources) as conversation:
        answer: dict[str, Any] = {}
        for line in person["start"]:
            answer = await conversation.line(line)
        for _ in range(MOST_QUESTIONS):
            if answer["asking"] is None:
                break
            assert answer["asking"] in answers, f"asked for {answer['asking']}: {answer['replies'][-1]['text']}"
            asked = answer["asking"]
            answer = await conversation.line({"text": str(answers.pop(asked))})
            assert answer["asking"] != asked, f"not read: {asked}: {person['answers'][asked]}"
        assert answer["asking"] is None, "the check does not end"
    text = "\n".join(reply["text"] for reply in answer["replies"])
    for rule, verdict in person["verdicts"].items():
        assert answer["verdicts"].get(rule) == verdict, f"{rule}: {answer['verdicts'].get(rule)}\n{text}"
    for topic, window in person.get("window", {}).items():
        assert answer["window"].get(topic) == window
    assert set(answers) <= set(person.get("never_asked", ())), f"never asked: {sorted(answers)}"


def test_there_are_enough_of_them() -> None:
    found = list(people())
    assert len(found) >= 60
    assert {lang for lang, _ in found} == set(LANGUAGES)


def test_every_condition_is_met_by_somebody_and_not_met_by_somebody(resources: Resources) -> None:
    """`facts` of a person are what the answers mean; with them each leaf of a benefit or duty comes out both ways."""
    knowledge = resources.knowledge
    seen: set[tuple[str, str, bool | None]] = set()
    for _, person in people():
        given = {name: read_value(knowledge.facts[name], raw) for name, raw in person["facts"].items()}
        told = completed(knowledge.facts, given)
        day = date.fromisoformat(person.get("now", "2018-07-15"))
        for rule, verdict in person["verdicts"].items():
            result = evaluate(knowledge.rules[rule], told, day)
            assert result.verdict == verdict, f"{person['name']}: {rule} by the facts is {result.verdict}"
            seen |= {(rule, leaf.name, leaf.truth) for leaf in result.leaves}
    wanted = {
        (rule.id, leaf.name, truth)
        for rule in knowledge.rules.values()
        for leaf in rule.leaves
        for truth in (True, False)
        if rule.kind != "audience" and leaf.fact and not leaf.is_guard
    }
    assert sorted(wanted - seen) == []
