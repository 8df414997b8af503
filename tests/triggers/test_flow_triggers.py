"""What a Flow trigger waits for, and when it starts its flow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.triggers import FlowTrigger, Outcome, Window, consider, flow_triggers
from tests.orchestrator.parts import CATALOG

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)

HEAD = """
id: listener
namespace: company.team
tasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: x}]
triggers:
  - id: listen
    type: io.kestra.plugin.core.trigger.Flow
"""

PAIR = f"""{HEAD}    preconditions:
      id: pair
      flows:
        - {{namespace: company.team, flowId: a}}
        - {{namespace: company.team, flowId: b, states: [SUCCESS]}}
"""


def flow(source: str) -> Flow:
    read = read_flow(source, CATALOG, MAIN)
    assert isinstance(read, Flow), [problem.printed() for problem in read]
    return read


def only(source: str) -> FlowTrigger:
    (trigger,) = flow_triggers(flow(source))
    return trigger


class Watched:
    """A trigger with its windows as executions come by."""

    def __init__(self, source: str) -> None:
        self.trigger = only(source)
        self.windows: dict[str, Window] = {}
        self.now = NOW

    def met(self, *names: str, **outputs: object) -> Outcome:
        """An execution meets what these names are written in."""
        met = {
            group.id: frozenset(each.key for each in group.wanted if any(name in each.key for name in names))
            for group in self.trigger.groups
        }
        outcome = consider(self.trigger, met, self.windows, outputs, self.now, UTC)
        self._keep(outcome.windows)
        return outcome

    def _keep(self, changed: Mapping[str, Window | None]) -> None:
        kept = {**self.windows, **changed}
        self.windows = {name: window for name, window in kept.items() if window is not None}


A, B = '"flowId":"a"', '"flowId":"b"'


def test_without_groups_every_execution_starts_the_flow():
    watched = Watched(HEAD)
    assert watched.met().fires
    assert watched.met().fires


def test_states_are_the_terminated_ones_unless_others_are_said():
    assert only(HEAD).states == {"SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED", "RETRIED", "SKIPPED"}
    assert only(f"{HEAD}    states: [RUNNING]\n").states == {"RUNNING"}


def test_a_disabled_flow_or_trigger_waits_for_nothing():
    assert flow_triggers(flow(f"{HEAD}    disabled: true\n")) == ()
    assert flow_triggers(flow(f"{HEAD}disabled: true\n")) == ()


def test_a_group_is_met_by_several_executions():
    watched = Watched(PAIR)
    assert not watched.met(A).fires
    assert watched.met(B).fires


def test_what_was_met_twice_counts_once():
    watched = Watched(PAIR)
    assert not watched.met(A).fires
    assert not watched.met(A).fires
    assert watched.met(B).fires


def test_one_execution_may_meet_all_of_a_group():
    assert Watched(PAIR).met(A, B).fires


def test_once_it_has_started_the_flow_all_is_to_be_met_again():
    watched = Watched(PAIR)
    watched.met(A)
    assert watched.met(B).windows == {"pair": None}
    assert not watched.met(B).fires
    assert watched.met(A).fires


def test_without_a_reset_each_further_one_starts_the_flow_within_the_window():
    watched = Watched(f"{PAIR}      resetOnSuccess: false\n")
    assert not watched.met(A).fires
    assert watched.met(B).fires
    assert watched.met(A).fires
    assert not watched.met().fires
    watched.now += timedelta(days=1)
    assert not watched.met(A).fires


def test_a_window_that_is_over_counts_no_more():
    watched = Watched(PAIR)
    watched.met(A)
    watched.now = NOW.replace(hour=23, minute=59, second=59, microsecond=999_999)
    kept = dict(watched.windows)
    assert watched.met().windows == {}
    watched.now = NOW.replace(hour=0) + timedelta(days=1)
    assert watched.met().windows == {"pair": None}
    watched.windows = kept
    assert not watched.met(B).fires
    assert [window.met for window in watched.windows.values()] == [{watched.trigger.groups[0].wanted[1].key}]


def test_outside_of_its_hours_nothing_is_remembered():
    watched = Watched(
        f"{PAIR}      timeWindow: {{type: DAILY_TIME_WINDOW, startTime: '06:00:00', endTime: '09:00:00'}}\n"
    )
    assert not watched.met(A, B).fires
    assert watched.windows == {}
    watched.now = NOW.replace(hour=6)
    assert watched.met(A, B).fires


def test_a_sliding_window_begins_with_the_first_match():
    watched = Watched(f"{PAIR}      timeWindow: {{type: SLIDING_WINDOW, window: PT1H}}\n")
    watched.met(A)
    watched.now += timedelta(minutes=59)
    assert watched.met(B).fires
    watched.met(A)
    watched.now += timedelta(minutes=60)
    assert not watched.met(B).fires


def test_the_outputs_of_all_that_met_a_group_are_seen_the_last_ones_first():
    watched = Watched(PAIR)
    watched.met(A, a=1, shared="a")
    assert watched.met(B, b=2, shared="b").outputs == {"a": 1, "b": 2, "shared": "b"}


def test_what_was_met_still_counts_when_the_flow_is_saved_anew():
    watched = Watched(PAIR)
    watched.met(A)
    watched.trigger = only(
        PAIR.replace("        - {namespace: company.team, flowId: a}\n", "")
        + "        - {namespace: company.team, flowId: a}\n"
    )
    assert watched.met(B).fires


def test_a_group_that_asks_for_nothing_is_met():
    assert Watched(f"{HEAD}    preconditions: {{id: none}}\n").met().fires


MULTIPLE = f"""{HEAD}    conditions:
      - type: io.kestra.plugin.core.condition.ExecutionNamespace
        namespace: company.team
      - id: several
        type: io.kestra.plugin.core.condition.MultipleCondition
        window: PT1H
        conditions:
          first: {{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: company.team, flowId: a}}
          second: {{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: company.team, flowId: b}}
