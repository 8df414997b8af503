"""`casemate encryption`: counting what is sealed, and sealing it anew, whatever happens meanwhile."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from tests.running import casemate, server

from casemate.cli.encryption import worn
from casemate.keys import WORN, Keyring
from casemate.sealed import envelope, opened, sealed_in
from casemate.secret import Secret
from casemate.store import Database
from casemate.store.envelopes import PLACES
from casemate.store.schema import metadata

OLD = Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")
NEW = Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")
BEFORE = Keyring({"default": OLD}, "default", named=False)
AFTER = Keyring({"new": NEW}, "new", named=True)

ALONE = f"kestra: {{encryption: {{secret-key: '{OLD.reveal()}'}}}}"
BOTH = (
    f"kestra: {{encryption: {{secret-key: '{OLD.reveal()}', "
    f"keys: [{{id: new, secret: '{NEW.reveal()}', primary: true}}]}}}}"
)
LATER = f"kestra: {{encryption: {{keys: [{{id: new, secret: '{NEW.reveal()}', primary: true}}]}}}}"

FLOW = """
id: kept
namespace: tests.cli
inputs:
  - {id: token, type: SECRET}
tasks:
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.token | length }}"}
outputs:
  - {id: kept, type: SECRET, value: "{{ inputs.token }}"}
"""


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "conf.yml"
        file.write_text(text)
        file.chmod(0o600)
        return file

    return write


def ran(command: str, state: Path, configuration: Path):
    return casemate("encryption", command, "-c", configuration, "--state", state)


def test_what_a_server_has_stored_is_counted_rotated_and_read_with_the_new_key(tmp_path: Path, configured):
    state, old = tmp_path / "state", configured(ALONE)
    with server(state, "-c", str(old)) as running:
        running.save(FLOW)
        first = _started(running)
        assert running.until_ended(first)["state"]["current"] == "SUCCESS"
        refused = ran("rotate", state, old)
        assert refused.returncode == 1
        assert "stop the server first" in refused.stderr
    assert ran("status", state, old).stdout.splitlines()[-1] == "all  default  2"
    rotated = ran("rotate", state, configured(BOTH))
    assert rotated.returncode == 0, rotated.stderr
    assert "2 values are under the key new, 2 of them since now" in rotated.stdout
    with server(state, "-c", str(configured(LATER))) as running:
        copy = _replayed(running, first)
        assert running.until_ended(copy)["state"]["current"] == "SUCCESS"


HOOKED = """
id: hooked
namespace: tests.cli
tasks:
  - {id: say, type: io.kestra.plugin.core.debug.Return, format: "{{ trigger.body }}"}
