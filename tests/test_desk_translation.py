"""Machine translation at the desk: only where it is set up, only on request, always marked as made by a machine."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from site_app import Browser, Site, running
from standins.serving import ThreadServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from test_desk_phrases import arrived

from bot import config
from bot.desk.translator import TranslationFailed, Translator
from bot.pipeline.resources import Resources
from bot.store.codec import decode

CASE = "/desk/cases/1"
OWN = "請您帶護照來。"


@dataclass
class Libre:
    """A server of ours that speaks LibreTranslate's HTTP API: it puts the target's code before the text."""

    key: str = ""
    codes: tuple[str, ...] = ("en", "zh-Hant", "th", "vi", "id", "tl")
    answer: Callable[[], Response] | None = None
    delay: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        """The server."""
        languages = Route("/base/languages", self._languages)
        return Starlette(routes=[languages, Route("/base/translate", self._translate, methods=["POST"])])

    async def _languages(self, request: Request) -> Response:
        return JSONResponse([{"code": code, "name": code, "targets": list(self.codes)} for code in self.codes])

    async def _translate(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.delay)
        if self.answer is not None:
            return self.answer()
        if self.key and body.get("api_key") != self.key:
            return JSONResponse({"error": "Invalid API key"}, 403)
        if body["source"] not in self.codes or body["target"] not in self.codes:
            return JSONResponse({"error": f"{body['target']} is not supported"}, 400)
        return JSONResponse({"translatedText": f"[{body['target']}] {body['q']}"})


@pytest.fixture
def libre() -> Libre:
    return Libre()


@pytest.fixture
def server(libre: Libre) -> Iterator[ThreadServer]:
    with ThreadServer(libre.app()) as server:
        yield server


def url(server: ThreadServer) -> str:
    """Where the server is."""
    return f"http://127.0.0.1:{server.port}/base"


@pytest.fixture
def site(resources: Resources, tmp_path: Path, server: ThreadServer) -> Iterator[Site]:
    with running(resources, tmp_path, LABOR_BOT_TRANSLATE_URL=url(server)) as site:
        yield site


def translate(translator: Translator, source: str = "th", target: str = "zh-TW") -> str:
    """One translation."""
    return asyncio.run(translator.translate("สวัสดี", source, target))


# -- the interface


@pytest.mark.parametrize(
    ("codes", "source", "target", "sent"),
    [
        (("th", "zh-Hant"), "th", "zh-TW", ("th", "zh-Hant")),
        (("th", "zt"), "th", "zh-TW", ("th", "zt")),
        (("tl", "zt"), "zh-TW", "fil", ("zt", "tl")),
    ],
)
def test_the_codes_are_those_that_the_server_lists(
    libre: Libre, server: ThreadServer, codes: tuple[str, ...], source: str, target: str, sent: tuple[str, str]
) -> None:
    libre.codes = codes
    assert translate(Translator(url(server)), source, target) == f"[{sent[1]}] สวัสดี"
    assert libre.asked == [{"q": "สวัสดี", "source": sent[0], "target": sent[1], "format": "text"}]


def test_the_key_is_sent_where_there_is_one(libre: Libre, server: ThreadServer) -> None:
    libre.key = "a key"
    assert translate(Translator(url(server), "a key")).endswith("สวัสดี")
    with pytest.raises(TranslationFailed):
        translate(Translator(url(server), "another"))


@pytest.mark.parametrize(
    "answer",
    [
        lambda: JSONResponse({"error": "busy"}, 429),
        lambda: JSONResponse({"error": "broken"}, 500),
        lambda: Response(b"<html>", media_type="text/html"),
        lambda: JSONResponse({"translatedText": ["a", "b"]}),
        lambda: JSONResponse({"translatedText": " "}),
        lambda: JSONResponse([]),
        lambda: JSONResponse({"translatedText": "x" * 300_000}),
    ],
    ids=["busy", "broken", "no JSON", "a list", "empty", "no object", "endless"],
)
def test_anything_but_a_translation_is_a_failure(
    libre: Libre, server: ThreadServer, answer: Callable[[], Response]
) -> None:
    libre.answer = answer
    with pytest.raises(TranslationFailed):
        translate(Translator(url(server)))


def test_a_language_that_the_server_lacks_is_not_asked_for(libre: Libre, server: ThreadServer) -> None:
    libre.codes = ("en", "th")
    with pytest.raises(TranslationFailed):
        translate(Translator(url(server)))
    assert libre.asked == []


def test_a_slow_server_is_not_waited_for(libre: Libre, server: ThreadServer) -> None:
    libre.delay = 0.3
    with pytest.raises(TranslationFailed):
        translate(Translator(url(server), seconds=0.1))


def test_nobody_listens() -> None:
    with pytest.raises(TranslationFailed):
        translate(Translator("http://127.0.0.1:9"))


def test_only_the_configured_address_is_asked(
    libre: Libre, server: ThreadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a redirect nor a proxy of the environment leads a text anywhere else."""
    other = Libre()
    with ThreadServer(other.app()) as elsewhere:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{elsewhere.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{elsewhere.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert translate(Translator(url(server)))
        libre.answer = lambda: RedirectResponse(f"{url(elsewhere)}/translate", 307)
        with pytest.raises(TranslationFailed):
            translate(Translator(url(server)))
    assert other.asked == []


@pytest.mark.parametrize(
    "wrong", ["translate.example", "ftp://translate.example", "https://", "http://a/?q=1", "http://u@a"]
)
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(config.ConfigError, match="LABOR_BOT_TRANSLATE_URL"):
        config.load({"LABOR_BOT_TRANSLATE_URL": wrong})


def test_a_key_without_an_address_is_refused() -> None:
    with pytest.raises(config.ConfigError, match="LABOR_BOT_TRANSLATE_KEY"):
        config.load({"LABOR_BOT_TRANSLATE_KEY": "k"})


# -- at the desk


def held(site: Site, lang: str = "th") -> tuple[Browser, Browser]:
    """A citizen who wrote, and the caseworker who holds their case."""
    citizen = site.browser(lang)
    citizen.tap("handoff")
    lin = site.caseworker()
    lin.post(f"{CASE}/claim")
    citizen.say("นายจ้างไม่จ่ายเงินเดือนสองเดือนแล้ว")
    return citizen, lin


def own_form(site: Site, staff: Browser) -> dict[str, str]:
    """The form under a translation of own words."""
    fence = str(site.rows("SELECT speaker_fence FROM conversations")[0][0])
    page = staff.post(f"{CASE}/translate", {"text": OWN, "fence": fence, "id": "f1"}).text
    form = page.partition('/translate/send"')[2]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def test_a_line_of_the_citizen_is_shown_beside_its_original_and_kept_nowhere(site: Site, libre: Libre) -> None:
    _, lin = held(site)
    seq = re.findall(r'name="seq" value="(\d+)"', lin.get(CASE).text)[-1]
    before = site.contents()
    page = lin.post(f"{CASE}/translate", {"seq": seq})
    assert page.status_code == 200
    assert "[zh-Hant] นายจ้าง" in page.text
    assert site.words("zh-TW", "desk_phrases.translation_lead") in page.text
    assert libre.asked[-1]["q"] == "นายจ้างไม่จ่ายเงินเดือนสองเดือนแล้ว"
    assert site.contents() == before
    assert "/translate/send" not in page.text
    assert ("case.translate", "case/1") in site.rows("SELECT action, object FROM audit")


def test_own_words_go_out_only_after_they_were_looked_at_and_are_marked(site: Site) -> None:
    citizen, lin = held(site)
    form = own_form(site, lin)
    assert form["machine"] == f"[th] {OWN}"
    assert site.rows("SELECT count(*) FROM messages WHERE author = 'staff'") == [(0,)]
    assert OWN in lin.get(CASE).text  # the draft is still there
    assert lin.post(f"{CASE}/translate/send", form).status_code == 303
    assert lin.post(f"{CASE}/translate/send", form).status_code == 303
    ((body, reading),) = site.rows("SELECT body, reading FROM messages WHERE author = 'staff'")
    mark = site.words("th", "conversation.machine_translated")
    assert json.loads(decode(body)) == {"text": f"[th] {OWN}\n\n{mark}", "lang": "th"}
    assert json.loads(decode(reading)) == {"original": OWN}
    assert OWN in arrived(citizen, mark)


def test_whoever_does_not_hold_the_case_sends_no_translation(site: Site) -> None:
    _, lin = held(site)
    form = own_form(site, lin)
    senior = site.caseworker("chen", "senior")
    refused = senior.post(f"{CASE}/translate/send", form)
    assert refused.status_code == 409
    assert OWN in refused.text
    assert site.caseworker("wang").post(f"{CASE}/translate", {"seq": "1"}).status_code == 403
    assert site.caseworker("wu").post(f"{CASE}/translate/send", form).status_code == 403


@pytest.mark.parametrize("form", [{}, {"seq": "999"}, {"seq": "x"}, {"text": " "}, {"text": "字" * 4001}])
def test_there_must_be_something_to_translate(site: Site, libre: Libre, form: dict[str, str]) -> None:
    _, lin = held(site)
    assert lin.post(f"{CASE}/translate", form).status_code == 400
    assert libre.asked == []


def test_what_the_bot_said_is_not_sent_to_the_machine(site: Site) -> None:
    _, lin = held(site)
    ((seq,),) = site.rows("SELECT max(seq) FROM messages WHERE author = 'bot'")
    assert lin.post(f"{CASE}/translate", {"seq": str(seq)}).status_code == 400


def test_a_machine_that_fails_is_said_so_and_nothing_is_lost(site: Site, libre: Libre) -> None:
    _, lin = held(site)
    libre.answer = lambda: JSONResponse({"error": "broken"}, 500)
    page = lin.post(f"{CASE}/translate", {"text": OWN})
    assert page.status_code == 502
    assert site.words("zh-TW", "desk_phrases.error_translator") in page.text
    assert OWN in page.text
    assert "/translate/send" not in page.text


def test_without_an_address_there_is_no_machine(resources: Resources, tmp_path: Path) -> None:
    with running(resources, tmp_path / "off") as site:
        _, lin = held(site)
        assert "/translate" not in lin.get(CASE).text
        assert lin.post(f"{CASE}/translate", {"text": OWN}).status_code == 404
