"""`casemate secrets list`, `set`, `delete`: names can be seen and values changed, and no value is ever shown."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running import ROOT, Server, casemate, server

from casemate.cli.secret_stores import Where, opened
from casemate.identifiers import MAIN, Namespace
from casemate.settings import Service
from casemate.store import Database

CANARY = "canary-of-the-secrets-0451"
CONFIGURATION = "kestra: {secret: {type: jdbc, jdbc: {secret: iKj8Wd0NQy2vC4mX7sLzP1bT5gH9rE3a}}}"


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, ...]:
    """Options of a store in a database that a server has left."""
    return laid_out(tmp_path)


def laid_out(folder: Path) -> tuple[str, ...]:
    state, file = folder / "state", folder / "conf.yml"
    state.mkdir()
    Database.open(f"sqlite:///{state}/casemate.db").close()
    file.write_text(CONFIGURATION)
    file.chmod(0o600)
    return ("--config", str(file), "--state", str(state))


def kept(place: tuple[str, ...], namespace: str, name: str) -> str | None:
    """The value as a task would get it."""
    with opened(Where(config=(Path(place[1]),), state=Path(place[3]))) as found:
        secret = found.secrets.find(Service.WORKER, MAIN, Namespace(namespace), name)
    return secret.value.reveal() if secret else None


def test_what_is_set_is_listed_by_name_and_can_be_deleted(called, place):
    stored = called(
        *("secrets", "set", "TOKEN", "--namespace", "company", "--description", "of the shop", "--tag", "team=shop"),
        *place,
        given=CANARY.encode(),
    )
    assert (stored.status, stored.out) == (0, "✓ TOKEN of company is created\n")
    assert kept(place, "company.team", "TOKEN") == CANARY
    listed = called("secrets", "list", *place)
    assert listed.out.splitlines() == [
        "NAME   NAMESPACE  BACKEND  CHANGES  TAGS       DESCRIPTION",
        "TOKEN  company    jdbc     allowed  team=shop  of the shop",
    ]
    gone = called("secrets", "delete", "TOKEN", "--namespace", "company", "--yes", *place)
    assert (gone.status, gone.out) == (0, "✓ TOKEN of company is deleted\n")
    assert kept(place, "company", "TOKEN") is None
    again = called("secrets", "delete", "TOKEN", "--namespace", "company", "--yes", *place)
    assert (again.status, again.err) == (1, "casemate: there is no secret TOKEN in company\n")


@pytest.mark.parametrize(
    ("given", "options", "value"),
    [
        (b"word\n", (), "word"),
        (b"word\r\n", (), "word"),
        (b"word\n\n", (), "word\n"),
        (b"one\ntwo", (), "one\ntwo"),
        (b"one\r\ntwo\r", (), "one\r\ntwo\r"),
        (b"word\n", ("--exact",), "word\n"),
        ("grün \N{KEY}".encode(), (), "grün \N{KEY}"),
    ],
)
def test_one_line_break_at_the_end_is_left_out_and_everything_else_is_kept(called, place, given, options, value):
    said = called("secrets", "set", "TOKEN", "--namespace", "company", *options, *place, given=given)
    assert said.status == 0
    assert ("without the line break" in said.out) == (value != given.decode())
    assert kept(place, "company", "TOKEN") == value


def test_a_file_gives_the_value_and_replacing_it_leaves_description_and_tags(called, place, tmp_path):
    called("secrets", "set", "KEY", "--namespace", "a", "--description", "d", "--tag", "t=u", *place, given=b"old")
    (tmp_path / "key.pem").write_bytes(b"BEGIN\r\nEND\n")
    said = called("secrets", "set", "KEY", "--namespace", "a", "--from-file", tmp_path / "key.pem", *place)
    assert said.out == "✓ KEY of a is replaced, without the line break that it ended with\n"
    assert kept(place, "a", "KEY") == "BEGIN\r\nEND"
    [found] = json.loads(called("secrets", "list", "--json", *place).out)
    assert found == {
        "key": "KEY",
        "namespace": "a",
        "description": "d",
        "tags": {"t": "u"},
        "backend": "jdbc",
        "readOnly": False,
    }


def test_description_and_tags_are_changed_alone_when_that_is_asked_for_in_words(called, place):
    missing = called("secrets", "set", "KEY", "--namespace", "a", "--metadata-only", "--description", "d", *place)
    assert (missing.status, missing.err) == (2, "casemate: there is no secret KEY in a\n")
    called("secrets", "set", "KEY", "--namespace", "a", "--tag", "t=u", *place, given=b"value")
    nothing = called("secrets", "set", "KEY", "--namespace", "a", "--description", "d", *place)
    assert nothing.status == 2
    assert "the value is empty" in nothing.err
    said = called("secrets", "set", "KEY", "--namespace", "a", "--metadata-only", "--description", "d", *place)
    assert said.status == 0
    [found] = json.loads(called("secrets", "list", "--json", *place).out)
    assert (found["description"], found["tags"], kept(place, "a", "KEY")) == ("d", {"t": "u"}, "value")
    called("secrets", "set", "KEY", "--namespace", "a", "--metadata-only", "--description", "", "--no-tags", *place)
    [found] = json.loads(called("secrets", "list", "--json", *place).out)
    assert (found["description"], found["tags"], kept(place, "a", "KEY")) == (None, {}, "value")


def test_inherited_shows_what_flows_of_a_namespace_see_each_name_once(called, place):
    for namespace, name in (("a", "ROOT"), ("a", "BOTH"), ("a.b", "BOTH"), ("a.b.c", "BELOW"), ("x", "ELSEWHERE")):
        called("secrets", "set", name, "--namespace", namespace, *place, given=b"value")
    found = json.loads(called("secrets", "list", "--namespace", "a.b", "--inherited", "--json", *place).out)
    assert [(one["key"], one["namespace"]) for one in found] == [("BOTH", "a.b"), ("ROOT", "a")]
    own = json.loads(called("secrets", "list", "--namespace", "a.b", "--json", *place).out)
    assert [one["key"] for one in own] == ["BOTH"]


@pytest.mark.parametrize(
    "words",
    [
        ("TOKEN", CANARY, "--namespace", "a"),
        ("TOKEN", f"--value={CANARY}", "--namespace", "a"),
        ("TOKEN", "--value", CANARY, "--namespace", "a"),
        ("TOKEN", f"-p{CANARY}", "--namespace", "a"),
        (f"TOKEN={CANARY}", "--namespace", "a"),
        ("TOKEN", "--namespace", "a", "--exact", CANARY),
        ("TOKEN", "--namespace", "a", "--tag", CANARY),
        ("TOKEN", "--namespace", f"a {CANARY}"),
    ],
)
def test_a_value_on_the_command_line_is_refused_and_not_said_again(called, place, words):
    said = called("secrets", "set", *words, *place, given=b"value")
    assert said.status == 2
    assert said.err.count("\n") == 1
    assert CANARY not in said.out + said.err
    assert json.loads(called("secrets", "list", "--json", *place).out) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("set", "K", "--namespace", "a", "--metadata-only", "--exact"), "takes no value"),
        (("set", "K", "--namespace", "a", "--tag", "a=b", "--no-tags"), "not both"),
        (("set", "K", "--namespace", "a", "--user", "u:p"), "are for a --server"),
        (("set", "K", "--namespace", "a", "--server", "http://far.example"), "could be read on its way"),
        (("set", "K", "--namespace", "a..b"), "no namespace"),
        (("set", "../K", "--namespace", "a"), "a name has letters"),
        (("list", "--inherited"), "is for a --namespace"),
        (("delete", "K", "--namespace", "a"), "say --yes"),
        (("list", "--server", "http://127.0.0.1:1"), "does not answer"),
    ],
)
def test_command_lines_that_say_too_little_or_too_much_are_refused(called, place, words, why):
    said = called("secrets", *words, *(() if "--server" in words else place))
    assert said.status == 2
    assert why in said.err


def test_without_the_database_that_keeps_them_it_says_so_and_makes_none(called, place, tmp_path):
    said = called("secrets", "set", "K", "--namespace", "a", *place[:2], "--state", tmp_path / "none", given=b"x")
    assert said.status == 2
    assert f"there is no database in {tmp_path / 'none'}" in said.err
    assert not (tmp_path / "none").exists()


def test_the_environment_is_listed_and_can_not_be_changed(called, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_OF_ENV", "Y2FuYXJ5")
    listed = called("secrets", "list", "--namespace", "a.b", "--state", tmp_path)
    assert "OF_ENV  (every namespace)  env" in listed.out
    refused = called("secrets", "set", "OF_ENV", "--namespace", "a", "--state", tmp_path, given=b"x")
    assert (refused.status, refused.err) == (1, "casemate: Secrets of namespace 'a' are read-only.\n")


def test_a_file_that_is_no_text_is_refused_without_a_byte_of_it(called, place, tmp_path):
    (tmp_path / "key.der").write_bytes(CANARY.encode() + b"\xff")
    said = called("secrets", "set", "K", "--namespace", "a", "--from-file", tmp_path / "key.der", *place)
    assert said.status == 2
    assert f"is not UTF-8 text (byte {len(CANARY)})" in said.err
    assert CANARY not in said.err


def test_a_name_of_somebody_else_cannot_move_the_cursor(called, place):
    said = called("secrets", "delete", "\x1b[2JK", "--namespace", "a", "--yes", *place)
    assert "\x1b" not in said.out + said.err


def test_the_value_is_in_no_output_no_argument_and_no_file(place, tmp_path):
    said = casemate("secrets", "set", "K", "--namespace", "a", *place, given=CANARY)
    assert said.returncode == 0, said.stderr
    listed = casemate("secrets", "list", "--json", *place)
    assert CANARY not in said.stdout + said.stderr + listed.stdout + listed.stderr
    found = [file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    assert found == []


def test_on_a_terminal_the_value_is_asked_for_twice_and_not_shown(place):
    assert "✓ K of a is created" in typed(place, CANARY, CANARY)
    assert kept(place, "a", "K") == CANARY
    assert "not the same" in typed(place, "first line", "second line")
    assert kept(place, "a", "K") == CANARY


def typed(place: tuple[str, ...], *lines: str) -> str:
    """What a terminal shows of `secrets set` when these lines are typed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "casemate", "secrets", "set", "K", "--namespace", "a", *place],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    for prompt, line in zip(("Value", "Once more"), lines, strict=True):
        while prompt not in shown:
            shown += os.read(ours, 4096).decode()
        os.write(ours, f"{line}\n".encode())
    while piece := _more(ours):
        shown += piece
    process.wait(30)
    os.close(ours)
    assert not any(line in shown for line in lines)
    return shown


