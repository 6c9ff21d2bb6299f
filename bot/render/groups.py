"""The result of the screening in words: what fits, what may fit and why not yet, what does not fit now and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.dialogue.effects import ShowGroups
from bot.dialogue.options import name_key
from bot.render.voice import Voice
from knowledge.catalog import figures_for
from knowledge.library import Knowledge
from knowledge.rules import LeafResult, Result, topic_of_rule

YES, DUTY, FITS, MAYBE, NO, OTHERS = "yes", "duty", "fits", "maybe", "no", "others"
_GROUPS = {
    "eligible": YES,
    "applies": DUTY,
    "fits": FITS,
    "not_eligible": NO,
    "does_not_apply": NO,
}
_BUBBLES = ((YES, DUTY, FITS), (MAYBE, OTHERS), (NO,))
NO_CRITERIA = "criteria"
TOLD_WINDOWS = ("not_yet", "closed")


def group_of(knowledge: Knowledge, result: Result) -> str:
    """The group a result belongs to. An audience rule is never a no."""
    if result.verdict in _GROUPS:
        return _GROUPS[result.verdict]
    return OTHERS if knowledge.rules[result.rule].kind == "audience" else MAYBE


def bubbles(effect: ShowGroups, knowledge: Knowledge, voice: Voice) -> Iterator[list[tuple[str, list[str]]]]:
    """For each bubble its sections: the key of the heading, and the lines. Every rule looked at is named once."""
    groups: dict[str, list[tuple[Result, str]]] = {}
    for result, window in effect.results:
        groups.setdefault(group_of(knowledge, result), []).append((result, window))
    for names in _BUBBLES:
        sections = [
            (f"conversation.screening.{name}", _lines(groups[name], knowledge, voice))
            for name in names
            if name in groups
        ]
        if names[0] == YES and YES not in groups and DUTY not in groups:
            sections.insert(0, ("conversation.screening.yes_none", []))
        if sections:
            yield sections


def found_topics(effect: ShowGroups, knowledge: Knowledge) -> list[str]:
    """The topics of what fits, benefits before services."""
    order = (YES, DUTY, FITS)
    fitting = sorted(
        (result for result, _ in effect.results if group_of(knowledge, result) in order),
        key=lambda result: order.index(group_of(knowledge, result)),
    )
    return list(dict.fromkeys(topic_of_rule(result.rule) for result in fitting))


def _lines(results: Sequence[tuple[Result, str]], knowledge: Knowledge, voice: Voice) -> list[str]:
    nameless = [result for result, _ in results if _without_criteria(result)]
    lines = [
        _with_window(_line(result, knowledge, voice), result, window, voice)
        for result, window in results
        if result not in nameless
    ]
    if nameless:
        names = voice("conversation.list.comma").join(_name(result, knowledge, voice) for result in nameless)
        reason = voice("conversation.screening.no_criteria")
        lines.append(voice("conversation.screening.line", name=names, reason=reason))
    return lines


def _without_criteria(result: Result) -> bool:
    return [leaf.name for leaf in result.leaves] == [NO_CRITERIA]


def _name(result: Result, knowledge: Knowledge, voice: Voice) -> str:
    return voice(name_key(knowledge.rules[result.rule]))


def _line(result: Result, knowledge: Knowledge, voice: Voice) -> str:
    name, reason = _name(result, knowledge, voice), _reason(result, knowledge, voice)
    return voice("conversation.screening.line", name=name, reason=reason) if reason else name


def _with_window(line: str, result: Result, window: str, voice: Voice) -> str:
    if window not in TOLD_WINDOWS or result.verdict in ("not_eligible", "does_not_apply"):
        return line
    told = voice(f"conversation.screening.window.{window}")
    return voice("conversation.screening.line_window", line=line, window=told)


def _reason(result: Result, knowledge: Knowledge, voice: Voice) -> str:
    rule = knowledge.rules[result.rule]
    if rule.kind == "audience":
        return voice(f"rule.{rule.id}.addressee")
    told = [leaf for leaf in result.leaves if leaf.counts and leaf.text_key]
    if result.verdict in ("eligible", "applies"):
        return _text(told[0], rule.id, knowledge, voice) if len(told) == 1 else ""
    if result.verdict in ("not_eligible", "does_not_apply"):
        return _joined([leaf for leaf in told if leaf.truth is False], rule.id, knowledge, voice)
    left_open = [leaf for leaf in told if leaf.why == "undefined_in_source"]
    reasons = [_joined(left_open, rule.id, knowledge, voice)] if left_open else []
    if result.missing:
        labels = voice("conversation.list.comma").join(voice(f"fact.{fact}.label") for fact in result.missing)
        reasons.append(voice("conversation.screening.missing", facts=labels))
    return _glue(voice).join(reasons)


def _joined(leaves: Sequence[LeafResult], rule: str, knowledge: Knowledge, voice: Voice) -> str:
    return _glue(voice).join(_text(leaf, rule, knowledge, voice) for leaf in leaves)


def _text(leaf: LeafResult, rule: str, knowledge: Knowledge, voice: Voice) -> str:
    topic = knowledge.topics[topic_of_rule(rule)]
    return voice(leaf.text_key, **figures_for(topic, voice.language_of(leaf.text_key)))


def _glue(voice: Voice) -> str:
    return "" if voice.lang == "zh-TW" else " "
