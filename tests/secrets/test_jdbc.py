"""Secrets in Casemate's own database."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.secrets.shelf import at

from casemate.secret import Secret
from casemate.secrets import Backend, BackendFailed, Entry, InvalidOptions, opened
from casemate.store import Database, secrets

KEY = "a secret of thirty-two characters"
VALUE = "canary-of-a-value-31Zp"


@pytest.fixture
def database(tmp_path: Path):
    database = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    yield database
    database.close()


def jdbc(database: Database, secret: str = KEY) -> Backend:
    return opened("jdbc", {"secret": secret}, read_only=False, at="kestra.secret.jdbc", database=database)


def value(backend: Backend, namespace: str = "a.b", name: str = "K") -> str | None:
    found = backend.read(at(namespace, name))
    return None if found is None else found.value.reveal()


def test_what_is_kept_is_there_for_the_next_who_opens_the_database(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    jdbc(database).write(Entry(address=at("a.b", "K")), Secret(VALUE))
    database.close()
    again = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    assert value(jdbc(again)) == VALUE
    again.close()


def test_no_value_is_on_the_disk(database, tmp_path):
    jdbc(database).write(Entry(address=at("a.b", "K"), description="words", tags={"team": "blue"}), Secret(VALUE))
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(b"words" in content for content in files)
    assert not any(VALUE.encode() in content or VALUE.encode().hex().encode() in content for content in files)


@pytest.mark.parametrize("place", [("a.b", "OTHER"), ("a", "K"), ("x.y", "K")])
def test_a_row_that_is_copied_elsewhere_does_not_open(database, place):
    store = jdbc(database)
    store.write(Entry(address=at("a.b", "K")), Secret(VALUE))
    row = database.read_now(secrets.get, "main", "a.b", "K")
    namespace, name = place
    moved = secrets.SealedSecret(
        tenant=row.tenant, namespace=namespace, name=name, kid=row.kid, sealed=row.sealed, tags={}
    )
    database.transact_now(secrets.put, moved)
    with pytest.raises(BackendFailed, match="does not open"):
        store.read(at(namespace, name))


def test_another_key_is_told_by_its_id(database):
    jdbc(database).write(Entry(address=at("a.b", "K")), Secret(VALUE))
    with pytest.raises(BackendFailed, match="was sealed with key") as failed:
        jdbc(database, "quite another secret of enough text").read(at("a.b", "K"))
    assert VALUE not in str(failed.value)
    assert KEY not in str(failed.value)


def test_a_short_key_is_refused_without_being_quoted(database):
    with pytest.raises(InvalidOptions, match=r"kestra\.secret\.jdbc\.secret: .*at least 32 characters") as refused:
        jdbc(database, "too-short-a-key")
    assert "too-short-a-key" not in str(refused.value)


def test_without_a_database_there_is_no_such_store():
    with pytest.raises(InvalidOptions, match="none is open here"):
        opened("jdbc", {"secret": KEY}, read_only=False, at="kestra.secret.jdbc")


def test_a_database_that_is_closed_does_not_answer(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    store = jdbc(database)
    database.close()
    for ask in (lambda: store.read(at("a", "K")), lambda: store.write(Entry(address=at("a", "K")), Secret("x"))):
        with pytest.raises(BackendFailed, match="does not answer") as failed:
            ask()
        assert failed.value.passing
