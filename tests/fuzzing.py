"""Requests that nobody means well: every route, every part of a request, and signed webhooks turned inside out."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import random
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from hostile import TEXTS

from bench import mix
from bot.channels.hook import SIGNATURE

ROOT = Path(__file__).parent.parent
LIMIT = 20.0  # seconds; whatever takes longer counts as stuck
SCRIPTS = ((0x00, 0x80), (0x80, 0x250), (0x300, 0x370), (0x400, 0x530), (0x590, 0x700), (0x900, 0xE80), (0xE00, 0xE80))
SCRIPTS += ((0x1200, 0x1380), (0x2000, 0x2100), (0x3040, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xE000, 0xE100))
SCRIPTS += (
    (0xFE00, 0xFE10),
    (0xFF00, 0xFFF0),
    (0x1F000, 0x1FA00),
    (0x20000, 0x20100),
    (0xE0000, 0xE0080),
    (0xD7F0, 0xE000),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "BREW", "")
NAMES = sorted(
    {name for file in ROOT.glob("templates/**/*.html") for name in re.findall(r'name="(\w+)"', file.read_text("utf-8"))}
    | {
        name
        for file in ROOT.glob("bot/*/*.py")
        for name in re.findall(r'(?:form|query_params|params|data)\.get\("(\w+)"', file.read_text("utf-8"))
    }
)
ODD = (
    *TEXTS.values(),
    *("", "0", "-1", "1", "2", "99999999999999999999", "1e400", "NaN", "true", "null", "[]", "{}", "2026-13-45"),
    *("2026-11-23", "\x00", "\x7f\x1b[2J", "\r\nX-Evil: 1", "\u202e\u2066", "\U0001f9ff" * 50, "a" * 5000, "%", "%00"),
    *("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "//evil.example/", "'; DROP TABLE seen;--", "{{7*7}}", "${x}"),
)
TAPS = (
    *mix.SCRIPT,
    "handoff",
    "mydata",
    "forget",
    "forget:yes",
    "withdraw",
    "more",
    "subject:self",
    "checks",
    "check:p15",
)
ANYTHING: tuple[Any, ...] = (None, True, False, 0, -1, 2**63, 10**30, 1.5, -0.0, "", [], {}, [[]], {"": None}, *ODD)
HEADERS = (
    *("host", "cookie", "accept", "accept-language", "content-type", "range", "x-forwarded-for", "sec-fetch-site"),
    *("origin", "last-event-id", "if-none-match", "if-modified-since", "upgrade", "referer", "forwarded", "te"),
)
FRAMING = ("content-length", "transfer-encoding", "expect", "connection")
TRICKS = (
    *("/static/../bot/config.py", "/static/..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/%00"),
    *(
        "/static//etc/passwd",
        "/static/site.css%00.js",
        "/static/" + "a" * 300,
        "/static/" + "a/" * 2000,
        "/static/\xff",
    ),
    *(
        "//",
        "//evil.example/",
        "/./",
        "/../",
        "/..;/desk",
        "/desk/..%2f",
        "/DESK",
        "/desk//queue",
        "/%",
        "/%zz",
        "/%ff%fe",
    ),
    *(
        "/webhook/",
        "/webhook/line/",
        "/webhook/line/../hook",
        "/%77ebhook/hook",
        "/mydata/%00",
        "/resume/" + "x" * 9000,
    ),
    *(
        "*",
        "http://evil.example/",
        "evil.example:443",
        "/?" + "a=1&" * 5000,
        "/#x",
        "/\ud800",
        "/" + "%f0%9f%98%80" * 900,
    ),
    *(
        "/healthz",
        "/readyz",
        "/readyz?x=%00",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/security.txt",
        "/.git/config",
    ),
)
DEEP = (b"[" * 200_000, b'{"events":' * 50_000, b'{"events":[' + b"1" * 100_000 + b"]}", b'{"events":[1e999999]}')
DEEP += (
    b'{"events":[{"text":"\\ud800"}]}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b'{"a":1,"a":[]}',
    b"NaN",
    b"\0" * 1000,
)
KINDS = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", "")


@dataclass
class Keys:
    """What the platforms would sign with."""

    hook: str
    line: str
    telegram: str


@dataclass
class Tally:
    """What came back. `bad`: each answer that must not be, as (status, method, path)."""

    statuses: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass
class Fuzz:
    """Everybody's endless stream of requests. `session`: a token of the desk for somebody, made when asked."""

    port: int
    routes: Sequence[tuple[str, list[str]]]
    keys: Keys
    session: Callable[[], str]
    chance: random.Random
    tally: Tally = field(default_factory=Tally)
    cookies: list[str] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self._pool = mix.sentences(self.chance)
        self._line = _documents("line")
        self._telegram = _documents("telegram")

    async def run(self) -> None:
        """One request after the other until cancelled."""
        while True:
            kind, method, path, raw = self.request()
            self.tally.kinds[kind] += 1
            status = await self.send(raw, "/events" in path, kind == "broken")
            self.tally.statuses[status] += 1
            if status >= 500 and status != 503:
                self.tally.bad.append((status, method, path[:200], raw[:1500]))

    def request(self) -> tuple[str, str, str, bytes]:
        """(kind, method, path, bytes)."""
        self.number += 1
        kind = self.chance.choices(("route", "chat", "webhook", "path", "broken"), (45, 20, 25, 5, 5))[0]
        method, path, headers, body = getattr(self, f"_{kind}")()
        raw = self._raw(method, path, headers, body)
        return kind, method, path, self._broken_bytes(raw) if kind == "broken" else raw

    # -- kinds of requests

    def _route(self) -> tuple[str, str, dict[str, str], bytes]:
        path, methods = self.chance.choice(self.routes)
        method = self.chance.choice(methods) if methods and self.chance.random() < 0.85 else self.chance.choice(METHODS)
        path = re.sub(r"\{[^}]*\}", lambda _: quote(self._value(), safe=""), path)
        if self.chance.random() < 0.5:
            path += "?" + urlencode(self._fields())
        kind = self.chance.choices(KINDS, (70, 10, 10, 5, 5))[0]
        body = self._body(kind) if method not in ("GET", "HEAD") or self.chance.random() < 0.1 else b""
        headers = {"content-type": kind, **self._context()}
        if self.chance.random() < 0.3:
            headers[self.chance.choice(HEADERS)] = self._value().replace("\r", "").replace("\n", "")
        return method, path, headers, body

    def _path(self) -> tuple[str, str, dict[str, str], bytes]:
        method = self.chance.choice(METHODS) if self.chance.random() < 0.3 else "GET"
        return method, self.chance.choice(TRICKS), self._context(), b""

    def _broken(self) -> tuple[str, str, dict[str, str], bytes]:
        method, path, headers, body = self._route()
        return method, path, headers | {self.chance.choice(FRAMING): self._value()[:200]}, body

    def _chat(self) -> tuple[str, str, dict[str, str], bytes]:
        fields = dict(self._fields())
        fields |= {"choice": self.chance.choice(TAPS)} if self.chance.random() < 0.5 else {"text": self.sentence()}
        headers = {"content-type": KINDS[0], "accept": self.chance.choice(("text/html", "application/json"))}
        return "POST", "/chat/send", headers | self._context(), urlencode(fields).encode()

    def _webhook(self) -> tuple[str, str, dict[str, str], bytes]:
        name = self.chance.choice(("hook", "line", "telegram"))
        document = getattr(self, f"_{name}_document")()
        if self.chance.random() < 0.7:
            document = turned(document, self.chance)
        body = json.dumps(document, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")
        if self.chance.random() < 0.1:
            body = self._broken_bytes(body)
        if self.chance.random() < 0.05:
            body = self.chance.choice(DEEP)
        headers = {"content-type": "application/json", **self._signed(name, body)}
        return "POST", f"/webhook/{name}", headers, body

    def _signed(self, name: str, body: bytes) -> dict[str, str]:
        if self.chance.random() < 0.05:
            return {SIGNATURE: self._value()[:50].encode("ascii", "replace").decode().replace("\n", "")}
        digest = hmac.new(getattr(self.keys, name).encode(), body, hashlib.sha256)
        return {
            "hook": {SIGNATURE: digest.hexdigest()},
            "line": {"x-line-signature": b64encode(digest.digest()).decode()},
            "telegram": {"x-telegram-bot-api-secret-token": self.keys.telegram},
        }[name]

    def _hook_document(self) -> Any:
        what = {"choice": self.chance.choice(TAPS)} if self.chance.random() < 0.4 else {"text": self.sentence()}
        event = {
            "id": f"f{self.number}",
            "user": f"u{self.chance.randrange(30)}",
            "timestamp": 1_795_000_000_000,
            **what,
        }
        return {"events": [event] * self.chance.choice((0, 1, 1, 1, 2))}

    def _line_document(self) -> Any:
        document = json.loads(self.chance.choice(self._line))
        for event in document.get("events", ()) if isinstance(document, dict) else ():
            if isinstance(event, dict):
                event["webhookEventId"] = f"01FUZZ{self.number:020d}"
        return document

    def _telegram_document(self) -> Any:
        document = json.loads(self.chance.choice(self._telegram))
        return {**document, "update_id": self.number} if isinstance(document, dict) else document

    # -- parts of requests

    def sentence(self) -> str:
        """Said by citizens, hostile, of any script, or one of them with letters changed."""
        text = self.chance.choice((*self.chance.choices(self._pool, k=2), self._value(), self._letters()))
        return mutated(text, self.chance) if self.chance.random() < 0.4 else text

    def _letters(self) -> str:
        begin, end = self.chance.choice(SCRIPTS)
        text = "".join(chr(self.chance.randrange(begin, end)) for _ in range(self.chance.choice((1, 8, 60, 600))))
        return text.encode("utf-8", "replace").decode()

    def _value(self) -> str:
        return self.chance.choice(ODD) if self.chance.random() < 0.6 else str(self.chance.randrange(1, 30))

    def _fields(self) -> list[tuple[str, str]]:
        names = self.chance.choices(NAMES, k=self.chance.choice((1, 2, 3, 8, 8)))
        return [(name, self._value()) for name in names]

    def _body(self, kind: str) -> bytes:
        if "json" in kind:
            return json.dumps(turned({name: value for name, value in self._fields()}, self.chance)).encode()
        if "multipart" in kind:
            file = f'; filename="{self._value()}"' if self.chance.random() < 0.5 else ""
            head = "--x\r\ncontent-disposition: form-data; name="
            parts = [f'{head}"{n}"{file}\r\n\r\n{v}\r\n' for n, v in self._fields()]
            return ("".join(parts) + "--x--\r\n").encode("utf-8", "replace")
        body = urlencode(self._fields()).encode()
        return body if self.chance.random() < 0.95 else (body * 500)[:1_000_000]

    def _context(self) -> dict[str, str]:
        """Mostly a browser on our own page, with somebody's cookies."""
        headers = (
            {"sec-fetch-site": "same-origin"} if self.chance.random() < 0.9 else {"origin": "https://evil.example"}
        )
        kept = [self.chance.choice(self.cookies)] if self.cookies and self.chance.random() < 0.7 else []
        if self.chance.random() < 0.4:
            kept.append(self.session())
        if self.chance.random() < 0.05:
            kept.append("x=" + quote(self._value()))
        return headers | ({"cookie": "; ".join(kept)} if kept else {})

    def _raw(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        head = {"host": f"127.0.0.1:{self.port}", "connection": "close", "content-length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogatepass") + body

    def _broken_bytes(self, raw: bytes) -> bytes:
        """A piece cut out, doubled, or drawn anew."""
        if not raw:
            return raw
        begin, end = sorted(self.chance.choices(range(len(raw)), k=2))
        end = min(end, begin + 40)
        piece = self.chance.choice((b"", raw[begin:end] * 3, self.chance.randbytes(end - begin)))
        return raw[:begin] + piece + raw[end:]

    # -- the wire

    async def send(self, raw: bytes, stream: bool, broken: bool) -> int:
        """The status; 0 when the server hung up without one, which it may on what is no HTTP; 599 when it is stuck."""
        try:
            async with asyncio.timeout(LIMIT):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    return await self._talk(reader, writer, raw, stream, broken)
                finally:
                    writer.close()
        except TimeoutError:
            return 599
        except OSError:
            return 0

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes, stream: bool, broken: bool
    ) -> int:
        writer.write(raw)
        with contextlib.suppress(OSError):
            await writer.drain()
            if broken:
                writer.write_eof()  # a body that is shorter than it says is not waited for
        head = await reader.read(65536)
        for found in re.findall(rb"(?i)set-cookie: ([^;\r]+)", head):
            self.cookies = [*self.cookies[-20:], found.decode("latin-1")]
        if not stream:
            while await reader.read(65536):
                pass
        found_status = re.match(rb"HTTP/1\.1 (\d{3})", head)
        return int(found_status[1]) if found_status else 0


def mutated(text: str, chance: random.Random) -> str:
    """Pieces doubled, cut out, turned round, with letters of any script between."""
    for _ in range(chance.choice((1, 2, 5))):
        begin, end = sorted(chance.choices(range(len(text) + 1), k=2))
        low, high = chance.choice(SCRIPTS)
        letter = chr(chance.randrange(low, high)).encode("utf-8", "replace").decode()
        text = text[:begin] + chance.choice(("", text[begin:end][::-1], text[begin:end] * 3, letter)) + text[end:]
    return text[:8000]


def turned(document: Any, chance: random.Random) -> Any:
    """The document with one to three of its places changed."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        document = _turned(document, chance)
    return document


def _turned(node: Any, chance: random.Random) -> Any:
    if not node or not isinstance(node, dict | list) or chance.random() < 0.15:
        return _instead(node, chance)
    if isinstance(node, list):
        place = chance.randrange(len(node))
        return [*node[:place], *_places(node[place], chance), *node[place + 1 :]]
    name = chance.choice(list(node))
    if chance.random() < 0.15:
        return {key: value for key, value in node.items() if key != name}
    return {**node, name: _turned(node[name], chance)}


def _places(node: Any, chance: random.Random) -> list[Any]:
    """Gone, twice, or (computed once only: the tree may be deep) another."""
    kind = chance.randrange(4)
    return [node] * (2 * kind) if kind < 2 else [_turned(node, chance)]


def _instead(node: Any, chance: random.Random) -> Any:
    deep: Any = []
    for _ in range(chance.choice((3, 300))):
        deep = [deep]
    return chance.choice((*ANYTHING, deep, [node], {"a": node}, str(node)))


def _documents(platform: str) -> list[str]:
    files = sorted((Path(__file__).parent / "webhooks" / platform).glob("*.json"))
    return [file.read_text("utf-8") for file in files if ".expected" not in file.name]
