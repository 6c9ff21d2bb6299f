"""A visitor of the web chat, without script."""

from __future__ import annotations

import html
import re

import httpx

from platforms.city import City

LINK = re.compile(r'href="([^"]+)"')


class Visitor:
    """A browser with its cookies."""

    def __init__(self, city: City, language: str = "zh-TW") -> None:
        self._city = city
        self._http = city.closing.enter_context(
            httpx.Client(
                base_url=city.url,
                headers={"accept-language": language},
                trust_env=False,
                timeout=10,
                follow_redirects=True,
            )
        )

    def page(self) -> str:
        """The chat as it stands, as text."""
        return html.unescape(self._http.get("/").text)

    def say(self, text: str) -> str:
        """Write; the chat once it is answered."""
        return self._send(text=text)

    def tap(self, choice: str) -> str:
        """Press a button; the chat once it is answered."""
        return self._send(choice=choice)

    def links(self, start: str) -> list[str]:
        """Where the links of the chat lead that start so."""
        return [link for link in LINK.findall(self.page()) if link.startswith(start)]

    def follow(self, link: str) -> str:
        """Open a resume link, and say yes to the question there; the chat once it is answered."""
        asked = self._http.get(link)
        assert asked.status_code == 200, asked
        path = link.removeprefix(self._city.url)
        assert f'action="{path}"' in asked.text
        return self._answered(self._http.post(path))

    def _send(self, **form: str) -> str:
        return self._answered(self._http.post("/chat/send", data=form))

    def _answered(self, response: httpx.Response) -> str:
        assert response.status_code == 200, response
        self._city.settle()
        return self.page()
