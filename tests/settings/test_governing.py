"""Plugin defaults, policies and the runner of all scripts, as the configuration says them."""

import pytest

from casemate.documents import read
from casemate.errors import Refused
from casemate.governance import Add, govern
from casemate.settings import load

LOG = "io.kestra.plugin.core.log.Log"
DENY = "{type: io.kestra.plugin.ee.rules.Deny, on: PLUGIN}"


def loaded(text):
    return load([("kestra.yml", text)], {})


def refused(text):
    with pytest.raises(Refused) as caught:
        loaded(text)
    return [problem.printed() for problem in caught.value.problems]


@pytest.mark.parametrize("spelled", ["kestra: {tasks: {defaults: %s}}", "kestra: {plugins: {defaults: %s}}"])
def test_both_places_of_plugin_defaults_are_read(spelled):
    (law,) = loaded(spelled % f"[{{type: {LOG}, forced: true, values: {{level: ERROR}}}}]").settings.rules.configured
    assert isinstance(law.rule, Add)
    assert (law.rule.values, law.rule.override, law.default) == ({"level": "ERROR"}, True, True)


def test_the_older_place_goes_first_and_is_told_once():
    entry = f"[{{type: {LOG}, values: {{level: %s}}}}]"
    both = loaded(f"kestra: {{plugins: {{defaults: {entry % 'WARN'}}}, tasks: {{defaults: {entry % 'ERROR'}}}}}")
    assert [law.rule.values["level"] for law in both.settings.rules.configured] == ["ERROR", "WARN"]
    assert [each.message for each in both.warnings] == [
        "Global Task Defaults are deprecated, please use Global Plugin Defaults instead "
        "via the 'kestra.plugins.defaults' configuration property."
    ]


WRONG_DEFAULTS = {
    "{values: {a: 1}}": "No 'type' provided",
    "{type: a.B}": "No 'values' provided",
    "{type: a.B, values: {a: null}}": "No value provided for key 'a'",
    "{type: a.B, values: {a: 1}, force: true}": "'force' is not known, there are type, values, forced, ref",
    "{type: a.B, values: {a: 1}, forced: 'yes'}": "'forced' must be true or false",
    "text": "it is no map with type and values",
}


@pytest.mark.parametrize(("entry", "fault"), WRONG_DEFAULTS.items())
def test_a_plugin_default_that_is_none_stops_the_start_with_its_index_and_a_remedy(entry, fault):
    (problem,) = refused(f"kestra: {{plugins: {{defaults: [{{type: a.B, values: {{a: 1}}}}, {entry}]}}}}")
    assert f"kestra.plugins.defaults: entry [1]: Invalid Plugin Default: {fault}" in problem
    assert "Correct the entry or remove it" in problem


def test_a_forced_null_is_a_value():
    assert loaded(
        "kestra: {plugins: {defaults: [{type: a.B, forced: true, values: {a: null}}]}}"
    ).settings.rules.configured


@pytest.mark.parametrize(
    "policies",
    [
        f"[{{id: one, rules: [{DENY}]}}, {{id: two, rules: [{DENY}]}}]",
        f"{{one: {{rules: [{DENY}]}}, two: {{rules: [{DENY}]}}}}",
    ],
)
def test_policies_are_a_list_or_a_map(policies):
    placed = loaded(f"kestra: {{policies: {policies}}}").settings.rules.placed
    assert [(each.policy.id, str(each.scope)) for each in placed] == [("one", "STATIC"), ("two", "STATIC")]


WRONG_POLICIES = {
    f"[{{id: one, rules: [{DENY}]}}, {{id: one, rules: [{DENY}]}}]": "policy one is there more than once",
    f"[{{id: one, scope: TENANT, rules: [{DENY}]}}]": "policy [0].scope: is not known here",
    f"[{{id: one, namespace: a, rules: [{DENY}]}}]": "policy [0].namespace: is not known here",
    "[{id: one, rules: [{type: x}]}]": "policy [0].rules[0]: a rule's type is one of",
    "{one: {rules: []}}": "policy one.rules: must not be empty",
    f"{{one: {{id: two, rules: [{DENY}]}}}}": "policy one.id: it is named one and two",
    "text": "must be a list of policies, or a map of policies by their ids",
}


@pytest.mark.parametrize(("policies", "fault"), WRONG_POLICIES.items())
def test_a_malformed_policy_stops_the_start(policies, fault):
    assert any(fault in problem for problem in refused(f"kestra: {{policies: {policies}}}"))


def test_a_policy_may_come_from_the_environment():
    variables = {"KESTRA_POLICIES": f"[{{id: one, rules: [{DENY}]}}]"}
    assert load([], variables).settings.rules.placed[0].policy.id == "one"


def test_the_forced_runner_goes_before_every_other_rule():
    text = "casemate: {isolation: {scripts: {force-runner: a.Runner}}}\nkestra: {policies: {p: {rules: [%s]}}}"
    rules = loaded(text % DENY).settings.rules.laws("main", "a")
    assert min(rules, key=lambda law: law.depth).policy == "casemate.isolation.scripts.force-runner"
    assert govern(read("a: 1"), (), None).document  # nothing to do without rules
