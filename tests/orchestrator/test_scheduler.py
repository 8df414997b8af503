"""The scheduler: dates come due, start executions once, and leave a record."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from casemate.errors import Refused
from casemate.executions import Execution, State
from casemate.flows import Label
from casemate.identifiers import MAIN
from casemate.jobs import Finished, Grant
from casemate.orchestrator import Conflict, NotFound
from casemate.store import Filter, Page, executions, flows, logs, triggers
from casemate.triggers import SCHEDULE

from .parts import START, Clock, Plane, finished, plane, working

pytestmark = pytest.mark.anyio

PLACE = (MAIN, "company.team", "timed")
KEY = (*PLACE, "t")

FLOW = """
id: timed
namespace: company.team
labels: {own: flow}
inputs:
  - {id: a, type: STRING, defaults: default}
  - {id: b, type: STRING, required: false}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - id: t
    type: io.kestra.plugin.core.trigger.Schedule
"""

HOURLY = f'{FLOW}    cron: "0 * * * *"\n'


async def rounds(service: Plane, number: int = 1) -> None:
    for _ in range(number):
        await service.orchestrator.scheduler.round()


async def started(service: Plane) -> list[Execution]:
    """Every execution so far, the oldest first."""
    found, _ = await service.db.read(executions.search, MAIN, (), Page(size=1000, sort=("startDate:asc",)))
    return list(found)


async def record(service: Plane, trigger: str = "t"):
    return await service.db.read(triggers.get, (*PLACE, trigger))


async def scheduled(service: Plane, source: str = HOURLY) -> None:
    """Save it, and let the scheduler see it."""
    await service.save(source)
    await rounds(service)


async def dates(service: Plane) -> list[str]:
    return [execution.trigger["variables"]["date"] for execution in await started(service)]


async def all_ended(service: Plane) -> None:
    for execution in await started(service):
        await service.ended(execution)
    if isinstance(service.clock, Clock):
        service.clock.forward(seconds=1)  # the next one is to begin after these


async def test_nothing_starts_before_its_date(service: Plane, clock: Clock):
    await scheduled(service)
    clock.forward(minutes=59, seconds=59)
    await rounds(service)
    assert await started(service) == []
    assert (await record(service)).next_date == START + timedelta(hours=1)


async def test_a_date_starts_an_execution_that_knows_it(service: Plane, clock: Clock):
    await scheduled(service, f'{HOURLY}    inputs: {{a: "{{{{ trigger.date }}}}"}}\n    labels: {{mine: label}}\n')
    clock.forward(hours=1)
    await rounds(service)
    (execution,) = await started(service)
    seen = {"date": "2026-05-01T13:00:00Z", "next": "2026-05-01T14:00:00Z", "previous": "2026-05-01T12:00:00Z"}
    assert execution.trigger == {"id": "t", "type": "io.kestra.plugin.core.trigger.Schedule", "variables": seen}
    assert execution.variables == {"schedule": seen}
    assert execution.inputs == {"a": "2026-05-01T13:00:00Z", "b": None}
    assert [label.key for label in execution.labels] == ["own", "mine", "system.correlationId"]
    state = await record(service)
    assert (state.execution_id, state.date) == (execution.id, START + timedelta(hours=1))
    assert (state.next_date, state.triggered) == (START + timedelta(hours=2), clock())


async def test_it_waits_for_the_end_of_its_execution(service: Plane, clock: Clock):
    await scheduled(service)
    clock.forward(hours=3)
    await rounds(service, 3)
    assert len(await started(service)) == 1
    async with working(await service.link()):
        await all_ended(service)
    # nobody works now: one that ended within a round would let that round start the next
    await rounds(service, 2)
    assert await dates(service) == ["2026-05-01T13:00:00Z", "2026-05-01T14:00:00Z"]


async def test_unlocked_it_does_not_wait(service: Plane, clock: Clock):
    await scheduled(service)
    clock.forward(hours=2)
    await rounds(service)
    await service.orchestrator.triggers.unlock(KEY)
    await rounds(service)
    assert len(await started(service)) == 2


async def test_rounds_at_the_same_time_start_it_once(service: Plane, clock: Clock):
    await scheduled(service)
    clock.forward(hours=1)
    await asyncio.gather(*(service.orchestrator.scheduler.round() for _ in range(5)))
    assert len(await started(service)) == 1


async def test_conditions_are_asked_at_the_date(service: Plane, clock: Clock):
    condition = "{type: io.kestra.plugin.core.condition.Expression, expression: \"{{ trigger.date contains 'T14' }}\"}"
    await scheduled(service, f"{HOURLY}    conditions: [{condition}]\n")
    clock.forward(hours=1)
    await rounds(service)
    assert await started(service) == []
    clock.forward(hours=1)
    await rounds(service)
    (execution,) = await started(service)
    assert execution.trigger["variables"] == {
        "date": "2026-05-01T14:00:00Z",
        "next": "2026-05-02T14:00:00Z",
        "previous": "2026-04-30T14:00:00Z",
    }


@pytest.mark.parametrize(
    "broken",
    [
        'conditions: [{type: io.kestra.plugin.core.condition.Expression, expression: "{{ nothing }}"}]',
        "conditions: [{type: io.kestra.plugin.core.condition.ExecutionStatus, in: [FAILED]}]",
        "conditions: [{type: io.kestra.plugin.core.condition.PublicHoliday, country: XX}]",
        'inputs: {a: "{{ nothing }}"}',
    ],
)
async def test_what_fails_is_seen_as_an_execution_that_failed(service: Plane, clock: Clock, broken: str):
    await scheduled(service, f"{HOURLY}    {broken}\n")
    clock.forward(hours=1)
    await rounds(service, 2)
    (execution,) = await started(service)
    assert [moment.state for moment in execution.history.moments] == [State.CREATED, State.FAILED]
    assert execution.over
    assert [label.key for label in execution.labels] == ["own", "system.correlationId"]
    entries = await service.db.read(logs.of_execution, MAIN, execution.id, logs.Wanted())
    assert entries[0].message == "Unable to evaluate the trigger 't'"
    assert entries[0].trigger_id == "t"
    assert len(entries) == 2
    assert (await record(service)).next_date == START + timedelta(hours=2)


async def test_a_reason_tells_no_secret(service: Plane, clock: Clock):
    condition = "{type: io.kestra.plugin.core.condition.Weekend, date: \"{{ secret('TOKEN') }}\"}"
    await scheduled(service, f"{HOURLY}    conditions: [{condition}]\n")
    clock.forward(hours=1)
    await rounds(service)
    (execution,) = await started(service)
    entries = await service.db.read(logs.of_execution, MAIN, execution.id, logs.Wanted())
    assert execution.state is State.FAILED
    assert "could not be parsed" in entries[1].message
    assert "opensesame" not in entries[1].message


async def test_a_flow_whose_inputs_must_be_given_fails_visibly(service: Plane, clock: Clock):
    await scheduled(service, HOURLY.replace("{id: b, type: STRING, required: false}", "{id: b, type: STRING}"))
    clock.forward(hours=1)
    await rounds(service)
    (execution,) = await started(service)
    assert execution.state is State.FAILED


@pytest.mark.parametrize("off", ["disabled: true\n", "    disabled: true\n"])
async def test_what_is_disabled_is_never_due(service: Plane, clock: Clock, off: str):
    await scheduled(service, HOURLY + off)
    clock.forward(hours=5)
    await rounds(service, 2)
    assert await started(service) == []
    await scheduled(service)
    assert (await record(service)).next_date == START + timedelta(hours=6)


async def test_switched_off_and_on(service: Plane, clock: Clock):
    await scheduled(service)
    assert (await service.orchestrator.triggers.switch(KEY, disabled=True)).disabled
    clock.forward(hours=5)
    await rounds(service)
    assert await started(service) == []
    await service.orchestrator.triggers.switch(KEY, disabled=False)
    await rounds(service, 2)
    assert await started(service) == []
    assert (await record(service)).next_date == START + timedelta(hours=6)


async def test_switched_on_with_what_was_missed(service: Plane, clock: Clock):
    await scheduled(service)
    await service.orchestrator.triggers.switch(KEY, disabled=True)
    clock.forward(hours=5)
    await service.orchestrator.triggers.switch(KEY, disabled=False, recover=True)
    await rounds(service)
    assert await dates(service) == ["2026-05-01T13:00:00Z"]


async def test_a_state_may_stop_the_trigger(service: Plane, clock: Clock):
    await scheduled(service, f"{HOURLY}    stopAfter: [FAILED]\n")
    clock.forward(hours=1)
    await rounds(service)
    async with working(await service.link(), lambda grant: finished(grant, "FAILED")):
        await all_ended(service)
    await rounds(service)
    state = await record(service)
    assert (state.disabled, state.execution_id) == (True, None)


async def test_an_execution_that_fails_from_the_start_may_stop_it_too(service: Plane, clock: Clock):
    await scheduled(service, f"{HOURLY}    stopAfter: [FAILED]\n    inputs: {{a: '{{{{ nothing }}}}'}}\n")
    clock.forward(hours=1)
    await rounds(service)
    assert len(await started(service)) == 1
    assert (await record(service)).disabled


async def test_a_changed_flow_is_planned_anew(service: Plane, clock: Clock):
    await scheduled(service)
    await scheduled(service, HOURLY.replace("0 * * * *", "30 * * * *"))
    assert (await record(service)).next_date == START + timedelta(minutes=30)


async def test_a_flow_that_cannot_be_read_any_more_is_left_until_it_is_saved_again(service: Plane, clock: Clock):
    flow = await service.save(HOURLY)
    broken = type(flow)(**{**{name: getattr(flow, name) for name in flow.__slots__}, "source": "id: timed"})
    await service.db.transact(flows.save, broken, clock())
    clock.forward(hours=1)
    await rounds(service, 2)
    assert await started(service) == []


async def test_dates_of_a_list(service: Plane, clock: Clock):
    source = FLOW.replace("trigger.Schedule", "trigger.ScheduleOnDates")
    await scheduled(service, f"{source}    dates: ['2026-05-01T13:00:00Z', '2020-01-01T00:00:00+02:00']\n")
    await rounds(service)
    async with working(await service.link()):
        await all_ended(service)
        clock.forward(hours=2)
        await rounds(service, 2)
        await all_ended(service)
    await rounds(service)
    assert await dates(service) == ["2019-12-31T22:00:00Z", "2026-05-01T13:00:00Z"]
    assert (await record(service)).next_date is None


async def test_dates_of_a_list_may_be_templates(service: Plane):
    source = FLOW.replace("trigger.Schedule", "trigger.ScheduleOnDates")
    await scheduled(service, f"variables: {{when: '2026-05-01T15:00:00Z'}}{source}    dates: ['{{{{ vars.when }}}}']\n")
    assert (await record(service)).next_date == START + timedelta(hours=3)


async def test_a_template_may_give_the_whole_list(service: Plane):
    source = FLOW.replace("trigger.Schedule", "trigger.ScheduleOnDates")
    await scheduled(service, f"variables: {{when: ['2026-05-01T15:00:00Z']}}{source}    dates: '{{{{ vars.when }}}}'\n")
    assert (await record(service)).next_date == START + timedelta(hours=3)


async def test_dates_that_are_none_are_told_in_the_log_of_the_trigger(service: Plane):
    source = FLOW.replace("trigger.Schedule", "trigger.ScheduleOnDates")
    await scheduled(service, f"{source}    dates: ['some day']\n")
    assert (await record(service)).next_date is None
    entries, _ = await service.db.read(logs.search, MAIN, (Filter("triggerId", "EQUALS", "t"),))
    assert sorted(entry.message for entry in entries) == [
        "Text 'some day' could not be parsed at index 0",
        "Unable to evaluate the trigger 't'",
    ]


# ---- starts of the service


@pytest.mark.parametrize(
    ("recover", "wanted"),
    [
        ("ALL", ["2026-05-01T13:00:00Z", "2026-05-01T14:00:00Z", "2026-05-01T15:00:00Z"]),
        ("LAST", ["2026-05-01T15:00:00Z"]),
        ("NONE", []),
    ],
)
async def test_dates_that_passed_while_no_scheduler_ran(tmp_path: Path, clock: Clock, recover: str, wanted: list[str]):
    async with plane(tmp_path, clock) as service:
        await scheduled(service, f"{HOURLY}    recoverMissedSchedules: {recover}\n")
    clock.forward(hours=3, minutes=30)
    async with plane(tmp_path, clock) as service, working(await service.link()):
        await service.orchestrator.scheduler.recover()
        for _ in range(5):
            await rounds(service)
            await all_ended(service)
        assert await dates(service) == wanted
        assert (await record(service)).next_date == START + timedelta(hours=4)


async def test_what_is_configured_counts_where_the_trigger_does_not_say(tmp_path: Path, clock: Clock):
    async with plane(tmp_path, clock) as service:
        await scheduled(service)
    clock.forward(hours=3, minutes=30)
    async with plane(tmp_path, clock, recover_missed={SCHEDULE: "NONE"}) as service:
        await service.orchestrator.scheduler.recover()
        await rounds(service)
        assert await started(service) == []


async def test_every_second_by_the_real_clock(tmp_path: Path):
    third = asyncio.Event()
    granted: list[Grant] = []

    def carry_out(grant: Grant) -> Finished:
        granted.append(grant)
        third.set() if len(granted) == 3 else None
        return finished(grant)

    async with plane(tmp_path, lambda: datetime.now(UTC)) as service, working(await service.link(), carry_out):
        begun = datetime.now(UTC)
        await service.save(f'{FLOW}    cron: "* * * * * *"\n    withSeconds: true\n')
        service.orchestrator.scheduler.start()
        async with asyncio.timeout(30):
            await third.wait()
        seen = [datetime.fromisoformat(date) for date in await dates(service)]
    assert seen[0] >= begun - timedelta(seconds=1)
    assert {date.microsecond for date in seen} == {0}
    assert {after - before for before, after in pairwise(seen)} == {timedelta(seconds=1)}


# ---- backfills


async def test_a_backfill_runs_date_after_date_with_its_inputs_and_labels(service: Plane):
    await scheduled(service)
    made = await service.orchestrator.triggers.backfill(
        KEY, START - timedelta(days=1), START - timedelta(hours=22), {"b": "given"}, [Label("made", "up")]
    )
    assert made.next_date == START - timedelta(days=1)
    async with working(await service.link()):
        for _ in range(5):
            await rounds(service)
            await all_ended(service)
    found = await started(service)
    assert await dates(service) == ["2026-04-30T12:00:00Z", "2026-04-30T13:00:00Z", "2026-04-30T14:00:00Z"]
    assert {execution.inputs["b"] for execution in found} == {"given"}
    assert Label("made", "up") in found[0].labels
    state = await record(service)
    assert (state.backfill, state.next_date) == (None, START + timedelta(hours=1))


async def test_a_backfill_is_paused_goes_on_and_is_given_up(service: Plane):
    await scheduled(service)
    acting = service.orchestrator.triggers
    await acting.backfill(KEY, START - timedelta(days=1))
    state = await acting.pause_backfill(KEY)
    assert (state.backfill.paused, state.next_date) == (True, START + timedelta(hours=1))
    assert (await acting.unpause_backfill(KEY)).next_date == START - timedelta(days=1)
    state = await acting.delete_backfill(KEY)
    assert (state.backfill, state.next_date) == (None, START + timedelta(hours=1))
    with pytest.raises(Refused):
        await acting.pause_backfill(KEY)


async def test_restarted_it_is_planned_anew(service: Plane, clock: Clock):
    await scheduled(service)
    clock.forward(hours=1)
    await rounds(service)
    state = await service.orchestrator.triggers.restart(KEY)
    assert (state.locked, state.planned) == (False, False)


async def test_a_trigger_without_a_record_is_not_found(service: Plane):
    acting = service.orchestrator.triggers
    for action in (acting.unlock, acting.restart, acting.delete, acting.pause_backfill):
        with pytest.raises(NotFound, match=r"Unable to find trigger t for the flow company\.team\.timed"):
            await action(KEY)
    with pytest.raises(NotFound):
        await acting.backfill(KEY, START)


async def test_only_schedules_are_backfilled(service: Plane):
    source = FLOW.replace("trigger.Schedule", "http.Trigger")
    await service.save(f"{source}    uri: 'http://example.com'\n")
    with pytest.raises(Conflict, match="by dates"):
        await service.orchestrator.triggers.backfill(KEY, START)


async def test_a_deleted_record_is_made_anew_with_the_next_revision(service: Plane):
    await scheduled(service)
    await service.orchestrator.triggers.delete(KEY)
    assert await record(service) is None
    await scheduled(service, HOURLY.replace("hello", "good morning"))
    assert (await record(service)).next_date == START + timedelta(hours=1)
