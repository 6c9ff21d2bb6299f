"""What stands in deploy/, run: PostgreSQL with its two accounts, the real servers, and nginx with our own file."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import postgres
from conftest import free_port

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
LABOR_BOT = Path(sys.executable).parent / "labor-bot"
START_LIMIT = 100.0
NAME = "bot.example.gov.tw"


def tool(name: str) -> str:
    """One of PostgreSQL's own programs: beside the server where that is, else on the path."""
    folder = postgres.programs()
    assert folder is not None
    beside = (folder / "pg_ctl").resolve().parent / name
    return str(beside) if beside.exists() else name


@dataclass
class Accounts:
    """A database made by roles.sql, migrated by its owner, and granted to the program by grants.sql."""

    cluster: postgres.Cluster
    owner: str
    program: str

    def psql(self, file: Path, url: str, *variables: str) -> None:
        """Run one file as it is documented."""
        given = [word for variable in variables for word in ("-v", variable)]
        command = [tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *given, "-d", url, "-f", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def accounts(cluster: postgres.Cluster) -> Accounts:
    """Everything that stands before the first start."""
    urls = [f"postgresql://{role}@/labor_bot?host={cluster.folder}" for role in ("labor_bot_owner", "labor_bot")]
    made = Accounts(cluster, *urls)
    roles = ("owner_password=o", "program_password=it's")
    made.psql(DEPLOY / "postgresql" / "roles.sql", cluster.url("postgres"), *roles)
    migrate(made)
    return made


def migrate(made: Accounts) -> None:
    """The two steps before servers of a new version start."""
    run("migrate", LABOR_BOT_DATABASE_URL=made.owner)
    made.psql(DEPLOY / "postgresql" / "grants.sql", made.owner)


def run(*words: str, **settings: str) -> str:
    """One command of ours to its end; what it prints."""
    done = subprocess.run([LABOR_BOT, *words], env={**os.environ, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Web:
    """One server in a process of its own."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is without the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns at once; `wait` waits."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [LABOR_BOT, "serve", "--port", str(self.port)],
                env={**os.environ, "LABOR_BOT_DATA_DIR": str(self.folder), **self.settings},
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Until it takes messages."""
        assert self.process is not None
        until = time.monotonic() + START_LIMIT
        while not self.ready():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def ready(self) -> bool:
        """Does it say so itself?"""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def log(self) -> str:
        """The end of its log."""
        return (self.folder / "log").read_text()[-3000:]

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()

    def __enter__(self) -> Web:
        return self


@contextmanager
def webs(folder: Path, number: int, settings: dict[str, str]) -> Iterator[list[Web]]:
    """Servers that were started at the same moment."""
    with ExitStack() as stack:
        made = [stack.enter_context(Web(folder / f"web{n}", settings)) for n in range(number)]
        for web in made:
            web.start()
        for web in made:
            web.wait()
        yield made


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The text with other values in place; each must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


@dataclass
class Proxy:
    """A running nginx and where it is."""

    port: int
    plain_port: int
    certificate: Path

    @property
    def url(self) -> str:
        """The address that visitors use; they find it by `resolver`."""
        return f"https://{NAME}:{self.port}"

    def trust(self) -> ssl.SSLContext:
        """Trusts its certificate and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificate)
        return context


@contextmanager
def proxy(folder: Path, upstreams: Sequence[int]) -> Iterator[Proxy]:
    """nginx with deploy/nginx.conf: only names, ports and paths are others."""
    assert NGINX is not None
    folder.mkdir()
    running = Proxy(free_port(), free_port(), _certificate(folder))
    (folder / "nginx.conf").write_text(_configuration(folder, running, upstreams))
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    process = subprocess.Popen([*command, "-g", _globals(folder)])
    try:
        _listening(running.port, process)
        yield running
    finally:
        process.terminate()
        process.wait(10)


def _globals(folder: Path) -> str:
    return "daemon off;" + (" user root;" if os.geteuid() == 0 else "")


def _configuration(folder: Path, running: Proxy, upstreams: Sequence[int]) -> str:
    text = replaced(
        (DEPLOY / "nginx.conf").read_text("utf-8"),
        ("pid /run/nginx.pid;", f"pid {folder}/nginx.pid;"),
        ("error_log stderr warn;", f"error_log {folder}/error.log warn;"),
        ("include mime.types;", "types { text/html html; }\n" + _temporary(folder)),
        ("worker_processes auto;", "worker_processes 1;"),
        ("worker_connections 8192;", "worker_connections 512;"),
        ("listen 80", f"listen 127.0.0.1:{running.plain_port}"),
        ("listen 443", f"listen 127.0.0.1:{running.port}"),
        ("/etc/nginx/tls/", f"{folder}/"),
    )
    for number, port in enumerate(upstreams):
        text = replaced(text, (f"server 10.77.0.1{number + 1}:8000", f"server 127.0.0.1:{port}"))
    return text


def _temporary(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in kinds)


def _certificate(folder: Path) -> Path:
    file = folder / "fullchain.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(folder / "key.pem"), "-out", str(file)),
        ],
        check=True,
        capture_output=True,
    )
    return file


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    until = time.monotonic() + 10
    while True:
        assert process.poll() is None, "nginx ended"
        assert time.monotonic() < until
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
