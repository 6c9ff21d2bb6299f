"""A caseworker's browser, over HTTP."""

from __future__ import annotations

import html
import re

import httpx

from bot.desk.auth import hash_password
from bot.store import Store
from platforms.city import City

PASSWORD = "correct horse battery"
FIRST = "one-time password"
FENCE = re.compile(r'name="fence" value="(\d+)"')
FILE = re.compile(r'href="(/desk/files/\d+)"')


class Caseworker:
    """Somebody logged in at the desk."""

    def __init__(self, city: City, name: str = "lin") -> None:
        store = Store(city.database)
        try:
            store.add_staff(name, "agent", hash_password(FIRST))
        finally:
            store.close()
        self.name = name
        self._city = city
        self._http = city.closing.enter_context(httpx.Client(base_url=city.url, trust_env=False, timeout=10))
        self._post("/desk/login", name=name, password=FIRST)
        self._post("/desk/password", password=PASSWORD, again=PASSWORD)

    def queue(self) -> str:
        """The list of waiting cases, as text."""
        return self._page("/desk")

    def case(self, number: int = 1) -> str:
        """The page of a case, as text."""
        return self._page(f"/desk/cases/{number}")

    def claim(self, number: int = 1) -> None:
        """Take a waiting case."""
        self._post(f"/desk/cases/{number}/claim")

    def answer(self, text: str, number: int = 1) -> None:
        """Write to the citizen, by the form on the page of the case."""
        self._post(f"/desk/cases/{number}/reply", text=text, fence=self._fence(number))

    def close(self, number: int = 1) -> None:
        """End a held case."""
        self._post(f"/desk/cases/{number}/close", fence=self._fence(number))

    def files(self, number: int = 1) -> list[str]:
        """The addresses of the files that the page of a case opens."""
        return FILE.findall(self.case(number))

    def get(self, path: str) -> httpx.Response:
        """Open an address."""
        return self._http.get(path)

    def _page(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response
        return html.unescape(response.text)

    def _fence(self, number: int) -> str:
        found = FENCE.search(self.case(number))
        assert found, "the case is not held by this caseworker"
        return found[1]

    def _post(self, path: str, **form: str) -> None:
        response = self._http.post(path, data=form)
        assert response.status_code == 303, (path, response.status_code)
        self._city.settle()
