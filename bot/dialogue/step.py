"""The one door of the dialogue: a state and something heard, to a new state and effects. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from bot.dialogue import care, interview, options, own_data, platform, rating, told, topics
from bot.dialogue.effects import Effect, Option, Say, Welcome
from bot.dialogue.state import Asking, State
from bot.dialogue.world import Heard, World, interview_open
from intents import Callback, Understood

Outcome = tuple[State, tuple[Effect, ...]]
_HELP = (options.MENU, options.PERSON)
SHORT_ANSWER = 90


def step(state: State, heard: Heard, world: World) -> Outcome:
    """What one event leads to.

    The first event of a conversation gets the first notice in front, unless the channel showed it.
    A late event is never taken as the answer to a question asked after it was written.
    """
    if heard.group:
        spoken = state if heard.understood is None else _in_language(state, heard.understood)
        return platform.in_group(spoken, heard, world)
    if heard.late and state.asking is not None and state.asking.since_ms > heard.sent_ms:
        quiet = dataclasses.replace(state, asking=None)
        after, effects = _step(quiet, heard, world)
        after = dataclasses.replace(
            after, asking=after.asking or state.asking, interview=after.interview or state.interview
        )
    else:
        after, effects = _step(state, heard, world)
    after, effects = own_data.kept_apart(state, (after, effects), world)
    after, effects = _warned(heard, after, effects)
    if state.welcomed:
        return after, effects
    welcome: tuple[Effect, ...] = () if heard.welcomed else (Welcome(),)
    return dataclasses.replace(after, welcomed=True), (*welcome, *effects)


def _warned(heard: Heard, state: State, effects: tuple[Effect, ...]) -> Outcome:
    """Once a conversation: numbers of a person do not belong here. The answer comes first."""
    if not heard.masked or state.warned or (heard.group and not effects):
        return state, effects
    return dataclasses.replace(state, warned=True), (*effects, Say("conversation.masked"))


def held(state: State, heard: Heard, world: World) -> Outcome:
    """While a person holds the conversation the bot is silent.

    Urgent messages bring hotlines all the same; one's language and being forgotten stay one's own to decide.
    """
    state = rating.closed(state)
    head, _, rest = (heard.choice or "").partition(":")
    if head == own_data.HEAD:
        return own_data.choose(state, world, heard, rest, True) if rest else own_data.show(state, world, heard, True)
    if heard.choice in _OWN_TO_DECIDE or head == "lang":
        return _choice(state, heard, heard.choice or "", world)
    understood = heard.understood
    if understood is not None and understood.urgent:
        return care.urgent(state, world, understood.urgent, automatic=True)
    return state, ()


def _step(state: State, heard: Heard, world: World) -> Outcome:
    if heard.choice is not None:
        quiet = state if heard.choice in rating.TAPS else rating.closed(state)
        return _choice(quiet, heard, heard.choice, world)
    if heard.understood is None:
        return state, ()
    return _text(_asked_again(state, heard, world), heard, heard.understood, world)


def _asked_again(state: State, heard: Heard, world: World) -> State:
    """An edited answer is taken as the answer to the question it had answered."""
    fact = next((fact for fact in heard.again if state.interview and fact in state.interview.asked), "")
    return dataclasses.replace(state, asking=Asking(fact, heard.sent_ms)) if fact else state


def _choice(state: State, heard: Heard, choice: str, world: World) -> Outcome:
    head, _, rest = choice.partition(":")
    plain = _PLAIN.get(choice)
    if plain is not None:
        return plain(state, world, heard)
    with_rest = _WITH_REST.get(head)
    if with_rest is not None and rest:
        return with_rest(state, world, heard, rest)
    return topics.unknown_choice(state)


def _text(state: State, heard: Heard, understood: Understood, world: World) -> Outcome:
    before, state = state.lang, _in_language(state, understood)
    after, effects = _text_understood(state, heard, understood, world)
    return after, (*_followed(before, after.lang), *effects)


def _followed(before: str, now: str) -> tuple[Effect, ...]:
    """The language was followed, not chosen: say so, with the way back one tap away."""
    if not before or before == now:
        return ()
    back = Option(f"lang:{before}", f"conversation.language.{before}")
    return (Say("conversation.language_followed", (back, options.LANGUAGE)),)


def _text_understood(state: State, heard: Heard, understood: Understood, world: World) -> Outcome:
    control = world.controls.control(heard.text or "", state.lang)
    words = rating.listen(state, heard, understood, world, control)
    if words is not None:
        return words
    state = rating.closed(state)
    if not interview_open(state) and _answers_nothing(state, understood, world, control):
        if control in interview.SUBJECTS:
            return interview.change_subject(state, world, control, heard.sent_ms)
        return state, (Say("conversation.nothing_open", (options.SCREEN, options.CHECKS, options.MENU)),)
    if understood.decision == "urgent" and not _plain_answer(state, heard, understood, world):
        return _with_way_back(*care.urgent(state, world, understood.urgent or ("violence",)))
    if interview_open(state):
        return _answer(state, heard, understood, world, control)
    if control in _CONTROLS_ANYTIME and understood.callback is None:
        return _choice(state, heard, control, world)
    return _understood(told.listen(state, heard, world), heard, understood, world)


def _answers_nothing(state: State, understood: Understood, world: World, control: str) -> bool:
    """A bare yes, no, number, "for myself" or "back" while nothing was asked."""
    if understood.decision == "answer" or understood.callback is not None:
        return False
    if control:
        return control not in _CONTROLS_ANYTIME
    return world.words.is_bare(understood.text, state.lang)


def _plain_answer(state: State, heard: Heard, understood: Understood, world: World) -> bool:
    """A short, readable answer to the open question ("never got it") that only sounds urgent to the classifier."""
    if any(evidence.stage == "urgent mark" for evidence in understood.why) or len(understood.text) > SHORT_ANSWER:
        return False
    parsed = interview.read(state, world, heard)
    return parsed is not None and parsed.kind != "unreadable"


def _in_language(state: State, understood: Understood) -> State:
    """The person's choice stands; else the message's language, and for a first word in Latin letters English."""
    if state.lang_chosen:
        return state
    lang = understood.lang or state.lang
    if not lang and understood.text.isascii() and any(letter.isalpha() for letter in understood.text):
        lang = "en"
    return dataclasses.replace(state, lang=lang) if lang != state.lang else state


def _answer(state: State, heard: Heard, understood: Understood, world: World, control: str) -> Outcome:
    """A text while a question is open: control words, then an answer, then anything clearly else."""
    if control in _CONTROLS_IN_INTERVIEW:
        return _choice(state, heard, control, world)
    ticked = interview.read_situations(state, world, heard)
    if ticked is not None:
        return interview.take_situations(state, world, ticked, heard.sent_ms, show=True)
    another = world.words.subject(heard.text or "", state.lang)
    if another and another != state.subject and any(another in rule.subjects for rule in told.rules_of(state, world)):
        return interview.about_another(state, world, heard, another)
    parsed = interview.read(state, world, heard)
    if parsed is not None and parsed.kind != "unreadable":
        return interview.take_parsed(state, world, parsed, heard.sent_ms)
    if understood.decision == "handoff" or (understood.decision == "answer" and understood.intent in _DIGRESSIONS):
        return _with_way_back(*_understood(state, heard, understood, world))
    if control in ("self", "other_person", "business") and control != state.subject:
        return interview.change_subject(state, world, control, heard.sent_ms)
    return interview.misread(state, world, heard.sent_ms)


def _with_way_back(state: State, effects: tuple[Effect, ...]) -> Outcome:
    """After a digression the open question is one tap away."""
    if not interview_open(state):
        return state, effects
    return state, (*effects, Say("conversation.question_waits", (options.CONTINUE, options.STOP)))


def _understood(state: State, heard: Heard, understood: Understood, world: World) -> Outcome:
    if understood.decision == "clarify":
        return topics.clarify(state, understood)
    if understood.decision == "refuse":
        return topics.refuse(state, understood)
    if understood.intent == "program":
        return topics.answer(state, world, understood)
    handler = _INTENTS.get(understood.intent)
    if handler is None:
        return topics.refuse(state, understood)
    return handler(dataclasses.replace(state, misses=0), world, heard)


def _language(state: State, world: World, heard: Heard) -> Outcome:
    wanted = heard.understood.wants_language if heard.understood else ""
    if wanted:
        return _set_language(state, world, heard, wanted)
    return _with_way_back(state, (Say("conversation.choose_language", options.languages(world)),))


def _set_language(state: State, world: World, heard: Heard, code: str) -> Outcome:
    if code not in world.languages:
        return topics.unknown_choice(state)
    state = dataclasses.replace(state, lang=code, lang_chosen=True)
    return _with_way_back(state, (Say("conversation.language_set", (options.MENU, options.LANGUAGE)),))


def _say(key: str, *buttons: Option) -> Callable[[State, World, Heard], Outcome]:
    return lambda state, world, heard: (state, (Say(key, buttons),))


def _screening(state: State, world: World, heard: Heard) -> Outcome:
    audience = heard.understood.audience if heard.understood else ""
    if audience in world.knowledge.by_audience:
        return topics.cards(state, world, "audience", audience)
    return interview.screen(state, world, heard.sent_ms)


def _greeting(state: State, world: World, heard: Heard) -> Outcome:
    return _with_way_back(
        state, (Say("conversation.greeting", (options.WHO, options.THEMES, options.CHECKS, options.PERSON)),)
    )


def _aspect(state: State, world: World, heard: Heard, rest: str) -> Outcome:
    topic, _, aspect = rest.rpartition(":")
    if aspect not in (*options.ASPECTS, "overview"):
        return topics.unknown_choice(state)
    return topics.show(state, world, topic, aspect)


def _cards(kind: str) -> Callable[[State, World, Heard, str], Outcome]:
    def show(state: State, world: World, heard: Heard, rest: str) -> Outcome:
        name, _, page = rest.partition(":")
        if page and not (page.isdecimal() and len(page) < 4):
            return topics.unknown_choice(state)
        return topics.cards(state, world, kind, name, int(page or 0))

    return show


def _forget(state: State, world: World, heard: Heard, rest: str) -> Outcome:
    if rest == "yes":
        return own_data.forget(state, heard.kept)
    return (state, (Say("conversation.kept", (options.MENU,)),)) if rest == "no" else topics.unknown_choice(state)


def _hand_over_urgent(state: State, world: World, heard: Heard, rest: str) -> Outcome:
    return care.hand_over(state, world, is_urgent=True) if rest == "urgent" else topics.unknown_choice(state)


def _start(state: State, world: World, heard: Heard) -> Outcome:
    """The person opened the chat: the first notice comes by itself, later a greeting."""
    return _greeting(state, world, heard) if state.welcomed else (state, ())


def _file(state: State, world: World, heard: Heard) -> Outcome:
    """A file, and what was written under it."""
    effects = platform.file(state, world)
    if heard.understood is None or not heard.text:
        return _with_way_back(state, effects) if effects else (state, effects)
    after, more = _text(state, heard, heard.understood, world)
    return after, (*effects, *more)


_STATIONS = _say(
    "conversation.stations",
    options.LOCATION,
    options.topic_option("ov1"),
    options.topic_option("p13"),
    options.topic_option("p14"),
    options.PERSON,
)
_COMPLAINT = _say("conversation.complaint", options.PERSON, options.MENU)


def _callback(heard: Heard) -> Callback | None:
    return heard.understood.callback if heard.understood else None


_INTENTS: dict[str, Callable[[State, World, Heard], Outcome]] = {
    "screening": _screening,
    "handoff": lambda state, world, heard: care.hand_over(state, world, _callback(heard)),
    "greeting": _greeting,
    "thanks": _say("conversation.thanks", options.MENU),
    "goodbye": rating.ask,
    "language": _language,
    "stations": _STATIONS,
    "privacy": own_data.privacy,
    "complaint": _COMPLAINT,
    "menu": lambda state, world, heard: topics.menu(state, world),
}

_PLAIN: dict[str, Callable[[State, World, Heard], Outcome]] = {
    "menu": lambda state, world, heard: topics.menu(state, world),
    "who": lambda state, world, heard: topics.who(state, world),
    "themes": lambda state, world, heard: topics.themes(state, world),
    "checks": lambda state, world, heard: topics.checks(state, world),
    "screening": lambda state, world, heard: interview.screen(state, world, heard.sent_ms),
    "results": lambda state, world, heard: interview.results(state, world),
    "handoff": lambda state, world, heard: care.hand_over(state, world),
    "person": lambda state, world, heard: care.hand_over(state, world, _callback(heard)),
    "voice": lambda state, world, heard: care.voice(state, world),
    "language": _language,
    "privacy": own_data.privacy,
    "mydata": own_data.show,
    "stations": _STATIONS,
    "complaint": _COMPLAINT,
    "greeting": _greeting,
    "thanks": _INTENTS["thanks"],
    "goodbye": rating.ask,
    "forget": lambda state, world, heard: care.ask_forget(state),
    "continue": lambda state, world, heard: interview.again(state, world, heard.sent_ms),
    "back": lambda state, world, heard: interview.back(state, world, heard.sent_ms),
    "skip": lambda state, world, heard: interview.skip(state, world, heard.sent_ms),
    "start": _start,
    "file": _file,
    "sticker": lambda state, world, heard: _with_way_back(*_say("conversation.sticker", *_HELP)(state, world, heard)),
    "unreadable": lambda state, world, heard: _with_way_back(
        *_say("conversation.unreadable", *_HELP)(state, world, heard)
    ),
    "place": lambda state, world, heard: platform.place(state, world),
    "withdraw": lambda state, world, heard: platform.withdrawn(state, heard),
    "more": lambda state, world, heard: platform.more(state, world, heard),
    "move": lambda state, world, heard: platform.move(state, world),
    "resume": lambda state, world, heard: platform.resumed(state, world, heard),
    "stop": lambda state, world, heard: interview.stop(state, world),
}

_WITH_REST: dict[str, Callable[[State, World, Heard, str], Outcome]] = {
    "topic": lambda state, world, heard, rest: topics.show(state, world, rest),
    "aspect": _aspect,
    "audience": _cards("audience"),
    "theme": _cards("theme"),
    "checks": lambda state, world, heard, rest: topics.checks_of(state, world, rest),
    "tick": lambda state, world, heard, rest: interview.tick(state, world, rest, heard.sent_ms),
    "ticked": lambda state, world, heard, rest: interview.take_ticked(state, world, rest, heard.sent_ms),
    "check": lambda state, world, heard, rest: interview.start(state, world, rest, heard.sent_ms),
    "subject": lambda state, world, heard, rest: interview.change_subject(state, world, rest, heard.sent_ms),
    "answer": lambda state, world, heard, rest: interview.take_choice(state, world, rest, heard.sent_ms),
    "change": lambda state, world, heard, rest: interview.change(state, world, rest, heard.sent_ms),
    "lang": _set_language,
    "handoff": _hand_over_urgent,
    "forget": _forget,
    "mydata": own_data.choose,
    "rate": rating.rate,
    "words": rating.skip,
}

_OWN_TO_DECIDE = ("forget:yes", "withdraw", "resume", "move")
_CONTROLS_ANYTIME = ("menu", "person")
_CONTROLS_IN_INTERVIEW = ("menu", "person", "stop", "back")
_DIGRESSIONS = ("program", "language", "privacy", "stations", "menu", "screening", "greeting", "complaint")
