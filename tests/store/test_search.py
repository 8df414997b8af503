"""What searches find: every operation of Kestra's filters, on executions as an example of rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.executions import Execution, History, State
from casemate.flows import Label
from casemate.store import AllOf, AnyOf, Database, Filter, Page, executions

pytestmark = pytest.mark.anyio

# fmt: off
FOUND = [
    # texts: large and small letters differ
    ("namespace", "EQUALS", "company.team", "ab"),
    ("namespace", "NOT_EQUALS", "company.team", "cd"),
    ("namespace", "IN", ["company", "Company.team"], "cd"),
    ("namespace", "NOT_IN", ["company", "Company.team"], "ab"),
    ("namespace", "STARTS_WITH", "comp", "abc"),
    ("namespace", "ENDS_WITH", ".team", "abd"),
    ("namespace", "ENDS_WITH", "a.very.long.company.team", ""),
    ("namespace", "CONTAINS", "any.te", "abd"),
    ("namespace", "CONTAINS", "ANY", ""),
    ("namespace", "CONTAINS", "%", ""),
    ("namespace", "CONTAINS", "", "abcd"),
    ("namespace", "NOT_CONTAINS", "company", "d"),
    ("namespace", "PREFIX", "company", "abc"),
    ("namespace", "PREFIX", "comp", ""),
    ("namespace", "REGEX", r"^company(\.|$)", "abc"),
    ("namespace", "REGEX", "(?i)COMPANY.TEAM", "abd"),
    # what is absent is not what is unwanted
    ("triggerId", "EQUALS", "hook", "b"),
    ("triggerId", "NOT_EQUALS", "hook", "acd"),
    ("triggerId", "NOT_IN", ["hook"], "acd"),
    ("triggerId", "NOT_CONTAINS", "oo", "acd"),
    ("triggerId", "IS_NULL", "", "acd"),
    ("triggerId", "IS_NOT_NULL", "", "b"),
    # numbers and dates, as texts too
    ("flowRevision", "EQUALS", "2", "b"),
    ("flowRevision", "IN", ["1", "3"], "ac"),
    ("flowRevision", "GREATER_THAN", 2, "cd"),
    ("startDate", "LESS_THAN", "2026-05-01T14:00:00+02:00", ""),
    ("startDate", "LESS_THAN_OR_EQUAL_TO", "2026-05-01T12:00:00Z", "a"),
    ("startDate", "EQUALS", "2026-05-01T13:00:00", "b"),
    ("startDate", "NOT_EQUALS", "2026-05-01T13:00:00Z", "acd"),
    ("endDate", "IS_NULL", "", "acd"),
    # few names
    ("state", "EQUALS", "FAILED", "b"),
    ("state", "NOT_IN", ["FAILED", "SUCCESS"], "acd"),
    ("childFilter", "EQUALS", "CHILD", "b"),
    ("childFilter", "NOT_EQUALS", "CHILD", "acd"),
    ("scope", "EQUALS", "USER", "abcd"),
    ("scope", "NOT_EQUALS", "USER", ""),
    ("kind", "NOT_IN", ["TEST"], "abcd"),
    ("kind", "EQUALS", "TEST", ""),
    # labels
    ("labels", "EQUALS", {"env": "prod"}, "ac"),
    ("labels", "EQUALS", {"env": "prod", "team": "x"}, "c"),
    ("labels", "EQUALS", "env:prod", "ac"),
    ("labels", "EQUALS", {"env": "Prod"}, ""),
    ("labels", "EQUALS", {"env": "pro"}, ""),
    ("labels", "NOT_EQUALS", {"env": "prod", "team": "y"}, "d"),
    ("labels", "IN", {"env": ["prod", "dev"], "team": ["y"]}, "abc"),
    ("labels", "NOT_IN", ["env:prod"], "bd"),
    ("labels", "CONTAINS", "tea", "bc"),
    ("labels", "CONTAINS", "prod\x1e", ""),
    ("labels", "NOT_CONTAINS", "env", "bd"),
    # anywhere
    ("q", "EQUALS", "COMPANY", "abcd"),
    ("q", "NOT_EQUALS", "team", "c"),
]
REFUSED = [
    ("colour", "EQUALS", "red"), ("namespace", "GREATER_THAN", "x"), ("namespace", "REGEX", "("),
    ("namespace", "REGEX", r"(a)\1"), ("namespace", "REGEX", "a" * 1001), ("state", "EQUALS", "SUCESS"),
    ("state", "NOT_EQUALS", "SUCESS"), ("state", "STARTS_WITH", "S"), ("scope", "NOT_EQUALS", "SYTEM"),
    ("childFilter", "EQUALS", "child"), ("startDate", "EQUALS", "yesterday"), ("startDate", "CONTAINS", "2026"),
    ("startDate", "EQUALS", "0001-01-01T00:00:00+14:00"), ("flowRevision", "EQUALS", "9" * 400),
    ("labels", "GREATER_THAN", "a:b"), ("labels", "REGEX", "a"), ("q", "REGEX", "x"),
]
# fmt: on


@pytest.fixture
async def rows(db: Database, now):
    made = {
        "a": {"labels": (Label("env", "prod"),)},
        "b": {
            "labels": (Label("team", "y"),),
            "trigger": {"id": "hook", "type": "x", "variables": {"executionId": "e0"}},
        },
        "c": {"namespace": "company", "labels": (Label("env", "prod"), Label("team", "x"))},
        "d": {"namespace": "Company.team"},
    }
    for number, (name, more) in enumerate(made.items()):
        history = History.begun(now + timedelta(hours=number))
        if name == "b":
            history = history.to(State.FAILED, now + timedelta(hours=9))
        place = {"tenant": "main", "namespace": "company.team", "flow_id": "hello", "flow_revision": number + 1}
        await db.transact(executions.insert, Execution(id=name, **{**place, **more}, history=history))
    await db.transact(
        executions.insert,
        Execution(id="e", **{**place, "tenant": "elsewhere"}, history=History.begun(now)),
    )
    return db


async def ids(db: Database, *wanted, tenant="main"):
    found, total = await db.read(executions.search, tenant, wanted, Page(sort=("id:asc",)))
    assert total == len(found)
    return "".join(one.id for one in found)


@pytest.mark.parametrize(("field", "op", "value", "expected"), FOUND)
async def test_a_filter_finds(rows: Database, field, op, value, expected):
    assert await ids(rows, Filter(field, op, value)) == expected


@pytest.mark.parametrize(("field", "op", "value"), REFUSED)
async def test_what_cannot_be_meant_is_refused(rows: Database, field, op, value):
    with pytest.raises(Refused):
        await ids(rows, Filter(field, op, value))


async def test_criteria_are_grouped(rows: Database):
    prod, failed = Filter("labels", "EQUALS", {"env": "prod"}), Filter("state", "EQUALS", "FAILED")
    team = Filter("namespace", "EQUALS", "company.team")
    assert await ids(rows, AnyOf((prod, failed))) == "abc"
    assert await ids(rows, team, AnyOf((prod, failed))) == "ab"
    assert await ids(rows, AnyOf((AllOf((prod, team)), failed))) == "ab"
    assert await ids(rows, AnyOf(())) == ""


async def test_no_filter_reaches_another_tenant(rows: Database):
    everything = AnyOf((Filter("q", "EQUALS", ""), Filter("scope", "IN", ["USER", "SYSTEM"])))
    assert await ids(rows, everything) == "abcd"
    assert await ids(rows, everything, tenant="elsewhere") == "e"


async def test_a_hostile_pattern_is_answered_at_once(rows: Database):
    assert await ids(rows, Filter("namespace", "REGEX", "^(([a-z.])+.)+[A-Z]([a-z.])+$")) == ""


async def test_results_are_sorted_by_state_and_nothing_else_is_made_of_a_direction(rows: Database):
    found, _ = await rows.read(executions.search, "main", (), Page(sort=("state.current:desc", "id:desc")))
    assert [one.id for one in found] == ["b", "d", "c", "a"]
    with pytest.raises(Refused):
        await rows.read(executions.search, "main", (), Page(sort=("id:sideways",)))


async def test_listings_reach_no_other_tenant(rows: Database, now):
    """`b` says that it was started by `e0`, which is an execution of somebody else."""
    foreign = Execution(
        id="e0", tenant="elsewhere", namespace="secret", flow_id="hello", flow_revision=9,
        history=History.begun(now).to(State.SUCCESS, now + timedelta(hours=1)),
    )  # fmt: skip
    await rows.transact(executions.insert, foreign)
    assert await rows.read(executions.distinct, "main", "namespace") == ("Company.team", "company", "company.team")
    assert await rows.read(executions.distinct, "elsewhere", "namespace") == ("company.team", "secret")
    assert await rows.read(executions.distinct, "main", "flowRevision", (Filter("state", "EQUALS", "FAILED"),)) == (2,)
    assert await rows.read(executions.durations, "main", "secret", "hello") == ()
    assert await rows.read(executions.durations, "elsewhere", "secret", "hello") == (timedelta(hours=1),)
    assert await rows.read(executions.started_by, "main", ["e0"]) == ("b",)
    assert await rows.read(executions.started_by, "elsewhere", ["e0"]) == ()
    assert await rows.read(executions.starter_of, "main", ["b"]) == ()
    with pytest.raises(Refused):
        await rows.read(executions.distinct, "main", "inputs")
