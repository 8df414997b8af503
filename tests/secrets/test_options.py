"""Options of secret backends: either spelling, every fault named, no value told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from casemate.secret import Secret
from casemate.secrets.errors import InvalidOptions
from casemate.secrets.options import FORM, Choice, Duration, SecretText, options

AT = "kestra.secret.cellar"


@dataclass(frozen=True, kw_only=True)
class Login:
    __pydantic_config__ = FORM
    user: str
    pass_word: SecretText


@dataclass(frozen=True, kw_only=True)
class Cellar(Choice):
    address: str
    key_login: Login | None = None
    read_timeout: Duration = timedelta(minutes=1)


@pytest.mark.parametrize("spelling", [("key-login", "pass-word"), ("keyLogin", "passWord")])
def test_both_spellings_are_read(spelling):
    login, word = spelling
    read = options(Cellar, {"address": "a", login: {"user": "u", word: "hunter2"}}, AT)
    assert read.key_login == Login(user="u", pass_word=Secret("hunter2"))


def test_names_of_tags_stay_as_they_are_written():
    read = options(Cellar, {"address": "a", "tags": {"cost-centre": "1", "costCentre": "2"}}, AT)
    assert read.tags == {"cost-centre": "1", "costCentre": "2"}


@pytest.mark.parametrize(("written", "seconds"), [("15s", 15), ("PT2M", 120), ("250ms", 0.25)])
def test_durations_are_those_of_the_configuration(written, seconds):
    assert options(Cellar, {"address": "a", "read-timeout": written}, AT).read_timeout.total_seconds() == seconds


def test_every_fault_is_told_by_its_key_and_no_value_is():
    written = {"adress": "hunter2", "keyLogin": {"user": "u", "passWord": ["hunter2"]}, "read-timeout": "hunter2"}
    with pytest.raises(InvalidOptions) as refused:
        options(Cellar, written, AT)
    told = str(refused.value)
    for key in (".address", ".adress", ".keyLogin.passWord", ".read-timeout"):
        assert AT + key in told
    assert "hunter2" not in told
