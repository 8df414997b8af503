"""Options of secret backends: either spelling, every fault named, no value told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from casemate.secret import Secret
from casemate.secrets.errors import InvalidOptions
from casemate.secrets.kinds import KINDS, opened
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


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({}, "{at}.address: is needed"),
        ({"address": None}, "{at}.address: a text is needed (between quotes, where it looks like something else)"),
        ({"address": "a", "adress": "b"}, "{at}.adress: there is no such option; did you mean address?"),
        (
            {"address": "a", "read_timeout": "1s"},
            "{at}.read_timeout: there is no such option; did you mean read-timeout?",
        ),
        (
            {"address": "a", "read-timeout": "1s", "readTimeout": "2s"},
            "{at}.readTimeout: is written twice: as read-timeout and as readTimeout",
        ),
        (
            {"address": "a", "size": 5},
            "{at}.size: there is no such option; there are address, excluded-tags, filter-on-tags, key-login,"
            " read-timeout, tags",
        ),
        ({"address": "a", "keyLogin": "x"}, "{at}.keyLogin: has options of its own, which stand below it"),
        (
            {"address": "a", "key-login": {"user": "u", "pass-word": "x", "pass-wort": "y"}},
            "{at}.key-login.pass-wort: there is no such option; did you mean pass-word?",
        ),
        ({"address": "a", "tags": ["x"]}, "{at}.tags: names and values are needed below it"),
        ({"address": "a", "read-timeout": "0s"}, "{at}.read-timeout: must be more than nothing"),
        (
            {"address": "a", "read-timeout": 5},
            "{at}.read-timeout: a duration such as 250ms, 5s, 10m, 1h, 7d or PT5M",
        ),
        (
            {"address": "a", "filter-on-tags": {"stage": {"live": "x"}}},
            "{at}.filter-on-tags.stage: a text is needed (between quotes, where it looks like something else)",
        ),
    ],
)
def test_what_is_wrong_is_told_in_words_with_its_remedy(written, told):
    with pytest.raises(InvalidOptions) as refused:
        options(Cellar, written, AT)
    assert str(refused.value) == told.format(at=AT)


@pytest.mark.parametrize("kind", ["1password", "beyondtrust", "bitwarden", "cyberark", "delinea", "Doppler"])
def test_kinds_of_kestra_that_are_not_here_are_refused_with_those_that_are(kind):
    with pytest.raises(InvalidOptions) as refused:
        opened(kind, {"token": "hunter2"}, read_only=False, at=f"kestra.secret.{kind}")
    said = f"kestra.secret.type: Kestra's secret backend {kind.lower()} does not exist here; there are "
    assert str(refused.value) == said + ", ".join(sorted(KINDS))


def test_a_misspelt_kind_is_refused_with_the_one_that_was_meant():
    with pytest.raises(InvalidOptions, match=r"^kestra\.secret\.type: .*vualt; did you mean vault\? there are "):
        opened("vualt", {}, read_only=False, at="kestra.secret.vualt")


def test_a_filter_on_every_name_is_none():
    written = {"access-key-id": "a", "secret-key-id": "b", "region": "x", "filter-on-prefix": {"prefix": ""}}
    with pytest.raises(InvalidOptions, match="every name begins so"):
        opened("aws-secret-manager", written, read_only=True, at="kestra.secret.aws-secret-manager")


def test_what_only_opening_finds_out_is_told_with_its_place():
    written = {"access-key-id": "a", "secret-key-id": "b", "region": "x", "filter-on-prefix": {"prefix": "p"}}
    with pytest.raises(InvalidOptions, match=r"^kestra\.secret\.aws-secret-manager: filter-on-prefix needs "):
        opened("aws-secret-manager", written, read_only=False, at="kestra.secret.aws-secret-manager")
