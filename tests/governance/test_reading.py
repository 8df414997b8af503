"""Policies that are none: told with their place, all at once."""

import pytest

from casemate.documents import read
from casemate.governance import Scope, misplaced, read_policy

DENY = "{type: io.kestra.plugin.ee.rules.Deny, on: PLUGIN}"


def problems(text):
    found = read_policy(read(text).root)
    return (
        [f"{each.line}:{each.column} {each.path}: {each.message}" for each in found] if isinstance(found, tuple) else []
    )


def test_a_policy_of_the_documentation_is_read():
    text = """\
id: sandbox-scripts
displayName: Scripts
enforcement: ACTIVE
target: {tenants: [main]}
rules:
  - {type: io.kestra.plugin.ee.rules.Deny, on: PLUGIN,
     where: [{field: type, operator: EQUAL_TO, value: io.kestra.plugin.core.runner.Process}],
     errorMessage: "Host processes are off; use the sandbox runner."}
  - {type: io.kestra.plugin.ee.rules.Restrict, on: PLUGIN, property: taskRunner.privileged, equals: false}
  - {type: io.kestra.plugin.ee.rules.Require, on: FLOW, properties: [labels.team], action: warn}
"""
    assert problems(text) == []


WRONG = {
    "no id": (f"rules: [{DENY}]", "1:1 id: is needed"),
    "an id that is no label": (f"id: A_b\nrules: [{DENY}]", "1:1 : id must be 1 to 63 lower-case"),
    "no rules": ("id: a\nrules: []", "2:8 rules: must not be empty"),
    "an unknown key": (f"id: a\nscope: STATIC\nrules: [{DENY}]", "2:1 scope: is not known here"),
    "an unknown rule": (
        "id: a\nrules:\n  - {type: io.kestra.plugin.ee.rules.Forbid}",
        "3:5 rules[0]: a rule's type is one of",
    ),
    "a rule for nothing": ("id: a\nrules: [{type: io.kestra.plugin.ee.rules.Deny}]", "2:9 rules[0].on: is needed"),
    "an operator of elsewhere": (
        "id: a\nrules:\n  - type: io.kestra.plugin.ee.rules.Deny\n    on: PLUGIN\n"
        "    where: [{field: type, operator: GREATER_THAN, value: 1}]",
        "5:27 rules[0].where[0].operator: input should be 'EQUAL_TO'",
    ),
    "a pattern that is none": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Deny, on: PLUGIN, "
        "where: [{field: type, operator: REGEX, value: '(a'}]}]",
        "rules[0].where[0]: the pattern '(a' is refused",
    ),
    "conditions on a flow": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Require, on: FLOW, properties: [a], "
        "where: [{field: a, operator: IS_NULL}]}]",
        "where is for plugins: on must be PLUGIN",
    ),
    "a flow that is denied": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Deny, on: FLOW}]",
        "Deny is for plugins",
    ),
    "a limit without one": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Restrict, on: PLUGIN, property: x}]",
        "one of min, max, enum, regex and equals is needed",
    ),
    "a null that adds": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Add, on: PLUGIN, values: {x: null}}]",
        "a null adds nothing",
    ),
    "a fact that no manifest has": (
        "id: a\nrules: [{type: io.kestra.plugin.ee.rules.Deny, on: PLUGIN, "
        "where: [{field: manifest.x, operator: IS_NULL}]}]",
        "manifest.x is not known",
    ),
    "what it adds and deletes": (
        "id: a\nrules:\n  - {type: io.kestra.plugin.ee.rules.Add, on: PLUGIN, values: {x: 1}}\n"
        "  - {type: io.kestra.plugin.ee.rules.Delete, on: PLUGIN, properties: [x]}",
        "4:5 rules[1]: x is added by another rule",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_it_is_told_that_a_policy_has(text, expected):
    assert any(expected in problem for problem in problems(text)), problems(text)


@pytest.mark.parametrize(
    ("target", "scope", "fits"),
    [
        ("{tenants: [a]}", Scope.INSTANCE, True),
        ("{tenants: [a]}", Scope.TENANT, False),
        ("{namespaces: [a]}", Scope.TENANT, True),
        ("{namespaces: [a]}", Scope.NAMESPACE, False),
    ],
)
def test_a_target_fits_only_some_scopes(target, scope, fits):
    policy = read_policy(read(f"id: a\ntarget: {target}\nrules: [{DENY}]").root)
    assert (misplaced(policy, scope) is None) is fits
