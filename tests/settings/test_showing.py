"""What of a configuration is shown, and which file may not be read by everybody."""

from __future__ import annotations

import pytest

from casemate.settings import load

PEM = "-----BEGIN RSA PRIVATE KEY-----\\nclear\\n-----END RSA PRIVATE KEY-----"


def shown(text: str, **environ: str) -> dict[str, object]:
    return {said.name: said.value for said in load([("kestra.yml", text)], environ).shown}


def of_globals(written: str) -> object:
    return shown(f"kestra: {{variables: {{globals: {written}}}}}")["kestra.variables.globals"]


@pytest.mark.parametrize(
    "written",
    [
        "{password: clear}",
        "{password: 123456}",
        "{passwords: [clear, {a: clear}]}",
        "{credentials: {who: clear, deep: [[clear]]}}",
        "{accessKey: clear, api_key: clear, pwd: clear}",
        "{Authorization: clear, cookie: clear}",
        "{header: 'Bearer clear'}",
        f'{{text: "{PEM}"}}',
        "{at: 'https://me:clear@host/x'}",
        "{at: 'https://me:cl/ear@host/x'}",
        "{at: 'https://me:p@clear@host/x'}",
        "{at: 'me:clear@host:5432'}",
        "{at: 'jdbc:postgresql://host/db?user=me&password=clear&ssl=true'}",
        "{at: 'Server=host;Pwd=clear;'}",
        "{at: 'https://host/blob?sv=1&sig=clear'}",
    ],
)
def test_what_is_named_like_a_secret_or_looks_like_one_is_hidden(written: str):
    value = str(of_globals(written))
    assert "clear" not in value
    assert "cl/ear" not in value
    assert "123456" not in value
    assert "******" in value


def test_everything_else_is_shown():
    written = "{team: red, at: 'https://host:80/a?b=c', mail: a@example.org, n: 5, flag: true, none: null, list: [x]}"
    assert of_globals(written) == {
        "team": "red",
        "at": "https://host:80/a?b=c",
        "mail": "a@example.org",
        "n": 5,
        "flag": True,
        "none": None,
        "list": ["x"],
    }


def test_nothing_is_shown_of_a_store_of_secrets_but_its_options():
    said = shown("kestra: {secret: {type: vault, vault: {token: {token: clear}, address: a}}}")
    assert said["kestra.secret.vault"] == {"token": {"token": "******"}, "address": "******"}


@pytest.mark.parametrize(
    "said",
    [
        "kestra: {url: 'http://me:clear@host'}",
        "kestra: {variables: {globals: {apiKey: clear}}}",
        "kestra: {plugins: {defaults: [{type: a.B, values: {options: {auth: {password: clear}}}}]}}",
        "kestra: {encryption: {secretkey2: x, secret-Key-: x, client-secret: clear}}",
        "kestra: {secret: {type: vault, vault: {token: {token: clear}}}}",
    ],
)
def test_a_secret_anywhere_in_a_file_is_found(said: str):
    assert list(load([("kestra.yml", said)], {}).secrets_in_files) == ["kestra.yml"]


@pytest.mark.parametrize(
    "said",
    [
        "kestra: {url: 'http://host:80/'}",
        "kestra: {variables: {globals: {token-url: 'https://host', tokens: 5, team: red}}}",
        "kestra: {plugins: {defaults: [{type: a.B, values: {password: \"{{ secret('P') }}\"}}]}}",
        'kestra: {variables: {globals: {password: "${PASS}"}}}',
        "kestra: {secret: {type: vault, vault: {address: 'http://a'}}}",
    ],
)
def test_what_is_none_is_not(said: str):
    assert load([("kestra.yml", said)], {"PASS": "x"}).secrets_in_files == {}


def test_variables_that_are_named_like_secrets_are_known_although_they_set_no_key():
    environ = {"KESTRA_SECRET_VAULT_TOKEN": "a", "CASEMATE_ANY_PASSWORD": "b", "KESTRA_URL": "http://x", "HOME": "/"}
    assert load([], environ).settings.traces.variables == ("CASEMATE_ANY_PASSWORD", "KESTRA_SECRET_VAULT_TOKEN")


def test_files_that_micronaut_would_read_are_not_passed_over_in_silence():
    (warning,) = load([], {"MICRONAUT_CONFIG_FILES": "/conf/a.yml"}).warnings
    assert "names files that are not read (Name each of them with -c)" in str(warning.located("environment"))
