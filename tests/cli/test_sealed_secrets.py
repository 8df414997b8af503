"""`casemate encryption` and the secrets that we seal: counted by their keys, and sealed anew though it is killed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import yaml
from tests.postgres import OWNER, running_postgres
from tests.running import casemate

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets import Address, Entry, opened
from casemate.secrets.sealing import Seal
from casemate.store import Database

OLD = "the secret that was in use until now"
NEW = "the secret that is in use from now on"
OLD_KID, NEW_KID = (Seal(Secret(text)).kid for text in (OLD, NEW))
KEY = "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="
MANY = 5_000


@dataclass(frozen=True)
class Rows:
    """A table of secrets from outside. `options` are those of `kestra.secret.jdbc` that lead there."""

    table: str
    mark: str
    connect: Callable[[], Any]
    options: dict[str, object]

    def fill(self) -> None:
        """Many secrets under the old key."""
        seal = Seal(Secret(OLD))
        values = ", ".join([self.mark] * 6)
        insert = f"INSERT INTO {self.table} (tenant, namespace, name, kid, sealed, tags) VALUES ({values})"
        with closing(self.connect()) as connection, connection, closing(connection.cursor()) as cursor:
            cursor.executemany(insert, [_row(seal, number) for number in range(MANY)])

    def renewed(self) -> int:
        """How many are under the new key."""
        query = f"SELECT count(*) FROM {self.table} WHERE kid = {self.mark}"
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            return cursor.execute(query, (NEW_KID,)).fetchone()[0]


def _row(seal: Seal, number: int) -> Sequence[str]:
    address = _address(number)
    sealed = seal.sealed(address, Secret(f"value {number}"))
    return address.tenant, address.namespace, address.name, sealed.kid, sealed.text, "{}"


def _address(number: int) -> Address:
    return Address(tenant=MAIN, namespace=Namespace("a.b"), name=f"K{number:05}")


def sqlite(state: Path) -> Rows:
    """The database of the instance."""
    return Rows("secrets", "?", lambda: sqlite3.connect(state / "casemate.db"), {})


def postgresql(_state: Path) -> Rows:
    """One of their own."""
    server, schema = running_postgres(), f"s_{uuid4().hex[:12]}"
    options = {**server.options, "schema": schema}
    backend = opened("jdbc", {"secret": OLD, **options}, read_only=False, at="at")
    backend.entries(MAIN, None)
    backend.close()
    where = f"host={server.folder} port={server.port} user={OWNER} dbname=casemate"
    return Rows(f"{schema}.secrets", "%s", lambda: psycopg.connect(where), options)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """With a database."""
    Database.open(f"sqlite:///{tmp_path}/casemate.db").close()
    return tmp_path


@pytest.fixture(params=[sqlite, postgresql], ids=lambda place: place.__name__)
def rows(request: pytest.FixtureRequest, state: Path) -> Rows:
    return request.param(state)


def configured(state: Path, jdbc: dict[str, object], **more: object) -> Path:
    file = state / "conf.yml"
    file.write_text(yaml.safe_dump({"kestra": {"secret": {"type": "jdbc", "jdbc": jdbc}, **more}}))
    file.chmod(0o600)
    return file


def ran(command: str, state: Path, file: Path):
    return casemate("encryption", command, "-c", file, "--state", state)


def test_secrets_are_sealed_anew_though_it_is_killed(rows: Rows, state: Path):
    rows.fill()
    file = configured(state, {"secret": NEW, "former-secrets": [OLD], **rows.options})
    _killed_on_the_way(rows, state, file)
    renewed = rows.renewed()
    assert 0 < renewed < MANY
    counted = ran("status", state, file)
    assert sorted(counted.stdout.splitlines()[:2]) == sorted(
        [f"kestra.secret.jdbc  {OLD_KID}  {MANY - renewed}", f"kestra.secret.jdbc  {NEW_KID}  {renewed}"]
    )
    told = f"✓ {MANY} secrets are under the key {NEW_KID} of kestra.secret.jdbc"
    assert ran("rotate", state, file).stdout.splitlines() == [f"{told}, {MANY - renewed} of them since now"]
    again = ran("rotate", state, file)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines() == [f"{told}, 0 of them since now"]
    _all_are_read(rows, state)


def _killed_on_the_way(rows: Rows, state: Path, file: Path) -> None:
    command = [sys.executable, "-m", "casemate", "encryption", "rotate", "-c", str(file), "--state", str(state)]
    rotating = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not rows.renewed() and rotating.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    rotating.kill()
    rotating.wait()


def _all_are_read(rows: Rows, state: Path) -> None:
    database = Database.open(f"sqlite:///{state}/casemate.db")
    backend = opened("jdbc", {"secret": NEW, **rows.options}, read_only=True, at="at", database=database)
    for number in range(0, MANY, 7):
        assert backend.read(_address(number)).value == Secret(f"value {number}")
    backend.close()
    database.close()


def test_values_and_secrets_have_keys_of_their_own(state: Path):
    database = Database.open(f"sqlite:///{state}/casemate.db")
    for secret, name in ((OLD, "K"), ("of a key that nobody has any more", "LOST")):
        backend = opened("jdbc", {"secret": secret}, read_only=False, at="at", database=database)
        backend.write(Entry(address=Address(tenant=MAIN, namespace=Namespace("a.b"), name=name)), Secret("value"))
    database.close()
    file = configured(state, {"secret": NEW, "former-secrets": [OLD]}, encryption={"secret-key": KEY})
    rotated = ran("rotate", state, file)
    assert rotated.returncode == 1
    assert rotated.stdout == "✓ 0 values are under the key default, 0 of them since now\n"
    assert rotated.stderr == "casemate: no key of kestra.secret.jdbc opens 1 secret: left as found\n"
    counted = ran("status", state, file)
    assert counted.returncode == 1
    assert counted.stdout.splitlines() == [
        "kestra.secret.jdbc  (no configured key)  1",
        f"kestra.secret.jdbc  {NEW_KID}  1",
        "all  (no configured key)  1",
        f"all  {NEW_KID}  1",
    ]


def test_a_store_that_does_not_answer_is_told(state: Path):
    file = configured(
        state, {"secret": NEW, "url": "jdbc:postgresql://127.0.0.1:1/none", "username": "me", "password": "hunter2"}
    )
    counted = ran("status", state, file)
    assert counted.returncode not in (0, 130)
    assert "does not answer" in counted.stderr
    assert "hunter2" not in counted.stderr
    assert "Traceback" not in counted.stderr
