"""The phrasebook on the desk: the list, one sentence in all its languages, retiring it; every version is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.clock import TAIPEI
from bot.desk.frame import Frame, whole
from bot.desk.phrasebook import PREFIX, SLOTS, Phrase, language_name, packaged, parts, phrasebook
from bot.desk.rights import Right
from bot.store.phrases import PhraseChanged, Wording
from bot.store.records import StaffRow
from knowledge.catalog import SOURCE_LANGUAGE
from knowledge.check.glossary import read_glossary
from knowledge.check.phrases import PhraseFault, phrase_faults, tidy
from knowledge.glossary import Glossary

NEW = Phrase("", {})


@dataclass
class PhrasePages:
    """Every change is checked by the rules of the texts; what is refused comes back as it was typed."""

    frame: Frame
    _glossary: Glossary = field(init=False)

    def __post_init__(self) -> None:
        located, _ = read_glossary(self.frame.resources.knowledge.root)
        assert located is not None, "the packaged glossary is checked"
        self._glossary = located.model

    def routes(self) -> list[Route]:
        """Its routes."""
        get, post, right = self.frame.get, self.frame.post, Right.EDIT_PHRASES
        return [
            Route("/desk/phrases", get(self.listing, right), methods=["GET"]),
            Route("/desk/phrases/new", get(self.blank, right), methods=["GET"]),
            Route("/desk/phrases/new", post(self.add, right), methods=["POST"]),
            Route("/desk/phrases/{key}", get(self.open, right), methods=["GET"]),
            Route("/desk/phrases/{key}", post(self.edit, right), methods=["POST"]),
            Route("/desk/phrases/{key}/retire", post(self.retire, right), methods=["POST"]),
        ]

    def _find(self, request: Request) -> Phrase | None:
        return phrasebook(self.frame.resources, self.frame.house.store).get(request.path_params["key"])

    async def listing(self, request: Request, staff: StaffRow) -> Response:
        """Every sentence by group, with the languages it lacks; retired ones at the end."""
        spoken = self.frame.resources.languages
        rows: list[dict[str, Any]] = [
            {
                "key": phrase.key,
                "group": phrase.group,
                "chinese": parts(phrase.chinese),
                "missing": ", ".join(self._language(request, lang) for lang in spoken if not phrase.texts.get(lang)),
                "own": phrase.version > 0,
                "retired": phrase.retired,
            }
            for phrase in phrasebook(self.frame.resources, self.frame.house.store).values()
        ]
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault("retired" if row["retired"] else row["group"], []).append(row)
        retired = groups.pop("retired", [])
        done = request.query_params.get("done", "")
        return self.frame.render(request, "phrases", staff=staff, groups=groups, retired=retired, done=done)

    async def blank(self, request: Request, staff: StaffRow) -> Response:
        """The form for a new sentence."""
        return self._form(request, staff, NEW, _typed(NEW, self.frame.resources.languages))

    async def open(self, request: Request, staff: StaffRow) -> Response:
        """The form of one sentence."""
        phrase = self._find(request)
        if phrase is None:
            return self.frame.error(request, "desk_phrases.error_gone", 404)
        return self._form(request, staff, phrase, _typed(phrase, self.frame.resources.languages))

    async def add(self, request: Request, staff: StaffRow) -> Response:
        """Keep a new sentence, or show what is wrong with it."""
        return await self._save(request, staff, NEW)

    async def edit(self, request: Request, staff: StaffRow) -> Response:
        """Keep a new version of a sentence, or show what is wrong with it."""
        phrase = self._find(request)
        if phrase is None:
            return self.frame.error(request, "desk_phrases.error_gone", 404)
        return await self._save(request, staff, phrase)

    async def _save(self, request: Request, staff: StaffRow, phrase: Phrase) -> Response:
        form = await self.frame.form(request)
        spoken = self.frame.resources.languages
        typed = {lang: tidy(form.get(f"text_{lang}", "")) for lang in spoken}
        topic = form.get("topic", "") if form.get("topic", "") in self.frame.resources.knowledge.topics else ""
        faults = list(phrase_faults(f"{PREFIX}{phrase.key}", typed, self._glossary, SLOTS))
        stale = [] if form.get("same") == "yes" else _stale(phrase, typed, {fault.lang for fault in faults})
        version = whole(form.get("version"))
        if faults or stale:
            return self._form(request, staff, phrase, typed, topic, version, faults, stale, status=400)
        wording = Wording({lang: text for lang, text in typed.items() if text}, topic, phrase.retired)
        store = self.frame.house.store
        try:
            key = await store.phrases.keep(phrase.key, version, wording, staff.id)
        except PhraseChanged:  # saving once more is saving over it, knowingly
            error = self.frame.words(request, "desk_phrases.error_changed", text=phrase.chinese)
            return self._form(request, staff, phrase, typed, topic, error=error, status=409)
        except OSError:
            error = self.frame.words(request, "web.error_store")
            return self._form(request, staff, phrase, typed, topic, version, error=error, status=503)
        await store.note(staff.id, "phrase.edit" if phrase.key else "phrase.add", f"phrase/{key}")
        return RedirectResponse("/desk/phrases?done=saved", 303)

    async def retire(self, request: Request, staff: StaffRow) -> Response:
        """No longer offer a sentence, or offer it again (`back`)."""
        phrase = self._find(request)
        if phrase is None:
            return self.frame.error(request, "desk_phrases.error_gone", 404)
        form = await self.frame.form(request)
        retired = form.get("back") != "yes"
        wording = Wording(phrase.texts, phrase.topic, retired)
        try:
            await self.frame.house.store.phrases.keep(phrase.key, whole(form.get("version")), wording, staff.id)
        except PhraseChanged:
            error = self.frame.words(request, "desk_phrases.error_changed", text=phrase.chinese)
            typed = _typed(phrase, self.frame.resources.languages)
            return self._form(request, staff, phrase, typed, phrase.topic, error=error, status=409)
        done = "retire" if retired else "restore"
        await self.frame.house.store.note(staff.id, f"phrase.{done}", f"phrase/{phrase.key}")
        return RedirectResponse(f"/desk/phrases?done={done}d", 303)

    def _form(
        self,
        request: Request,
        staff: StaffRow,
        phrase: Phrase,
        typed: Mapping[str, str],
        topic: str | None = None,
        version: int | None = None,
        faults: Sequence[PhraseFault] = (),
        stale: Sequence[str] = (),
        error: str = "",
        status: int = 200,
    ) -> Response:
        by_lang: dict[str, list[str]] = {}
        for fault in faults:
            by_lang.setdefault(fault.lang, []).append(self._said(request, fault))
        for lang in stale:
            by_lang.setdefault(lang, []).append(self.frame.words(request, "desk_phrases.fault_stale"))
        fields = [
            {"lang": lang, "name": self._language(request, lang), "text": text, "faults": by_lang.get(lang, [])}
            for lang, text in typed.items()
        ]
        return self.frame.render(
            request,
            "phrase_edit",
            status,
            staff=staff,
            error=error,
            phrase=phrase,
            version=phrase.version if version is None else version,
            fields=fields,
            stale=stale,
            slots=SLOTS,
            topic=phrase.topic if topic is None else topic,
            topics=self._topics(request),
            history=self._history(phrase),
            packaged=phrase.key in packaged(self.frame.resources.knowledge, self.frame.resources.catalog),
        )

    def _said(self, request: Request, fault: PhraseFault) -> str:
        """A fault in the reader's language."""
        words, what = self.frame.words, fault.what
        if fault.code == "same":
            what = self._language(request, fault.what)
        return words(request, f"desk_phrases.fault_{fault.code}", what=what, wanted=fault.wanted)

    def _language(self, request: Request, lang: str) -> str:
        return language_name(self.frame.resources, self.frame.lang(request), lang)

    def _topics(self, request: Request) -> list[tuple[str, str]]:
        programs = [topic for topic in self.frame.resources.knowledge.topics.values() if topic.kind == "program"]
        return [(topic.id, self.frame.words(request, f"{topic.id}.label")) for topic in programs]

    def _history(self, phrase: Phrase) -> list[dict[str, Any]]:
        rows = self.frame.house.store.phrases.history(phrase.key) if phrase.version else []
        return [
            {
                "at": datetime.fromtimestamp(row.at, TAIPEI).strftime("%Y-%m-%d %H:%M"),
                "who": row.who,
                "chinese": parts(row.wording.texts.get(SOURCE_LANGUAGE, "")),
                "retired": row.wording.retired,
            }
            for row in rows
        ]


def _typed(phrase: Phrase, spoken: Sequence[str]) -> dict[str, str]:
    """What the fields hold before anything is typed."""
    return {lang: phrase.texts.get(lang, "") for lang in spoken}


def _stale(phrase: Phrase, typed: Mapping[str, str], faulty: Collection[str]) -> list[str]:
    """The languages whose text stayed although the Chinese changed: does it still say the same? Faults come first."""
    if not phrase.key or typed[SOURCE_LANGUAGE] == phrase.chinese:
        return []
    kept = [lang for lang, text in typed.items() if text and text == phrase.texts.get(lang)]
    return [lang for lang in kept if lang not in faulty]
