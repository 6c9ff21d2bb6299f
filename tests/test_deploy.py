"""What deploy/ holds, run for real: two servers on one PostgreSQL behind nginx, one of them killed, dumps put back."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import shutil
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import postgres
import psycopg
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from deploying import NAME, NGINX, Accounts, Proxy, Web, accounts, migrate, proxy, tool, webs
from storing import now, rows, said, staff, take, went_well

from bot.store import Store, StoreUnavailable
from bot.store.postgres import Postgres

pytestmark = [
    pytest.mark.slow,
    # A live stream over TLS that its reader leaves in the middle: aiohttp lets the collector close it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(postgres.programs() is None, reason="no PostgreSQL server is installed here"),
]
behind_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed here (sh tests/proxy.sh installs it)")
SETTINGS = {
    "LABOR_BOT_PUBLIC_URL": f"https://{NAME}",
    "LABOR_BOT_TRUSTED_PROXIES": "127.0.0.1",
    "LABOR_BOT_ENCODER": "off",
    "LABOR_BOT_MESSAGES_PER_MINUTE": "100000",
    "LABOR_BOT_MESSAGES_PER_MINUTE_IP": "100000",
}
JSON = {"Accept": "application/json"}
SAID = ("你好", "尋職津貼怎麼申請", "how much is it", "menu", "thank you")
VISITORS, EACH = 6, 12
TAKEN_OVER = 60.0  # s; a dead server's leases run out after 30


@pytest.fixture(scope="module")
def made() -> Iterator[Accounts]:
    """A PostgreSQL whose commits are durable, with both accounts."""
    with postgres.cluster("max_connections=100") as server:
        yield accounts(server)


@pytest.fixture
def program(made: Accounts) -> Iterator[Store]:
    """The store, opened with the program's account."""
    store = Store(made.program)
    yield store
    store.close()


# -- the accounts of PostgreSQL


