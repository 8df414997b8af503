"""Whoever writes policies and flows cannot keep the server busy: what rules cost is bounded over a whole flow."""

from casemate.governance import UNABLE

LOG = "io.kestra.plugin.core.log.Log"
GREEDY = "(a|aa|b?){500}"


def logs(count, **more):
    return {"tasks": [{"id": f"t{number}", "type": LOG, "message": "x", **more} for number in range(count)]}


def test_patterns_that_are_cheap_alone_are_refused_when_they_take_too_long_together(policy_of, governed):
    rule = policy_of({"type": "Restrict", "on": "PLUGIN", "property": "message", "regex": GREEDY})
    assert not governed(logs(1, message="c" * 5_000), rule).faults
    (fault,) = governed(logs(100, message="c" * 5_000), rule).faults
    assert fault.message == f"{UNABLE}the patterns of policies would take too long on the flow"


def test_a_pattern_for_types_costs_nothing_more_for_many_tasks(policy_of, governed):
    where = [{"field": "type", "operator": "REGEX", "value": f".*Log|{GREEDY}"}]
    outcome = governed(logs(500), policy_of({"type": "Deny", "on": "PLUGIN", "where": where}))
    assert not outcome.faults
    assert len(outcome.violations) == 500


def test_more_checks_than_a_server_can_make_are_refused(policy_of, governed):
    names = [f"p{number}" for number in range(200_001)]
    for rule in ({"type": "Require", "properties": names}, {"type": "Delete", "properties": names}):
        (fault,) = governed(logs(1), policy_of({**rule, "on": "PLUGIN"})).faults
        assert fault.message == f"{UNABLE}they ask for more than 200000 checks of the flow"


def test_policies_for_other_types_cost_next_to_nothing(policy_of, governed):
    def policy(number):
        where = [{"field": "type", "operator": "STARTS_WITH", "value": f"company.p{number}"}]
        needed = {"type": "Require", "on": "PLUGIN", "where": where, "properties": ["env.TEAM"]}
        return policy_of({"type": "Deny", "on": "PLUGIN", "where": where}, needed, id_=f"p{number}")

    outcome = governed(logs(2_000), *map(policy, range(200)))
    assert not outcome.faults
    assert not outcome.violations
