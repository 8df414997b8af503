"""`casemate secrets migrate`: all of a store is in the other one, whatever happened meanwhile, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.openbao import ROOT, OpenBao, openbao_running

from casemate.cli.secret_stores import Where, opened
from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets import Address, Entry
from casemate.settings import Service
from casemate.store import Database

CANARY = "canary-of-the-move-3390"
OURS = "kestra: {secret: {type: jdbc, jdbc: {secret: iKj8Wd0NQy2vC4mX7sLzP1bT5gH9rE3a}}}"
AS = Service.WEBSERVER


@pytest.fixture(scope="module")
def bao() -> Iterator[OpenBao]:
    with openbao_running() as running:
        yield running


@pytest.fixture
def engine(bao: OpenBao, tmp_path: Path) -> str:
    return bao.engine(f"kv-{tmp_path.name.replace('_', '-')}", 2)


@pytest.fixture
def vault(bao: OpenBao, engine: str, tmp_path: Path) -> Path:
    return configured(tmp_path / "vault.yml", _vault(bao, engine))


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    Database.open(f"sqlite:///{tmp_path}/state/casemate.db").close()
    return configured(tmp_path / "ours.yml", OURS)


def _vault(bao: OpenBao, engine: str, version: int = 2) -> str:
    options = f"address: '{bao.address}', token: {{token: {ROOT}}}, root-engine: {engine}, engine-version: {version}"
    return f"kestra: {{secret: {{type: vault, vault: {{{options}}}}}}}"


def configured(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o600)
    return file


def filled(configuration: Path, state: Path, *names: str) -> None:
    with opened(Where(config=(configuration,), state=state)) as store:
        for name in names:
            namespace, _, key = name.rpartition("/")
            address = Address(tenant=MAIN, namespace=Namespace(namespace), name=key)
            entry = Entry(address=address, description=f"about {key}", tags={"team": "shop"})
            store.secrets.write(AS, entry, Secret(f"{CANARY} {name}\n"))


def kept(configuration: Path, state: Path) -> dict[str, tuple[str, str | None, dict[str, str]]]:
    """Everything in a store, by namespace and name."""
    with opened(Where(config=(configuration,), state=state)) as store:
        found = {}
        for entry in store.secrets.entries(AS, MAIN, None):
            value = store.secrets.read(AS, entry.address)
            assert value is not None
            name = f"{entry.address.namespace}/{entry.address.name}"
            found[name] = (value.value.reveal(), entry.description, dict(entry.tags))
    return found


def test_everything_is_copied_compared_and_then_there_already(called, ours, vault, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, "company/ROOT", "company.team/DB", "company.team/TOKEN", "other/X")
    move = ("secrets", "migrate", "--from", ours, "--to", vault, "--state", state)
    dry = called(*move, "--dry-run")
    assert (dry.status, dry.out.splitlines()[-1]) == (0, "4 secrets: 4 would be copied")
    assert kept(vault, state) == {}
    said = called(*move)
    assert said.status == 0, said.err
    assert said.out.splitlines()[-2:] == ["4 secrets: 4 copied", "4 read back and compared: 4 are the same"]
    assert kept(vault, state) == kept(ours, state)
    again = called(*move)
    assert (again.status, again.out.splitlines()[0]) == (0, "there already: ROOT of company")
    assert again.out.splitlines()[-2] == "4 secrets: 4 there already"
    back = called("secrets", "migrate", "--from", vault, "--to", ours, "--state", state)
    assert (back.status, back.out.splitlines()[-2]) == (0, "4 secrets: 4 there already")
    assert CANARY not in "".join(one.out + one.err for one in (dry, said, again, back))
    assert [file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()] == []


def test_what_is_different_there_stays_unless_it_is_to_be_replaced(called, ours, vault, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, "a/KEY", "a/OTHER")
    called("secrets", "set", "KEY", "--namespace", "a", "--config", vault, "--state", state, given=b"theirs")
    move = ("secrets", "migrate", "--config", ours, "--to", vault, "--state", state)
    said = called(*move)
    assert said.status == 1
    assert said.out.splitlines()[:3] == [
        "left as it is: KEY of a",
        "copied: OTHER of a",
        "2 secrets: 1 left as it is, 1 copied",
    ]
    assert "--replace" in said.err
    assert kept(vault, state)["a/KEY"][0] == "theirs"
    replaced = called(*move, "--replace")
    assert (replaced.status, replaced.out.splitlines()[0]) == (0, "replaced: KEY of a")
    assert kept(vault, state) == kept(ours, state)


def test_one_that_was_interrupted_before_its_tags_is_completed(called, ours, vault, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, "a/KEY")
    with opened(Where(config=(vault,), state=state)) as store:
        bare = Entry(address=Address(tenant=MAIN, namespace=Namespace("a"), name="KEY"))
        store.secrets.write(AS, bare, Secret(f"{CANARY} a/KEY\n"))
    said = called("secrets", "migrate", "--from", ours, "--to", vault, "--state", state)
    assert (said.status, said.out.splitlines()[0]) == (0, "completed: KEY of a")
    assert kept(vault, state) == kept(ours, state)


def test_only_a_namespace_and_those_below_it_are_copied_when_that_is_asked_for(called, ours, vault, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, "a/ABOVE", "a.b/KEY", "a.b.c/BELOW", "a.bc/BESIDE")
    said = called("secrets", "migrate", "--from", ours, "--to", vault, "--namespace", "a.b", "--state", state)
    assert said.status == 0
    assert set(kept(vault, state)) == {"a.b/KEY", "a.b.c/BELOW"}


def test_variables_go_into_the_namespaces_that_are_named(called, ours, tmp_path, monkeypatch):
    state, empty = tmp_path / "state", configured(tmp_path / "env.yml", "kestra: {secret: {type: env}}")
    monkeypatch.setenv("SECRET_TOKEN", b64encode(CANARY.encode()).decode())
    nowhere = called("secrets", "migrate", "--from", empty, "--to", ours, "--state", state)
    assert (nowhere.status, "--into" in nowhere.err) == (2, True)
    said = called(
        *("secrets", "migrate", "--from", empty, "--to", ours, "--state", state),
        *("--into", "company", "--into", "other"),
    )
    assert said.status == 0
    assert "in capital letters" in said.err
    assert kept(ours, state) == {"company/TOKEN": (CANARY, None, {}), "other/TOKEN": (CANARY, None, {})}


def test_what_a_store_keeps_beside_values_and_another_cannot_is_said(called, bao, ours, vault, engine, tmp_path):
    state = tmp_path / "state"
    bao.client().secrets.kv.v2.create_or_update_secret("main/a/DB", {"value": CANARY, "port": "1"}, mount_point=engine)
    said = called("secrets", "migrate", "--from", vault, "--to", ours, "--state", state)
    assert "copied: DB of a (what stands beside its value is not copied: port)" in said.out
    filled(ours, state, "a/KEY")
    plain = configured(tmp_path / "plain.yml", _vault(bao, bao.engine(f"{engine}-1", 1), version=1))
    move = ("secrets", "migrate", "--from", ours, "--to", plain, "--state", state)
    refused = called(*move, "--dry-run")
    assert refused.status == 2
    assert "that store keeps no descriptions and no tags, as KEY of a have: say --values-only" in refused.err
    done = called(*move, "--values-only")
    assert done.status == 0, done.err
    assert {name: value for name, (value, _, _) in kept(plain, state).items()} == {
        "a/DB": CANARY,
        "a/KEY": f"{CANARY} a/KEY\n",
    }


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--to", "ours"), "both are the same store"),
        (("--to", "env"), "is read-only (kestra.secret.type: env)"),
        (("--to", "rekeyed"), "both are the database of this instance"),
        (("--to", "env", "--config", "ours"), "not both"),
        (("--to", "env", "--namespace", "a..b"), "that is no namespace"),
    ],
)
def test_copies_that_cannot_be_meant_are_refused(called, ours, tmp_path, options, why):
    files = {
        "ours": ours,
        "env": configured(tmp_path / "env.yml", "kestra: {secret: {type: env}}"),
        "rekeyed": configured(tmp_path / "rekeyed.yml", OURS.replace("iKj8", "8jKi")),
    }
    words = [files.get(word, word) for word in options]
    said = called("secrets", "migrate", "--from", ours, *words, "--state", tmp_path / "state")
    assert said.status == 2
    assert why in said.err


def test_variables_that_set_keys_mean_neither_of_two_described_stores(called, ours, vault, tmp_path, monkeypatch):
    state = tmp_path / "state"
    filled(ours, state, "a/KEY")
    monkeypatch.setenv("KESTRA_SECRET_TYPE", "env")
    said = called("secrets", "migrate", "--from", ours, "--to", vault, "--state", state)
    assert (said.status, said.out.splitlines()[0]) == (0, "copied: KEY of a")


def test_killed_half_way_it_goes_on_where_it_was(called, ours, vault, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, *(f"a/KEY{number:03}" for number in range(60)))
    before = kept(ours, state)
    command = ["secrets", "migrate", "--from", ours, "--to", vault, "--state", state]
    process = subprocess.Popen(
        [sys.executable, "-m", "casemate", *map(str, command)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    assert 20 <= len(kept(vault, state)) < 60
    said = called(*command)
    assert said.status == 0, said.err
    assert "60 read back and compared: 60 are the same" in said.out
    assert kept(vault, state) == before == kept(ours, state)


def test_a_store_that_does_not_answer_fails_for_each_and_changes_nothing(called, ours, tmp_path):
    state = tmp_path / "state"
    filled(ours, state, "a/KEY")
    away = configured(
        tmp_path / "away.yml",
        "kestra: {retries: {attempts: 1}, secret: {type: vault, vault: "
        "{address: 'http://127.0.0.1:1', token: {token: x}}}}",
    )
    said = called("secrets", "migrate", "--from", ours, "--to", away, "--state", state)
    assert said.status == 1
    assert said.out.startswith("failed: KEY of a (")
    assert json.loads(called("secrets", "list", "--json", "-c", ours, "--state", state).out)[0]["key"] == "KEY"
