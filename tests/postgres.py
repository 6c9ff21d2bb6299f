"""A real PostgreSQL for the tests: a cluster of their own in a temporary folder, a database for each store."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
TEMPLATE = "template_labor_bot"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest one; None where there is no PostgreSQL."""
    if found := shutil.which("pg_ctl"):
        return Path(found).parent
    folders = [folder for place in PLACES for folder in Path("/").glob(place[1:]) if (folder / "pg_ctl").exists()]
    return max(folders, key=lambda folder: folder.parent.name, default=None)


class Cluster:
    """One server on a socket in its folder; as root it runs as the account `postgres`, as PostgreSQL demands."""

    def __init__(self, folder: Path, bin_folder: Path, *settings: str) -> None:
        self.folder, self._bin = folder, bin_folder
        self._account = "postgres" if os.geteuid() == 0 else None
        if self._account:
            shutil.chown(folder, self._account)
        self._settings = settings
        self._run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start it, or start it again; returns when it takes connections."""
        settings = " ".join(f"-c {setting}" for setting in ("listen_addresses=", *self._settings))
        self._run(
            *("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w"),
            *("-o", f"-k {self.folder} {settings}", "start"),
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it: fast breaks connections, immediate is as good as a crash."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def url(self, name: str) -> str:
        """Where a database of it is."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, name: str, template: str = "template0") -> str:
        """A new database, made from a template; its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def store(self, path: Path) -> str:
        """The database that stands for a file of this path, made when it is asked for first."""
        name = "t_" + hashlib.sha256(str(path).encode()).hexdigest()[:20]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if TEMPLATE not in names:
            from bot.store.postgres import Postgres

            Postgres(self.create(TEMPLATE)).migrate()
        return self.url(name) if name in names else self.create(name, TEMPLATE)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [str(self._bin / program), *words], check=True, user=self._account, stdout=subprocess.DEVNULL, cwd="/"
        )


@contextmanager
def cluster(*settings: str) -> Iterator[Cluster]:
    """A server of the caller's own, gone afterwards."""
    folder = programs()
    assert folder is not None, "no PostgreSQL here"
    with tempfile.TemporaryDirectory(prefix="pg") as place:
        server = Cluster(Path(place), folder, *settings)
        try:
            yield server
        finally:
            server.stop("immediate")