triggers:
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: open}
"""


def test_what_others_make_up_does_not_look_like_something_that_was_lost(tmp_path: Path, configured):
    state, configuration = tmp_path / "state", configured(ALONE)
    junk = {"made": [envelope(AFTER.seal("x"))]}
    with server(state, "-c", str(configuration)) as running:
        running.save(HOOKED)
        hook = f"{running.api}/executions/webhook/tests.cli/hooked/open"
        running.until_ended(requests.post(hook, json=junk, timeout=60).json()["id"])
        store = f"{running.api}/namespaces/tests.cli/kv/made"
        assert requests.put(store, data=json.dumps(junk), headers={"Content-Type": "text/plain"}, timeout=30).ok
    for command in ("status", "rotate"):
        done = ran(command, state, configuration)
        assert (done.returncode, "no configured key" in done.stdout + done.stderr) == (0, False), done


def _started(running) -> str:
    answer = requests.post(
        f"{running.api}/executions/tests.cli/kept", files={"token": (None, "opensesame")}, timeout=60
    )
    assert answer.ok, answer.text
    return answer.json()["id"]


def _replayed(running, execution: str) -> str:
    answer = requests.post(f"{running.api}/executions/{execution}/actions/replay", timeout=60)
    assert answer.ok, answer.text
    return answer.json()["id"]


def test_without_a_key_or_a_database_it_says_so(tmp_path: Path, configured):
    nothing = ran("status", tmp_path / "none", configured(ALONE))
    assert (nothing.returncode, "there is no database" in nothing.stderr) == (2, True)
    keyless = ran("rotate", tmp_path / "none", configured("kestra: {}"))
    assert (keyless.returncode, "no encryption key is configured" in keyless.stderr) == (2, True)
    assert not (tmp_path / "none").exists()


def test_what_no_key_opens_is_counted_and_left(tmp_path: Path, configured):
    Database.open(f"sqlite:///{tmp_path}/casemate.db").close()
    _filled(tmp_path, 10)
    assert "(no configured key)  50" in ran("status", tmp_path, configured(LATER)).stdout
    left = ran("rotate", tmp_path, configured(LATER))
    assert left.returncode == 1
    assert "no configured key opens 50 values" in left.stderr
    assert ran("rotate", tmp_path, configured(BOTH)).returncode == 0


def test_a_key_that_has_sealed_too_much_is_named():
    assert worn({"old": WORN, "new": WORN - 1, "": WORN, "older": 2**40}) == ["old", "older"]


def test_nothing_is_left_of_what_the_old_key_sealed(tmp_path: Path, configured):
    Database.open(f"sqlite:///{tmp_path}/casemate.db").close()
    _filled(tmp_path, 2_000)
    with closing(sqlite3.connect(tmp_path / "casemate.db")) as db:
        documents = [json.loads(row[0]) for row in db.execute("SELECT document FROM task_runs LIMIT 50")]
    old = {cipher for document in documents for cipher in _ciphers(document)}
    assert len(old) > 100
    assert ran("rotate", tmp_path, configured(BOTH)).returncode == 0
    files = [file for file in tmp_path.glob("casemate.db*") if file.is_file()]
    content = b"".join(file.read_bytes() for file in files)
    assert [cipher for cipher in old if cipher.encode() in content] == [], files


def _ciphers(value: object) -> Iterator[str]:
    if sealed := sealed_in(value):
        yield sealed.cipher
    elif isinstance(value, dict):
        for one in value.values():
            yield from _ciphers(one)
    elif isinstance(value, list):
        for one in value:
            yield from _ciphers(one)


def test_every_column_that_may_hold_an_envelope_is_looked_through():
    named = {place.name for place in PLACES}
    never = {
        *("executions.labels", "kv.type", "kv.description", "metrics.tags", "logs.message"),
        *("kill_switches.document", "banners.message", "triggers.definition"),
    }
    telling = ("document", "body", "reply", "value", "outputs", "inputs", "backfill", "message", "definition")
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name in telling and column.type.python_type is str
    }
    assert found - never == named


@pytest.mark.slow
def test_a_hundred_thousand_envelopes_are_rotated_though_it_is_killed_three_times(tmp_path: Path, configured):
    Database.open(f"sqlite:///{tmp_path}/casemate.db").close()
    _filled(tmp_path, 20_000)
    configuration = configured(BOTH)
    for row in (2_000, 8_000, 14_000):
        _killed_after(tmp_path, configuration, row)
        assert not _is_renewed(tmp_path, 19_999)
    done = ran("rotate", tmp_path, configuration)
    assert done.returncode == 0, done.stderr
    assert "100000 values are under the key new" in done.stdout
    assert {opened(value, AFTER.unseal)["password"] for value in _outputs(tmp_path)} == {"opensesame"}
    assert "100000 values are under the key new, 0 of them since now" in ran("rotate", tmp_path, configuration).stdout


def _filled(state: Path, runs: int) -> None:
    """Task runs with five envelopes each."""
    values = [json.dumps({"outputs": dict(_sealed())}) for _ in range(50)]
    rows = [
        ("main", f"e{number // 10:06}", f"t{number:06}", number, "SUCCESS", values[number % 50])
        for number in range(runs)
    ]
    with closing(sqlite3.connect(state / "casemate.db")) as connection, connection:
        connection.executemany("INSERT INTO task_runs VALUES (?, ?, ?, ?, ?, ?)", rows)


def _sealed() -> Iterator[tuple[str, object]]:
    yield "password", envelope(BEFORE.seal("opensesame"))
    yield from ((f"more{number}", [envelope(BEFORE.seal(f"value {number}"))]) for number in range(4))


def _killed_after(state: Path, configuration: Path, row: int) -> None:
    command = [sys.executable, "-m", "casemate", "encryption", "rotate", "-c", configuration, "--state", state]
    rotating = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not _is_renewed(state, row) and rotating.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    rotating.kill()
    rotating.wait()


def _is_renewed(state: Path, row: int) -> bool:
    query = "SELECT instr(document, '\"kid\"') FROM task_runs WHERE tenant = 'main' AND execution = ? AND id = ?"
    with closing(sqlite3.connect(f"file:{state}/casemate.db?mode=ro", uri=True)) as connection:
        return connection.execute(query, (f"e{row // 10:06}", f"t{row:06}")).fetchone()[0] > 0


def _outputs(state: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(f"file:{state}/casemate.db?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT document FROM task_runs").fetchall()
    return [json.loads(row[0])["outputs"] for row in rows]
