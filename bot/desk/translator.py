"""A machine translator of the installation's own, spoken to in LibreTranslate's HTTP API; off unless configured."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from bot import observe

SECONDS = 10.0
TEXT_LIMIT = 4000
ANSWER_LIMIT = 200_000
# Which codes a server has depends on its version: the first one that it lists is used.
CODES = {"zh-TW": ("zh-Hant", "zt"), "fil": ("fil", "tl")}


class TranslationFailed(Exception):
    """No translation came: the server is away or slow, does not know the language, or refused."""


class Translator:
    """Asks the configured address and no other: no redirects are followed, no proxy of the environment is used."""

    def __init__(self, url: str, key: str = "", seconds: float = SECONDS) -> None:
        """`url`: where LibreTranslate is, without `/translate`; `key`: its API key, if it wants one."""
        self._url = url.rstrip("/")
        self._key = key
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._codes: frozenset[str] = frozenset()

    async def translate(self, text: str, source: str, target: str) -> str:
        """The text by machine, from and to our language codes. What comes must always be shown as machine-made.

        Raises TranslationFailed.
        """
        try:
            async with aiohttp.ClientSession(timeout=self._timeout) as session:
                known = await self._known(session)
                asked = {"q": text[:TEXT_LIMIT], "source": _code(source, known), "target": _code(target, known)}
                asked |= {"format": "text"} | ({"api_key": self._key} if self._key else {})
                answer = await self._ask(session, "POST", "translate", asked)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            observe.failure("translate", error)
            raise TranslationFailed from None
        except TranslationFailed:
            observe.count("translate.refused")
            raise
        translated = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(translated, str) or not translated.strip():
            raise TranslationFailed
        return translated.strip()

    async def _known(self, session: aiohttp.ClientSession) -> frozenset[str]:
        if not self._codes:
            listed = await self._ask(session, "GET", "languages", None)
            entries = listed if isinstance(listed, list) else []
            self._codes = frozenset(str(each.get("code", "")) for each in entries if isinstance(each, dict))
        return self._codes

    async def _ask(self, session: aiohttp.ClientSession, method: str, path: str, body: Any) -> Any:
        """One request. Raises TranslationFailed unless the answer is a 200 of a sane size, ValueError if no JSON."""
        url = f"{self._url}/{path}"
        async with session.request(method, url, json=body, allow_redirects=False) as response:
            found = bytearray()
            async for chunk in response.content.iter_chunked(16_384):
                found += chunk
                if len(found) > ANSWER_LIMIT:
                    raise TranslationFailed
            if response.status != 200:
                raise TranslationFailed
            return json.loads(found)


def _code(lang: str, known: frozenset[str]) -> str:
    """The server's code of one of our languages. Raises TranslationFailed where it has none."""
    for code in CODES.get(lang, (lang,)):
        if code in known:
            return code
    raise TranslationFailed
