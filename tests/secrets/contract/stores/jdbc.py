"""Casemate's own database, on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
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

    return Store(open=opened_with, wrong=refusing, at=nowhere, credentials=(RIGHT, WRONG), longest=500_000)