def test_the_program_works_without_the_owner_s_rights(program: Store) -> None:
    async def story() -> None:
        lin = await staff(program, "lin")
        await take(program, said("1", user="accounts"))
        await program.note(lin, "a.b", "c/1")
        await program.finish([went_well(delivery) for delivery in await program.lease_deliveries("s", 8)])

    asyncio.run(story())
    assert program.audit.verify().fault is None
    for forbidden in ("UPDATE audit SET why = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM migrations"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            now(program, lambda c, sql=forbidden: c.execute(sql))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        now(program, lambda c: c.execute("CREATE TABLE mine (a INTEGER)"))


def test_a_schema_that_is_behind_is_said_plainly_to_the_program(made: Accounts) -> None:
    url = made.cluster.create("behind")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("GRANT CONNECT ON DATABASE behind TO labor_bot")
    with pytest.raises(StoreUnavailable, match="run labor-bot migrate as the owner"):
        Postgres(url.replace("postgres@", "labor_bot@")).migrate()
    migrate(made)  # can be run again


# -- dumps


def counts(url: str) -> dict[str, int]:
    """Rows of each table."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = {}
        for (name,) in names:
            row = connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
            found[name] = row[0] if row else -1
        return found


def pg(program: str, *words: str) -> None:
    """One of PostgreSQL's own programs."""
    subprocess.run([tool(program), *words], check=True, stdout=subprocess.DEVNULL)


def filled(url: str, who: str) -> str:
    """Conversations, an account and an audit trail; the head of the trail."""
    store = Store(url)

    async def story() -> None:
        chen = await staff(store, who)
        for n in range(20):
            await take(store, said(f"{who}-{n}", f"hello {n}", user=f"{who}{n}"))
            await store.note(chen, "case.open", f"case/{n}")

    asyncio.run(story())
    head = store.audit.verify().head
    store.close()
    return head


def goes_on(url: str, head: str, who: str) -> None:
    """The chain is whole, known events stay known, and new ones are numbered on."""
    store = Store(url)
    try:
        verified = store.audit.verify()
        assert (verified.fault, verified.head) == (None, head)
        assert not asyncio.run(store.accept([said(f"{who}-0", "hello 0", user=f"{who}0")]))[0].new
        assert asyncio.run(store.accept([said("after", user="somebody new")]))[0].new
        assert now(store, lambda c: c.one("SELECT count(*) AS n FROM conversations"))["n"] > 20
    finally:
        store.close()


def test_a_dump_put_back_is_the_database(made: Accounts, tmp_path: Path) -> None:
    head = filled(made.program, "dumped")
    before = counts(made.owner)
    pg("pg_dump", "-Fc", "-f", str(tmp_path / "dump"), "-d", made.owner)
    url = made.cluster.create("restored")
    pg("pg_restore", "--exit-on-error", "--single-transaction", "-d", url, str(tmp_path / "dump"))
    assert counts(url) == before
    goes_on(url, head, "dumped")
    put_back = url.replace("postgres@", "labor_bot@")  # grants came with it
    with psycopg.connect(put_back) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM audit")


def test_a_base_backup_starts_as_the_database(made: Accounts) -> None:
    head = filled(made.program, "copied")
    before = counts(made.owner)
    with postgres.cluster() as other:
        other.stop()
        folder = other.folder / "data"
        shutil.rmtree(folder)
        other._run(
            tool("pg_basebackup"), "-h", str(made.cluster.folder), "-U", "postgres", "-D", str(folder), "-c", "fast"
        )
        other._run(tool("pg_verifybackup"), str(folder))
        other.start()
        assert counts(other.url("labor_bot")) == before
        goes_on(other.url("labor_bot"), head, "copied")


# -- the proxy alone, before servers that say what they got


class Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def browser(front: Proxy) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who comes over https and trusts this certificate."""
    connector = aiohttp.TCPConnector(resolver=Here(), ssl=front.trust())
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as session:
        yield session
    await asyncio.sleep(0.3)  # TLS takes its leave after the session


@asynccontextmanager
async def upstream(handler: object, port: int) -> AsyncIterator[None]:
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def announced(front: Proxy, size: int) -> bytes:
    """How a body of this size is answered before any of it was sent."""
    raw = socket.create_connection(("127.0.0.1", front.port), 5)
    with front.trust().wrap_socket(raw, server_hostname=NAME) as tls:
        tls.sendall(f"POST /webhook/line HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {size}\r\n\r\n".encode())
        return tls.recv(200)


@behind_nginx
def test_what_the_proxy_passes_on(tmp_path: Path) -> None:
    from conftest import free_port

    alive, dead = free_port(), free_port()
    read = asyncio.Event()  # the stream goes on until the reader has what was written

    async def echo(request: web.Request) -> web.StreamResponse:
        if request.path == "/chat/events":
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            await stream.write(b"data: first\n\n")
            await read.wait()
            return stream
        body = await request.read()
        return web.json_response(
            {"size": len(body), "host": request.host, **{k.lower(): v for k, v in request.headers.items()}}
        )

    async def story(front: Proxy) -> None:
        async with upstream(echo, alive), browser(front) as session:
            forged = {"X-Forwarded-For": "1.2.3.4", "Proxy": "evil"}
            for _ in range(4):  # half of them meet the dead one first
                async with session.get(f"{front.url}/desk", headers=forged) as answer:
                    got = await answer.json()
                    assert got["x-forwarded-for"] == "127.0.0.1"
                    assert got["host"] == f"{NAME}:{front.port}"
                    assert "proxy" not in got
                    assert "nginx/" not in answer.headers["Server"]
            async with session.post(f"{front.url}/webhook/line", data=io.BytesIO(b"x" * 2_000_000)) as answer:
                assert (await answer.json())["size"] == 2_000_000
            for inside in ("/healthz", "/readyz", "/metrics"):
                async with session.get(front.url + inside) as answer:
                    assert answer.status == 404
            async with session.get(f"{front.url}/chat/events") as stream, asyncio.timeout(30):
                assert await stream.content.readline() == b"data: first\n"
                read.set()
            plain = f"http://{NAME}:{front.plain_port}/privacy"
            async with session.get(plain, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}/privacy")
            posted = f"http://{NAME}:{front.plain_port}/webhook/line"
            async with session.post(posted, data=b"{}", allow_redirects=False) as answer:
                assert answer.status == 403

    with proxy(tmp_path / "nginx", [dead, alive]) as front:
        asyncio.run(story(front))
        with socket.create_connection(("127.0.0.1", front.port), 5) as raw, pytest.raises(ssl.SSLError):
            front.trust().wrap_socket(raw, server_hostname="other.example")
        assert b" 413 " in announced(front, 2_200_000)


def test_the_proxy_lets_connections_go_before_the_servers_do() -> None:
    import uvicorn
    from deploying import DEPLOY

    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    upstream_block = text[text.index("upstream labor_bot") :]
    found = re.search(r"keepalive_timeout (\d+)s", upstream_block)
    assert found
    assert int(found[1]) < uvicorn.Config("x").timeout_keep_alive


# -- two servers behind it


@pytest.fixture
def town(made: Accounts, tmp_path: Path) -> Iterator[tuple[Proxy, list[Web]]]:
    """Two servers that were started at the same moment, and nginx in front."""
    settings = {**SETTINGS, "LABOR_BOT_DATABASE_URL": made.program}
    with webs(tmp_path, 2, settings) as servers, proxy(tmp_path / "nginx", [one.port for one in servers]) as front:
        yield front, servers


@dataclass
class Visitor:
    """One person in a browser; insists until a message was taken."""

    session: aiohttp.ClientSession
    front: Proxy
    sent: list[str] = field(default_factory=list)
    insisted: int = 0

    @property
    def token(self) -> str:
        return next(cookie.value for cookie in self.session.cookie_jar if cookie.key == "labor_chat")

    @property
    def events(self) -> list[str]:
        """The ids of what was taken, as the store has them."""
        user = hashlib.sha256(self.token.encode()).hexdigest()[:16]
        return [f"{user}:{one}" for one in self.sent]

    async def say(self, text: str, base: str = "") -> None:
        """Sent again with the same id as long as nobody said that it was taken."""
        name = uuid.uuid4().hex
        where = f"{base or self.front.url}/chat/send"
        headers = {**JSON, "Cookie": f"labor_chat={self.token}"} if base else JSON
        while True:
            try:
                async with self.session.post(where, data={"text": text, "id": name}, headers=headers) as answer:
                    if answer.status == 202:
                        self.sent.append(name)
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.insisted += 1
            await asyncio.sleep(0.1)


def nothing_waits(store: Store) -> bool:
    """Of those who came by the web: all was taken, answered and delivered."""
    web = "SELECT 1 FROM addresses a WHERE a.conversation_id = c.id AND a.channel = 'web'"
    return not rows(store, f"SELECT 1 FROM conversations c WHERE (pending > 0 OR outgoing > 0) AND EXISTS ({web})")


async def settled(store: Store) -> None:
    """Until everything was answered and delivered."""
    async with asyncio.timeout(TAKEN_OVER):
        while not nothing_waits(store):  # noqa: ASYNC110 - the other processes do not tell us
            await asyncio.sleep(0.2)


@behind_nginx
def test_a_stream_at_one_server_shows_what_was_said_at_the_other(town: tuple[Proxy, list[Web]]) -> None:
    front, (one, two) = town

    async def story() -> None:
        async with browser(front) as session:
            visitor = Visitor(session, front)
            async with session.get(f"{front.url}/") as page:
                cookie = page.headers["Set-Cookie"]
                assert "Secure" in cookie
                assert "HttpOnly" in cookie
                assert "strict-transport-security" in page.headers
            await visitor.say("你好")
            own = {"Cookie": f"labor_chat={visitor.token}"}
            async with asyncio.timeout(20), session.get(f"{one.url}/chat/events", headers=own) as stream:
                for n in range(3):
                    began = time.monotonic()
                    await visitor.say(f"尋職津貼怎麼申請 {n * 'z'}", two.url)
                    await seen(stream, f"尋職津貼怎麼申請 {n * 'z'}".strip())
                    await seen(stream, "by-bot")
                    assert time.monotonic() - began < 5, "only a poll brought it"
            async with session.get(f"{front.url}/") as page:
                assert (await page.text()).count("尋職津貼怎麼申請") >= 3

    asyncio.run(story())


async def seen(stream: aiohttp.ClientResponse, words: str) -> None:
    async for line in stream.content:
        if words in line.decode():
            return
    raise AssertionError(f"{words} never came")


@behind_nginx
def test_one_server_is_killed_and_nobody_loses_a_word(town: tuple[Proxy, list[Web]], program: Store) -> None:
    front, (one, two) = town
    waited: list[float] = []

    async def person(visitor: Visitor) -> None:
        for n in range(EACH):
            await visitor.say(SAID[n % len(SAID)])

    async def story(visitors: list[Visitor]) -> None:
        for visitor in visitors:
            async with visitor.session.get(f"{front.url}/"):
                pass
        talking = [asyncio.create_task(person(visitor)) for visitor in visitors]
        while sum(len(visitor.sent) for visitor in visitors) < VISITORS * EACH // 3:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await asyncio.to_thread(one.kill)
        began = time.monotonic()
        await asyncio.gather(*talking)
        await settled(program)
        waited.append(time.monotonic() - began)

    async def all_of_it() -> list[Visitor]:
        from contextlib import AsyncExitStack

        async with AsyncExitStack() as stack:
            visitors = [Visitor(await stack.enter_async_context(browser(front)), front) for _ in range(VISITORS)]
            await story(visitors)
            for visitor in visitors:
                heard = rows(
                    program,
                    "SELECT m.event_id FROM messages m JOIN addresses a ON a.id = m.address_id"
                    " WHERE a.user_id = :user AND m.author = 'citizen' ORDER BY m.seq",
                    user=hashlib.sha256(visitor.token.encode()).hexdigest(),
                )
                assert [event for (event,) in heard] == visitor.events
            return visitors

    visitors = asyncio.run(all_of_it())
    insisted = sum(visitor.insisted for visitor in visitors)
    print(
        f"\n{VISITORS * EACH} messages, one server killed: all taken once, in order; sent again: {insisted};"
        f" everything answered {waited[0]:.1f} s after the kill"
    )
    assert two.ready()
    one.start()
    one.wait()


@behind_nginx
def test_a_server_that_is_asked_to_stop_leaves_in_time(town: tuple[Proxy, list[Web]]) -> None:
    from deploying import DEPLOY

    front, (one, _) = town
    unit = (DEPLOY / "systemd" / "labor-bot.service").read_text("utf-8")
    limit = re.search(r"TimeoutStopSec=(\d+)", unit)
    assert limit

    async def story() -> float:
        async with browser(front) as session:
            visitor = Visitor(session, front)
            async with session.get(f"{front.url}/"):
                pass
            await visitor.say("你好")
            own = {"Cookie": f"labor_chat={visitor.token}"}
            async with session.get(f"{one.url}/chat/events", headers=own):
                assert one.process is not None
                began = time.monotonic()
                one.process.terminate()
                while one.process.poll() is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                took = time.monotonic() - began
            await visitor.say("menu")  # the other one is there
            return took

    took = asyncio.run(story())
    print(f"\nstopped {took:.1f} s after it was asked to")
    assert took < int(limit[1]) - 5
