"""ForEachItem: one execution for each part of a file, their ends counted, their outputs joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.dispatch import WorkerLink
from casemate.executions import Context, Execution, State
from casemate.executions.subflows import AT_ONCE
from casemate.flows import SPLIT
from casemate.identifiers import MAIN
from casemate.jobs import Finished, Grant, Stale
from casemate.keys import Keyring
from casemate.secret import Secret
from casemate.store import Filter, Page, executions, logs

from .parts import Plane, finished, plane, working

pytestmark = pytest.mark.anyio

EACH = """
id: loop
namespace: company.team
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: kestra:///company/team/items.csv
    namespace: company.team
    flowId: child
    inputs:
      items: "{{ taskrun.items }}"
      number: "{{ taskrun.iteration }}"
  - id: after
    type: io.kestra.plugin.core.log.Log
    message: done
"""

CHILD = """
id: child
namespace: company.team
inputs:
  - id: items
    type: STRING
  - id: number
    type: INT
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ inputs.items }}"
outputs:
  - id: doubled
    type: INT
    value: "{{ inputs.number * 2 }}"
"""

SILENT = CHILD[: CHILD.index("outputs:")]


def with_line(line: str) -> str:
    return EACH.replace("    flowId: child\n", f"    flowId: child\n    {line}\n")


class Splitting:
    """A worker that splits into so many parts, and ends everything else as it is told."""

    def __init__(self, service: Plane, count: int, state: Callable[[Grant], str] = lambda grant: "SUCCESS") -> None:
        self.service, self.count, self.state = service, count, state

    async def __call__(self, link: WorkerLink, grant: Grant) -> Finished:
        if grant.task.canonical != SPLIT:
            return finished(grant, self.state(grant))
        parts = [f"{grant.storage}/items-{number:06}.csv" for number in range(self.count)]
        listed = "".join(f"{part}\n" for part in parts).encode()
        await self.service.storage.put(MAIN, f"{grant.storage}/splits.txt", listed)
        return finished(grant, outputs={"splits": f"{grant.storage}/splits.txt", "count": self.count})


async def ended(service: Plane, execution: Execution, worker: Splitting) -> Execution:
    """The execution at its end, with this worker at work."""
    link = await service.link()

    async def work() -> None:
        while True:
            grant = await link.claim(await link.next())
            if not isinstance(grant, Stale):
                await link.report(await worker(link, grant))

    task = asyncio.create_task(work())
    try:
        return await service.ended(execution)
    finally:
        task.cancel()


async def begun(service: Plane, source: str = EACH, child: str = CHILD) -> Execution:
    await service.save(child)
    return await service.orchestrator.create(await service.save(source))


async def subflows(service: Plane, execution: Execution) -> tuple[Execution, ...]:
    wanted = (Filter("triggerExecutionId", "EQUALS", execution.id),)
    found, _ = await service.db.read(executions.search, MAIN, wanted, Page(size=1000))
    return found


def only_say_fails(grant: Grant) -> str:
    return "FAILED" if grant.task.id == "say" else "SUCCESS"


def states(execution: Execution) -> dict[str, str]:
    return {run.task_id: run.state.value for run in execution.task_runs.values()}


def items(execution: Execution):
    return next(run for run in execution.task_runs.values() if run.task_id == "each_items")


async def test_every_part_has_an_execution_of_its_own(service: Plane):
    execution = await begun(service)
    count = AT_ONCE * 2 + 3
    done = await ended(service, execution, Splitting(service, count))
    assert list(states(done).items()) == [
        ("each", "SUCCESS"),
        ("each_split", "SUCCESS"),
        ("each_items", "SUCCESS"),
        ("each_merge", "SUCCESS"),
        ("after", "SUCCESS"),
    ]
    assert items(done).outputs["numberOfBatches"] == count
    assert items(done).outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": count}
    found = await subflows(service, execution)
    assert sorted(one.inputs["number"] for one in found) == list(range(1, count + 1))
    for one in found:
        assert one.inputs["items"].endswith(f"items-{one.inputs['number'] - 1:06}.csv")
        assert one.trigger["type"] == "io.kestra.plugin.core.flow.ForEachItem$ForEachItemExecutable"


async def test_what_they_put_out_is_joined_in_the_order_of_the_parts(service: Plane):
    execution = await begun(service)
    done = await ended(service, execution, Splitting(service, 12))
    merge = next(run for run in done.task_runs.values() if run.task_id == "each_merge")
    content = await service.storage.get(MAIN, merge.outputs["subflowOutputs"])
    assert content.decode() == "".join(f"{{doubled:{number * 2}}}\n" for number in range(1, 13))


SECRETIVE = f"""{CHILD}
  - id: token
    type: SECRET
    value: "{{{{ secret('TOKEN') }}}}"
  - id: all
    type: ARRAY
    itemType: SECRET
    value: "{{{{ [secret('TOKEN')] }}}}"
