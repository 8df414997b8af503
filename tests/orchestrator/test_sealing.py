"""Secret values on their way: what waits, what is refused and what is handed on is never in the clear."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from casemate.dispatch import Ask
from casemate.errors import Refused
from casemate.executions import Context, State
from casemate.identifiers import MAIN
from casemate.keys import Keyring
from casemate.sealed import Sealed, sealed_in
from casemate.secret import Secret
from casemate.store import Page, executions, logs

from .parts import START, Plane, claimed, plane

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
        async with asyncio.timeout(20):
            async for seen in service.orchestrator.watch(MAIN, execution.id):
                if seen.state is State.PAUSED:
                    break
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
