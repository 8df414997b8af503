"""Secret values on their way: what waits, what is refused and what is handed on is never in the clear."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from casemate.dispatch import Ask
from casemate.errors import Refused
from casemate.executions import Context, Execution, State
from casemate.identifiers import MAIN
from casemate.keys import Keyring
from casemate.sealed import Sealed, envelope, sealed_in
from casemate.secret import Secret
from casemate.secrets import Found
from casemate.store import Page, executions, logs

from .parts import START, Clock, Plane, claimed, plane, working

pytestmark = pytest.mark.anyio

KEYS = Keyring({"k1": Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")}, "k1", named=True)
SEALING = Context(seal=KEYS.seal, unseal=KEYS.unseal)

TIMED = """
id: timed
namespace: company.team
inputs:
  - {id: token, type: SECRET}
  - {id: list, type: ARRAY, itemType: SECRET, required: false}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - {id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 * * * *"}
"""
KEY = (MAIN, "company.team", "timed", "t")

PAUSED = """
id: paused
namespace: company.team
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: token, type: SECRET}
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.wait.onResume.token }}"}
"""

CALLED = """
id: called
namespace: company.team
inputs:
  - {id: number, type: INT}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
"""

CALLING = """
id: calling
namespace: company.team
inputs:
  - {id: token, type: SECRET}
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: called
    inputs: {number: "%s"}
"""

ASKS = """
id: asks
namespace: company.team
tasks:
  - {id: work, type: io.kestra.plugin.core.http.Request, uri: "http://x", encryptBody: true}