def _more(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, tuple[str, ...]]]:
    place = laid_out(tmp_path_factory.mktemp("served"))
    with server(Path(place[3]), "-c", place[1]) as one:
        yield one, place


def test_a_server_is_asked_and_tells_nothing_but_names(called, running):
    served, _ = running
    there = ("--server", served.url)
    stored = called("secrets", "set", "T", "--namespace", "s.t", "--tag", "a=b", *there, given=f"{CANARY}\n".encode())
    assert stored.out == "✓ T of s.t is created, without the line break that it ended with\n"
    described = called("secrets", "set", "T", "--namespace", "s.t", "--metadata-only", "--description", "d", *there)
    assert described.status == 0, described.err
    [found] = json.loads(called("secrets", "list", "--namespace", "s.t.u", "--inherited", "--json", *there).out)
    assert (found["namespace"], found["description"], found["tags"], found["backend"]) == ("s.t", "d", {"a": "b"}, None)
    assert called("secrets", "delete", "T", "--namespace", "s.t", "--yes", *there).status == 0
    assert called("secrets", "delete", "T", "--namespace", "s.t", "--yes", *there).status == 1
    assert CANARY not in served.log.read_text()


def test_while_a_server_runs_its_database_is_left_alone(called, running):
    _, place = running
    said = called("secrets", "list", *place)
    assert said.status == 1
    assert "stop the server first, or ask it with --server" in said.err