"""


async def test_what_is_sealed_is_in_no_file_of_theirs(tmp_path: Path):
    keys = Keyring({"k1": Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")}, "k1", named=True)
    async with plane(tmp_path, context=Context(seal=keys.seal, unseal=keys.unseal)) as service:
        execution = await begun(service, child=SECRETIVE)
        done = await ended(service, execution, Splitting(service, 2))
        merge = next(run for run in done.task_runs.values() if run.task_id == "each_merge")
        content = await service.storage.get(MAIN, merge.outputs["subflowOutputs"])
        files = [file.read_bytes() for file in (tmp_path / "storage").rglob("*") if file.is_file()]
    line = '{{doubled:{0},token:"******",all:["******"]}}\n'
    assert content.decode() == line.format(2) + line.format(4)
    assert not any(b"aes_encrypted" in each for each in files)


async def test_executions_without_outputs_leave_nothing_to_join(service: Plane):
    execution = await begun(service, child=SILENT)
    done = await ended(service, execution, Splitting(service, 3))
    assert next(run for run in done.task_runs.values() if run.task_id == "each_merge").outputs is None


async def test_an_empty_file_starts_nothing(service: Plane):
    execution = await begun(service)
    done = await ended(service, execution, Splitting(service, 0))
    assert done.state is State.SUCCESS
    assert len(done.task_runs) == 5
    assert items(done).outputs is None
    assert await subflows(service, execution) == ()


async def test_one_failure_fails_the_whole_after_all_have_ended(service: Plane):
    execution = await begun(service)

    def state(grant: Grant) -> str:
        return "FAILED" if grant.variables["inputs"].get("number") == 2 else "SUCCESS"

    done = await ended(service, execution, Splitting(service, 4, state))
    assert states(done) == {"each": "FAILED", "each_split": "SUCCESS", "each_items": "FAILED"}
    assert items(done).outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": 3, "FAILED": 1}


async def test_an_allowed_failure_is_a_warning_of_the_whole(service: Plane):
    execution = await begun(service, with_line("allowFailure: true"))
    done = await ended(service, execution, Splitting(service, 2, only_say_fails))
    assert done.state is State.WARNING
    assert states(done) == {
        "each": "WARNING",
        "each_split": "SUCCESS",
        "each_items": "FAILED",
        "after": "SUCCESS",
    }


async def test_failures_that_are_not_transmitted_are_only_counted(service: Plane):
    execution = await begun(service, with_line("transmitFailed: false"))
    done = await ended(service, execution, Splitting(service, 2, only_say_fails))
    assert done.state is State.SUCCESS
    assert items(done).outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "FAILED": 2}


async def test_who_does_not_wait_goes_on_once_all_are_started(service: Plane):
    execution = await begun(service, with_line("wait: false"))
    done = await ended(service, execution, Splitting(service, AT_ONCE + 2))
    assert items(done).outputs["iterations"] == {"RUNNING": 0, "SUCCESS": AT_ONCE + 2}


async def test_a_flow_that_is_not_there_fails_it_without_asking_for_all(service: Plane):
    execution = await begun(service, EACH.replace("flowId: child", "flowId: nobody"))
    done = await ended(service, execution, Splitting(service, 500))
    assert states(done) == {"each": "FAILED", "each_split": "SUCCESS", "each_items": "FAILED"}
    entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    refused = [entry for entry in entries if "Unable to find flow 'company.team'.'nobody'" in entry.message]
    assert 0 < len(refused) <= AT_ONCE


async def test_a_list_that_names_other_files_is_not_followed(service: Plane):
    class Lying(Splitting):
        async def __call__(self, link: WorkerLink, grant: Grant) -> Finished:
            listed = f"{grant.storage}/splits.txt"
            await self.service.storage.put(MAIN, listed, b"kestra:///company/team/secret.txt\n")
            return finished(grant, outputs={"splits": listed, "count": 1})

    execution = await begun(service)
    done = await ended(service, execution, Lying(service, 1))
    assert done.state is State.FAILED
    assert await subflows(service, execution) == ()


async def test_a_kill_stops_all_of_them(service: Plane):
    execution = await begun(service)
    link = await service.link()
    held: list[Grant] = []
    splitting = Splitting(service, AT_ONCE * 3)
    while len(held) < AT_ONCE:
        grant = await link.claim(await link.next())
        if isinstance(grant, Grant) and grant.task.canonical == SPLIT:
            await link.report(await splitting(link, grant))
        elif isinstance(grant, Grant):
            held.append(grant)
    await service.orchestrator.kill(MAIN, execution.id)
    for grant in held:
        await link.report(finished(grant, "KILLED"))
    async with working(link, lambda grant: finished(grant, "KILLED")):
        done = await service.ended(execution)
    assert done.state is State.KILLED
    assert all(one.state is State.KILLED for one in await subflows(service, execution))


async def test_after_crashes_every_part_was_started_once(tmp_path):
    async with plane(tmp_path) as service:
        execution = await begun(service)
    count, rounds = AT_ONCE * 2, 0
    while True:
        rounds += 1
        async with plane(tmp_path) as service:
            link = await service.link(f"w{rounds}")
            left = 7
            while left and not (await service.orchestrator.get(MAIN, execution.id)).state.terminated:
                grant = await link.claim(await link.next()) if link._hints else None
                if isinstance(grant, Grant):
                    await link.report(await Splitting(service, count)(link, grant))
                    left -= 1
                else:
                    await service.orchestrator.tend()
            done = await service.orchestrator.get(MAIN, execution.id)
            found = await subflows(service, execution)
        if done.state.terminated:
            break
    assert rounds > 2
    assert done.state is State.SUCCESS
    assert sorted(one.inputs["number"] for one in found) == list(range(1, count + 1))
    assert items(done).outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": count}
