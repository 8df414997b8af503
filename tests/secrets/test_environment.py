"""Secrets from the environment."""

from __future__ import annotations

from base64 import b64encode

import pytest
from structlog.testing import capture_logs

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets import ANYWHERE, Address, Entry, EnvironmentSecrets, ReadOnly, opened


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def at(name: str) -> Address:
    return Address(tenant=MAIN, namespace=Namespace("company.team"), name=name)


def find(environ: dict[str, str], name: str, encoding: str = "base64") -> str | None:
    found = EnvironmentSecrets(environ, encoding).read(at(name))
    return None if found is None else found.value.reveal()


def names(secrets: EnvironmentSecrets) -> list[str]:
    return [entry.address.name for entry in secrets.entries(MAIN, None)]


@pytest.mark.parametrize(
    ("variable", "name"), [("SECRET_TOKEN", "TOKEN"), ("SECRET_TOKEN", "token"), ("SECRET_my_Key", "My_kEY")]
)
def test_names_do_not_tell_cases_apart(variable: str, name: str):
    assert find({variable: encoded("opensesame")}, name) == "opensesame"


def test_line_breaks_in_the_encoded_text_are_ignored():
    text = encoded("a long secret value é")
    assert find({"SECRET_X": f"{text[:7]}\r\n{text[7:]}\n"}, "X") == "a long secret value é"


def test_a_line_break_inside_the_secret_is_kept():
    assert find({"SECRET_X": encoded("value\n")}, "X") == "value\n"


@pytest.mark.parametrize("variable", ["TOKEN", "secret_TOKEN", "SECRETS_TOKEN"])
def test_other_variables_are_no_secrets(variable: str):
    assert find({variable: encoded("x")}, "TOKEN") is None


def test_what_is_not_base64_is_skipped_and_logged_without_its_value():
    with capture_logs() as logs:
        secrets = EnvironmentSecrets({"SECRET_BAD": "pa55 word!", "SECRET_GOOD": encoded("fine")})
    assert names(secrets) == ["GOOD"]
    assert [entry["event"] for entry in logs] == ["secret.undecodable"]
    assert "pa55" not in repr(logs)


def test_raw_texts_are_taken_as_they_are():
    assert find({"SECRET_X": "pa55 word!"}, "X", "raw") == "pa55 word!"
    assert find({"SECRET_X": encoded("fine")}, "X", "raw") == encoded("fine")


@pytest.mark.parametrize(
    ("text", "secret"),
    [("pa55 word!", "pa55 word!"), (encoded("a key\n"), "a key\n"), ("password", "password"), ("", "")],
)
def test_auto_decodes_what_gives_printable_text(text: str, secret: str):
    assert find({"SECRET_X": text}, "X", "auto") == secret


def test_a_file_holds_the_secret_as_it_is(tmp_path):
    (tmp_path / "key").write_text("two\nlines\n")
    assert find({"SECRET_X_FILE": str(tmp_path / "key")}, "x") == "two\nlines"


def test_a_variable_that_only_ends_like_that_of_a_file_is_one_as_any_other():
    assert find({"SECRET_KEY_FILE": encoded("inside")}, "KEY_FILE") == "inside"


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/dev/zero", "/"])
def test_what_is_no_file_is_said_and_gives_no_secret(path: str):
    with capture_logs() as logs:
        assert names(EnvironmentSecrets({"SECRET_X_FILE": path})) in ([], ["X_FILE"])
    assert find({"SECRET_X_FILE": path}, "X") is None
    assert path == "/nowhere/at/all" or [entry["event"] for entry in logs] == ["secret.undecodable"]


def test_of_two_equal_names_one_is_kept_and_it_is_logged(tmp_path):
    (tmp_path / "key").write_text("third")
    with capture_logs() as logs:
        environ = {"SECRET_A": encoded("first"), "SECRET_a": encoded("second"), "SECRET_A_FILE": str(tmp_path / "key")}
        assert find(environ, "a") == "first"
    assert [entry["event"] for entry in logs] == ["secret.doubled", "secret.doubled"]


def test_names_belong_to_no_namespace_in_particular():
    secrets = EnvironmentSecrets({"SECRET_B": encoded("x"), "SECRET_A": encoded("y")})
    assert [(one.address.namespace, one.address.name) for one in secrets.entries(MAIN, Namespace("a.b"))] == [
        (ANYWHERE, "A"),
        (ANYWHERE, "B"),
    ]


def test_an_environment_cannot_be_changed():
    secrets = EnvironmentSecrets({})
    with pytest.raises(ReadOnly, match=r"^Secrets of namespace 'company\.team' are read-only\.$"):
        secrets.write(Entry(address=at("A")), Secret("x"))
    with pytest.raises(ReadOnly):
        secrets.delete(at("A"))


def test_the_kind_env_reads_this_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET_HERE", "plain")
    found = opened("env", {"encoding": "raw"}, read_only=False, at="kestra.secret.env").read(at("HERE"))
    assert found is not None
    assert found.value == Secret("plain")


def test_nothing_prints_a_secret():
    secrets = EnvironmentSecrets({"SECRET_A": encoded("opensesame")})
    assert "opensesame" not in f"{secrets!r} {vars(secrets)} {secrets.read(at('A'))}"