"""


async def rows(service: Plane, table: str) -> str:
    def every(tx):
        return str(tx.execute(text(f"SELECT * FROM {table}")).all())

    return await service.db.read(every)


def written(folder: Path, *texts: str) -> list[str]:
    """The files that hold one of these texts. The database writes each change to a log first, where it stays."""
    files = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert files["state.db-wal"]
    return [f"{name}: {text}" for name, content in files.items() for text in texts if text.encode() in content]


async def until(service: Plane, execution: Execution, state: State) -> None:
    async with asyncio.timeout(20):
        async for seen in service.orchestrator.watch(MAIN, execution.id):
            if seen.state is state:
                return


async def test_inputs_of_a_backfill_wait_sealed_for_their_dates(tmp_path: Path):
    async with plane(tmp_path, context=SEALING) as service:
        await service.save(TIMED)
        await service.orchestrator.scheduler.round()
        given = {"token": "opensesame", "list": ["swordfish"]}
        day = timedelta(days=1)
        state = await service.orchestrator.triggers.backfill(
            KEY, START - day, START - day + timedelta(minutes=1), given
        )
        kept = await rows(service, "triggers")
        assert "opensesame" not in str(state) + kept
        assert "swordfish" not in str(state) + kept
        await service.orchestrator.scheduler.round()
        (started,), _ = await service.db.read(executions.search, MAIN, (), Page())
    assert KEYS.unseal(sealed_in(started.inputs["token"])) == "opensesame"
    assert [KEYS.unseal(sealed_in(one)) for one in started.inputs["list"]] == ["swordfish"]


async def test_a_copied_envelope_among_the_inputs_of_a_backfill_stays_shut(tmp_path: Path):
    copied = envelope(KEYS.seal("opensesame"))
    flow = TIMED.replace("{id: list,", "{id: any, type: JSON}\n  - {id: list,")
    async with plane(tmp_path, context=SEALING) as service:
        await service.save(flow)
        await service.orchestrator.scheduler.round()
        day, given = timedelta(days=1), {"token": "swordfish", "any": copied}
        await service.orchestrator.triggers.backfill(KEY, START - day, START - day + timedelta(minutes=1), given)
        await service.orchestrator.scheduler.round()
        (started,), _ = await service.db.read(executions.search, MAIN, (), Page())
    assert started.inputs["any"] == {**copied, "foreign": True}
    assert KEYS.unseal(sealed_in(started.inputs["token"])) == "swordfish"


async def test_a_backfill_with_secrets_needs_a_key(tmp_path: Path):
    async with plane(tmp_path) as service:
        await service.save(TIMED)
        await service.orchestrator.scheduler.round()
        with pytest.raises(Refused, match="encryption is not configured") as raised:
            await service.orchestrator.triggers.backfill(KEY, START - timedelta(days=1), None, {"token": "opensesame"})
        assert "opensesame" not in str(raised.value) + await rows(service, "triggers")


async def test_what_a_pause_asks_for_is_sealed_and_open_for_the_templates_after_it(tmp_path: Path):
    async with plane(tmp_path, context=SEALING) as service:
        execution = await service.orchestrator.create(await service.save(PAUSED), {})
        await until(service, execution, State.PAUSED)
        await service.orchestrator.actions.resume(MAIN, execution.id, {"token": "opensesame"})
        grant = await claimed(await service.link())
        assert grant.variables["outputs"]["wait"]["onResume"] == {"token": "opensesame"}
        assert tuple(grant.opened) == (Secret("opensesame"),)
        assert "opensesame" not in await rows(service, "task_runs") + await rows(service, "executions")


@pytest.mark.parametrize("told", ["inputs.token", "secret('TOKEN')"])
async def test_an_input_that_a_subflow_refuses_is_not_shown(tmp_path: Path, told: str):
    async with plane(tmp_path, context=SEALING) as service:
        await service.save(CALLED)
        flow = await service.save(CALLING % f"{{{{ {told} }}}}")
        execution = await service.ended(await service.orchestrator.create(flow, {"token": "opensesame"}))
        entries = await service.db.read(logs.of_execution, MAIN, execution.id)
        kept = await rows(service, "task_runs") + await rows(service, "executions")
    assert execution.state is State.FAILED
    assert [entry.message for entry in entries if "Expected `INT` but received" in entry.message]
    assert "opensesame" not in str(entries) + kept


async def test_plaintext_is_left_where_it_is_allowed_and_the_log_says_so(tmp_path: Path):
    async with plane(tmp_path, context=Context(plaintext=True, unseal=lambda sealed: sealed.cipher)) as service:
        execution = await service.orchestrator.create(await service.save(ASKS), {})
        link = await service.link()
        grant = await claimed(link)
        sealed = (await link.ask(grant.job, grant.fence, Ask("text.seal", {"text": "clear"}))).value
        entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert sealed_in(sealed) == Sealed("clear")
    told = [(entry.level, entry.message) for entry in entries if entry.task_id == "work"]
    assert ("WARN", "Unable to encrypt the output as encryption is not configured") in told


RESUMES = """
id: resumes
namespace: company.team
tasks:
  - id: task
    type: io.kestra.plugin.core.execution.Resume
    executionId: "{{ inputs.id }}"
    inputs: {token: "{{ secret('TOKEN') }}"}
"""


async def test_what_a_task_resumes_with_is_never_kept_and_comes_again_with_its_question(tmp_path: Path):
    async with plane(tmp_path, context=SEALING) as service:
        source = PAUSED.replace("type: SECRET", "type: SECRET, validator: 'open.*'")
        paused = await service.orchestrator.create(await service.save(source), {})
        await until(service, paused, State.PAUSED)
        await service.orchestrator.create(await service.save(RESUMES.replace("{{ inputs.id }}", paused.id)))
        link = await service.link()
        grant = await claimed(link)

        def question(token: str) -> Ask:
            return Ask("executions.resume", {"executionId": paused.id, "inputs": {"token": token}})

        refused = await link.ask(grant.job, grant.fence, question("swordfish"))
        assert "it must match the pattern `open.*`" in str(refused.error)
        assert paused.id in await rows(service, "replies")
        assert (await link.ask(grant.job, grant.fence, question("opensesame"))).error is None
        say = await claimed(link)
        assert written(tmp_path, "swordfish", "opensesame") == []
    assert say.variables["outputs"]["wait"]["onResume"] == {"token": "opensesame"}


CHOOSES = """
id: chooses
namespace: company.team
tasks:
  - id: choose
    type: io.kestra.plugin.core.flow.If
    condition: "{{ secret('TOKEN') }}"
    then:
      - {id: yes, type: io.kestra.plugin.core.log.Log, message: hello}
