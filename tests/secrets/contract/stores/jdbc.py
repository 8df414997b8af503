"""Databases: Casemate's own, on disk, and a real PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from tests.postgres import PASSWORD, PostgreSQL, running_postgres
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened
from casemate.store import Database

RIGHT = "a secret of thirty-two characters"
WRONG = "another one of thirty-two letters"


@contextmanager
def sqlite() -> Iterator[Store]:
    """A new file."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/casemate.db")
        try:
            yield _store(database)
        finally:
            database.close()


@contextmanager
def postgres() -> Iterator[Store]:
    """A server. Instances share a database there, each with a schema of its own."""
    server = running_postgres()
    yield Store(
        open=partial(_opened, server),
        wrong=partial(_opened, server, password=WRONG),
        at=lambda port: _opened(
            server, url=f"jdbc:postgresql://127.0.0.1:{port}/casemate", connect_timeout="1s", read_timeout="1s"
        ),
        credentials=(RIGHT, WRONG, PASSWORD),
        speaks="postgres",
        longest=500_000,
    )


def _opened(server: PostgreSQL, read_only: bool = False, prefix: str = "ours", **further: object) -> Backend:
    written = {
        "secret": RIGHT,
        "schema": prefix,
        **server.options,
        **{name.replace("_", "-"): value for name, value in further.items()},
    }
    return opened("jdbc", written, read_only=read_only, at="kestra.secret.jdbc")


def _store(database: Database) -> Store:
    def opened_with(secret: str = RIGHT, read_only: bool = False, prefix: str = "", **further: object) -> Backend:
        if prefix == "theirs":
            pytest.skip("one database is of one instance")
        written = {"secret": secret, **{name.replace("_", "-"): value for name, value in further.items()}}
        return opened("jdbc", written, read_only=read_only, at="kestra.secret.jdbc", database=database)

    def nowhere(_port: int) -> Backend:
        pytest.skip("a database is no server that can be away")

    def refusing() -> Backend:
        pytest.skip("the key only matters for values: see test_jdbc.py")

    return Store(open=opened_with, wrong=refusing, at=nowhere, credentials=(RIGHT, WRONG), speaks="", longest=500_000)
