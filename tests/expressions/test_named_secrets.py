"""Which secrets a template asks for, as its author wrote it."""

from __future__ import annotations

import pytest

from casemate.expressions import NamedSecret, named_secrets


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ secret('A') }}", NamedSecret(name="A")),
        ("{{ secret('A', 'a.b', 'user') }}", NamedSecret(name="A", namespace="a.b", subkey="user")),
        ("{{ secret(subkey='user', key='A') }}", NamedSecret(name="A", subkey="user")),
        ("{{ secret('A', namespace=null) }}", NamedSecret(name="A")),
        ("{{ secret(inputs.a) }}", NamedSecret(name=None, computed=frozenset({"key"}))),
        ("{{ secret('A', flow.namespace) }}", NamedSecret(name="A", computed=frozenset({"namespace"}))),
        ("{{ secret('A', inherit=false) }}", NamedSecret(name="A", inherit=False)),
        ("{{ secret('A', full=true, inherit=vars.i) }}", NamedSecret(name="A", computed=frozenset({"inherit"}))),
        ("{{ secret('A', subkey='a' ~ b) }}", NamedSecret(name="A", computed=frozenset({"subkey"}))),
        ("one\n\n{% if secret('A') == 'x' %}y{% endif %}", NamedSecret(name="A", line=3)),
        ("one\n{{ render('{{ secret(\"A\") }}') }}", NamedSecret(name="A")),
    ],
)
def test_every_call_is_found_with_what_was_written(text: str, found: NamedSecret):
    assert named_secrets(text) == (found,)


@pytest.mark.parametrize(
    "text",
    ["secret('A')", "{{ 'secret' }}", "{{ my.secret }}", "{{ secret('A' }}", "{% raw %}{{ secret('A') }}{% endraw %}"],
)
def test_what_only_looks_like_a_call_is_none(text: str):
    assert named_secrets(text) == ()