"""


def test_a_multiple_condition_is_a_group_and_the_others_are_plain():
    trigger = only(MULTIPLE)
    assert [each.canonical.rpartition(".")[2] for each in trigger.conditions] == ["ExecutionNamespace"]
    (group,) = trigger.groups
    assert (group.id, group.window.length, group.resets) == ("several", timedelta(hours=1), True)
    assert [each.asked.properties["flowId"] for each in group.wanted] == ["a", "b"]


def test_an_entry_of_where_may_have_any_name():
    one = "{id: two words, filters: [{field: FLOW_ID, type: EQUAL_TO, value: c}]}"
    assert Watched(f"{HEAD}    preconditions: {{id: p, where: [{one}]}}\n").met('"value":"c"').fires


def test_two_groups_are_to_be_complete_together():
    both = f"""{MULTIPLE}    preconditions:
      id: more
      where:
        - id: c
          filters: [{{field: FLOW_ID, type: EQUAL_TO, value: c}}]
"""
    watched = Watched(both)
    assert not watched.met(A, B).fires
    assert set(watched.windows) == {"several"}
    assert watched.met('"value":"c"').fires
    assert watched.windows == {}


@pytest.mark.parametrize("alias", ["io.kestra.core.models.triggers.types.Flow", "io.kestra.plugin.core.trigger.Flow"])
def test_an_older_name_of_the_type_is_as_good(alias: str):
    assert only(HEAD.replace("io.kestra.plugin.core.trigger.Flow", alias))


class Remembered:
    """What a window should hold, told the plain way: everything that was met since it began or the flow was started."""

    def __init__(self) -> None:
        self.day: object = None
        self.met: set[str] = set()

    def fires(self, names: frozenset[str], now: datetime, *, resets: bool) -> bool:
        if now.date() != self.day:
            self.day, self.met = now.date(), set()
        self.met |= names
        complete = bool(names) and self.met == {A, B}
        if complete and resets:
            self.met = set()
        return complete


moves = some.tuples(some.frozensets(some.sampled_from([A, B])), some.timedeltas(timedelta(), timedelta(hours=20)))


@given(some.lists(moves, max_size=30), some.booleans())
def test_a_trigger_fires_when_a_plain_count_says_so(taken: list[tuple[frozenset[str], timedelta]], resets: bool):
    watched = Watched(PAIR if resets else f"{PAIR}      resetOnSuccess: false\n")
    remembered = Remembered()
    for names, later in taken:
        watched.now += later
        expected = remembered.fires(names, watched.now, resets=resets)
        assert watched.met(*names).fires is expected
