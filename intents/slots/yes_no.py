"""Yes, no, or neither: whole clauses and the cues of one fact, never a guess from a single syllable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from intents.slots.dates import first_dated
from intents.slots.number_words import digits
from intents.slots.parsed import DECLINED, DOES_NOT_KNOW, UNREADABLE, Parsed, value
from intents.slots.text import LONGEST, REMEMBERED, bare, is_question, tidy
from intents.slots.words import Cues, Words
from knowledge.rules.values import Unknown

_CLAUSE = re.compile(r"[,，。.!！;；、:：\n()「」\"…~]+|(?<=[\u0e00-\u9fff]) (?=[\u0e00-\u9fff])")
_TAIL = re.compile(
    r"(?:[啊喔哦耶呢吧呀啦欸嗯哈唷喲囉]|謝謝|感謝"
    r"|\b(?:po|ya|nya|ạ|nhé|thanks|thank you|please|sir|maam|ma'am)|ครับ|ค่ะ|คะ|นะ)+$"
)
_HEAD = re.compile(
    r"^(?:(?:嗯|恩|喔|哦|啊|呃|那個|我|他|她|我爸|我媽|爸爸|媽媽|父親|母親|阿公|阿嬤|老爸|老媽|對方|um|uh|oh|well|dạ|ah)\s*)+"
)
_PARTICLE = re.compile(r"(?:ครับ|ค่ะ|คะ|นะ|จ้า|จ้ะ|\s)+|po|ạ|ya|啊|喔|啦")
_HEDGE = re.compile(r"應該|好像|大概|\b(?:think|probably|guess)\b|hình như|kayaknya|sepertinya|น่าจะ|siguro|yata")
_WHICH = re.compile(r"哪|幾|什麼時候|\b(?:when|which|how|what|where|date|year)\b|năm nào|kapan|kailan|เมื่อไหร่")


def read_yes_no(fact: str, text: str, lang: str, words: Words, after: date | None, as_of: date) -> Parsed:
    """The answer to a yes/no question. `after`: an event dated wholly before that day is what the plan leaves open."""
    clauses = [clause for part in _CLAUSE.split(text) if (clause := part.strip())]
    told = _cue(text, words, lang, fact)
    if told is None:
        early = _unsure(text, clauses, lang, words)
        if early is not None:
            return early
    if is_question(text):
        return UNREADABLE
    plain = _clause(text, lang, words) is not None and not _HEDGE.search(text)
    if told is None:
        spoken = [clause for clause in clauses if not _PARTICLE.fullmatch(clause)] or clauses
        answers = {answer for clause in spoken if (answer := _clause(clause, lang, words)) is not None}
        if len(answers) != 1:
            return UNREADABLE
        told = "yes" if answers.pop() else "no"
    return _dated(told, text, lang, after, as_of, shown_back=not plain)


@lru_cache(maxsize=REMEMBERED)
def volunteered(facts: tuple[str, ...], text: str, lang: str, words: Words) -> Mapping[str, bool]:
    """What a message says about facts that nobody asked for, by the words of each fact alone, clause by clause.

    Questions say nothing, and two clauses that disagree say nothing either.
    """
    clauses = (part.strip() for part in _CLAUSE.split(tidy(text[:LONGEST])))
    stated = [clause for clause in clauses if clause and not is_question(clause)]
    told: dict[str, bool] = {}
    for fact in facts:
        answers = {_cue(clause, words, lang, fact) for clause in stated} - {None}
        if answers in ({"yes"}, {"no"}):
            told[fact] = answers == {"yes"}
    return MappingProxyType(told)


def _unsure(text: str, clauses: list[str], lang: str, words: Words) -> Parsed | None:
    """Not sure, or rather not say; "yes, but not sure when" is neither."""
    rest = ",".join(clause for clause in clauses if not _WHICH.search(clause)) or text
    for name, answer in (("decline", DECLINED), ("not_sure", DOES_NOT_KNOW)):
        for lexicon in words.lexicons(lang):
            if lexicon.has(name, text) or lexicon.mentions(name, rest):
                return answer
    return None


def _cue(text: str, words: Words, lang: str, fact: str) -> str | None:
    for lexicon in words.cues(text, lang):
        found = _first_cue(lexicon.facts.get(fact, ()), text)
        if found:
            return found
    return None


def _first_cue(cues: Cues, text: str) -> str | None:
    plain = bare(text)
    for choice, patterns in cues:
        if any(pattern.search(text) or pattern.search(plain) for pattern in patterns):
            return choice
    return None


def _clause(clause: str, lang: str, words: Words) -> bool | None:
    """Is the clause a yes or a no by itself?"""
    clause = clause.strip(" ,，。.!！;；、")
    forms = dict.fromkeys(
        (clause, _TAIL.sub("", clause).strip(), _HEAD.sub("", clause), _HEAD.sub("", _TAIL.sub("", clause)).strip())
    )
    for lexicon in words.lexicons(lang):
        for form in filter(None, forms):
            if lexicon.has("no", form):
                return False
            if lexicon.has("yes", form):
                return True
            choice = next(
                (name for name, patterns in lexicon.clauses if any(p.fullmatch(form) for p in patterns)), None
            )
            if choice is not None:
                return choice == "yes"
    return None


def _dated(told: str, text: str, lang: str, after: date | None, as_of: date, shown_back: bool) -> Parsed:
    if told == "not_sure":
        return DOES_NOT_KNOW
    if told == "undefined":
        return value(Unknown("undefined_in_source"), shown_back=True)
    days = first_dated(digits(text, lang), as_of) if told == "yes" and after else None
    if days is not None and after is not None and days.hi < after:
        return value(Unknown("undefined_in_source"), shown_back=True)
    if days is not None and after is not None and days.lo <= after:
        return UNREADABLE
    return value(told == "yes", shown_back=shown_back)
