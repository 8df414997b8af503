"""Secrets from the environment."""

from __future__ import annotations

from base64 import b64encode

import pytest
from structlog.testing import capture_logs

from casemate.secret import Secret
from casemate.secrets import EnvironmentSecrets


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def find(environ: dict[str, str], name: str) -> Secret | None:
    return EnvironmentSecrets(environ).find("main", "company.team", name)


@pytest.mark.parametrize(
    ("variable", "name"), [("SECRET_TOKEN", "TOKEN"), ("SECRET_TOKEN", "token"), ("SECRET_my_Key", "My_kEY")]
)
def test_names_do_not_tell_cases_apart(variable: str, name: str):
    assert find({variable: encoded("opensesame")}, name) == Secret("opensesame")


def test_line_breaks_in_the_encoded_text_are_ignored():
    text = encoded("a long secret value é")
    assert find({"SECRET_X": f"{text[:7]}\r\n{text[7:]}\n"}, "X") == Secret("a long secret value é")


def test_a_line_break_inside_the_secret_is_kept():
    assert find({"SECRET_X": encoded("value\n")}, "X") == Secret("value\n")


@pytest.mark.parametrize("variable", ["TOKEN", "secret_TOKEN", "SECRETS_TOKEN"])
def test_other_variables_are_no_secrets(variable: str):
    assert find({variable: encoded("x")}, "TOKEN") is None


def test_what_is_not_base64_is_skipped_and_logged_without_its_value():
    with capture_logs() as logs:
        secrets = EnvironmentSecrets({"SECRET_BAD": "pa55 word!", "SECRET_GOOD": encoded("fine")})
    assert secrets.names() == ("GOOD",)
    assert [entry["event"] for entry in logs] == ["secret.undecodable"]
    assert "pa55" not in repr(logs)


def test_of_two_equal_names_one_is_kept_and_it_is_logged():
    with capture_logs() as logs:
        secrets = EnvironmentSecrets({"SECRET_A": encoded("first"), "SECRET_a": encoded("second")})
    assert secrets.find("main", "team", "a") == Secret("first")
    assert [entry["event"] for entry in logs] == ["secret.doubled"]


def test_nothing_prints_a_secret():
    secrets = EnvironmentSecrets({"SECRET_A": encoded("opensesame")})
    assert "opensesame" not in f"{secrets!r} {vars(secrets)} {secrets.find('main', 'x', 'A')}"