"""


class Held:
    """A store of secrets that answers when it may."""

    def __init__(self) -> None:
        self.asked, self.may = Event(), Event()

    def read(self, _address: object) -> Found:
        self.asked.set()
        assert self.may.wait(20)
        return Found(value=Secret("opensesame"))


@pytest.mark.parametrize("context", [Context(), SEALING], ids=["no key", "a key"])
async def test_an_answer_that_comes_during_a_pause_is_written_nowhere_and_asked_again(tmp_path: Path, context: Context):
    held = Held()
    async with plane(tmp_path, context=context, backend=held) as service:
        execution = await service.orchestrator.create(await service.save(CHOOSES))
        await asyncio.to_thread(held.asked.wait, 10)
        await service.orchestrator.actions.pause(MAIN, execution.id)
        held.may.set()
        await service.orchestrator.actions.resume(MAIN, execution.id)
        assert (await claimed(await service.link())).task.id == "yes"
        assert written(tmp_path, "opensesame") == []


REFUSED = """
id: refused
namespace: company.team
inputs:
  - {id: number, type: INT}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - id: t
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 * * * *"
    inputs: {number: "{{ secret('TOKEN') }}"}
"""


async def test_an_input_of_a_schedule_that_is_refused_is_not_shown(tmp_path: Path):
    clock = Clock()
    async with plane(tmp_path, clock) as service:
        await service.save(REFUSED)
        await service.orchestrator.scheduler.round()
        clock.forward(hours=1)
        with capture_logs() as told:
            await service.orchestrator.scheduler.round()
        (failed,), _ = await service.db.read(executions.search, MAIN, (), Page())
        entries = await service.db.read(logs.of_execution, MAIN, failed.id)
        assert failed.state is State.FAILED
        assert any("Expected `INT` but received" in entry.message for entry in entries)
        assert "opensesame" not in str(told) + str(entries)
        assert written(tmp_path, "opensesame") == []


STARTS = """
id: starts
namespace: company.team
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    """


@pytest.mark.parametrize(
    "line",
    [
        "flowId: \"{{ secret('TOKEN') }}\"",
        "flowId: called\n    scheduleDate: \"{{ secret('TOKEN') }}\"",
        "flowId: called\n    inputs: {number: 1}\n    outputs: {x: \"{{ secret('TOKEN') | date(secret('TOKEN')) }}\"}",
    ],
)
async def test_why_a_subflow_cannot_be_started_or_heard_shows_no_secret(tmp_path: Path, line: str):
    async with plane(tmp_path) as service, working(await service.link()):
        await service.save(CALLED)
        flow = await service.save(STARTS + line)
        execution = await service.ended(await service.orchestrator.create(flow))
        assert execution.state is State.FAILED
        assert written(tmp_path, "opensesame") == []


DATES = """
id: dates
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
triggers:
  - {id: t, type: io.kestra.plugin.core.trigger.ScheduleOnDates, dates: ["{{ secret('TOKEN') }}"]}
"""


async def test_a_secret_that_is_no_date_is_not_shown(tmp_path: Path):
    async with plane(tmp_path) as service:
        await service.save(DATES)
        with capture_logs() as told:
            await service.orchestrator.scheduler.round()
        assert "could not be parsed" in str(told)
        assert "opensesame" not in str(told)
        assert written(tmp_path, "opensesame") == []
