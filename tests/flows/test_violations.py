"""Kestra's form of what is wrong with a flow: which violations, in which order, at which paths."""

import json

import pytest

from casemate.flows import read_flow, violations
from casemate.identifiers import MAIN

FLOW = "id: f\nnamespace: a.b\n"
CORE = "io.kestra.plugin.core"
LOG = f"type: {CORE}.log.Log, message: x"
TASKS = f"tasks: [{{id: t, {LOG}}}]\n"
LISTED = "->java.util.ArrayList[0]"


@pytest.fixture(scope="session")
def printed(catalog):
    """The violations of a text as `PATH: MESSAGE`, what follows a parenthesis left out."""

    def lines(text):
        found = read_flow(text, catalog, MAIN)
        assert isinstance(found, tuple)
        return [one.printed().split(" (")[0] for one in violations(found)]

    return lines


def test_broken_rules_of_the_whole_flow_are_one_violation_in_the_order_of_the_rules(printed):
    inputs = "inputs: [{id: i, type: STRING, dependsOn: {inputs: [gone]}}, {id: i, type: STRING}]\n"
    assert printed(f"{FLOW}labels: {{system.a: b}}\n{inputs}tasks: [{{id: t, {LOG}}}, {{id: t, {LOG}}}]") == [
        ": Invalid Flow: Duplicate task id with name [t], Duplicate input with name [i], "
        "Input with id 'i' depends on a non-existent input 'gone'., "
        "System labels can only be set by Kestra itself, offending label: system.a=b"
    ]


def test_constraints_are_told_beside_broken_rules(printed):
    assert printed(f"{FLOW}labels: {{system.a: b}}\nrevision: 0\n{TASKS}") == [
        "revision: must be greater than or equal to 1",
        ": Invalid Flow: System labels can only be set by Kestra itself, offending label: system.a=b",
    ]


@pytest.mark.parametrize(
    ("lists", "names"),
    [
        ({"tasks": "abba"}, "a, b"),
        ({"errors": "za", "tasks": "az"}, "a, z"),
        ({"listeners": "ba", "errors": "c", "tasks": "acb"}, "a, c, b"),
    ],
)
def test_ids_given_twice_are_told_in_the_order_of_their_first_places(printed, lists, names):
    written = {name: [{"id": each, "type": f"{CORE}.debug.Return"} for each in ids] for name, ids in lists.items()}
    if "listeners" in written:
        written["listeners"] = [{"tasks": written["listeners"]}]
    assert printed(json.dumps({"id": "f", "namespace": "a.b", **written})) == [
        f": Invalid Flow: Duplicate task id with name [{names}]"
    ]


def test_an_unknown_type_is_two_violations(printed):
    place = f'io.kestra.core.models.flows.Flow["inputs"]{LISTED}'
    assert printed(f"{FLOW}inputs: [{{id: i}}]\n{TASKS}") == [
        f"{place}: Invalid type: null",
        f"{place}: missing type id property 'type'",
    ]


def test_of_several_things_that_cannot_be_parsed_the_first_is_told(printed):
    unknown = f"{{id: u, type: {CORE}.debug.Nothing}}"
    found = printed(f"listeners: [{{tasks: [{unknown}]}}]\n{FLOW}revision: x\ntasks: [{{id: t, type: other.Type}}]")
    assert [line.rpartition(": ")[2] for line in found] == [
        f"{CORE}.debug.Nothing",
        f"Could not resolve type id '{CORE}.debug.Nothing'",
    ]


def test_no_constraint_is_looked_at_in_what_cannot_be_parsed(printed):
    assert len(printed(f'id: ""\nnamespace: ""\nfoo: 1\n{TASKS}')) == 1


@pytest.mark.parametrize(
    ("flow", "place"),
    [
        (f"foo: 1\n{TASKS}", 'Flow["foo"]'),
        (f"tasks: [{{id: t, {LOG}, foo: 1}}]", f'Flow["tasks"]{LISTED}->{CORE}.log.Log["foo"]'),
        (
            f"tasks: [{{id: s, type: {CORE}.flow.Switch, value: v, cases: {{a: [{{id: t, {LOG}, foo: 1}}]}}}}]",
            f'Flow["tasks"]{LISTED}->{CORE}.flow.Switch["cases"]->java.util.LinkedHashMap["a"]{LISTED}'
            f'->{CORE}.log.Log["foo"]',
        ),
        (
            f"tasks: [{{id: d, type: {CORE}.flow.Dag, tasks: [{{task: {{id: t, {LOG}}}, foo: 1}}]}}]",
            f'Flow["tasks"]{LISTED}->{CORE}.flow.Dag["tasks"]{LISTED}->{CORE}.flow.Dag$DagTask["foo"]',
        ),
        (
            f"tasks: [{{id: t, {LOG}, retry: {{type: constant, interval: PT1S, foo: 1}}}}]",
            f'Flow["tasks"]{LISTED}->{CORE}.log.Log["retry"]->io.kestra.core.models.tasks.retrys.Constant["foo"]',
        ),
    ],
)
def test_an_unknown_property_is_placed_as_kestras_parser_places_it(printed, flow, place):
    (found,) = printed(FLOW + flow)
    assert found == f'io.kestra.core.models.flows.{place}: Unrecognized field "foo"'
