"""What an evaluation of a trigger that polls came to: an execution, or none (spec/engine 9.2, http.Trigger)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import structlog

from casemate.errors import CasemateError
from casemate.executions import Context, Execution, Grounds, holds
from casemate.expressions import ExpressionError, truthy
from casemate.identifiers import ExecutionId
from casemate.jobs import Finished, LogLine
from casemate.orchestrator import entries, firing
from casemate.orchestrator.dating import Found
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.starting import Filling, Starting
from casemate.orchestrator.step import Surroundings
from casemate.sealed import sealed_in
from casemate.secret import Secret
from casemate.store import Conflict, Database, StoreUnavailable, logs, triggers
from casemate.triggers import TriggerState, fired, interval_of, polled

log = structlog.get_logger()


class Polled:
    """Judges them."""

    def __init__(
        self, db: Database, lives: Lives, starting: Starting, context: Context, around: Callable[[], Surroundings]
    ) -> None:
        self._db = db
        self._lives = lives
        self._starting = starting
        self._context = context
        self._around = around

    async def write(self, state: TriggerState, lines: Iterable[LogLine]) -> None:
        """Keep what it wrote in the log of the trigger."""
        await self._db.transact(logs.append, tuple(entries.of_trigger(state.key, lines)))

    async def lost(self, state: TriggerState, found: Found) -> None:
        """Its worker was lost, or none took it: the next one comes after the interval."""
        await self._over(state, found, "No worker has evaluated it in time.")

    async def ended(self, state: TriggerState, found: Found, execution: ExecutionId, report: Finished) -> None:
        """Start the execution if the answer and all conditions say so, under the id that the evaluation had."""
        await self.write(state, report.lines)
        outputs = report.outputs
        if report.state not in ("SUCCESS", "WARNING") or outputs is None:
            await self._over(state, found, "The request failed.")
            return
        await self.write(state, [LogLine(at=self._around().now, level="DEBUG", message=_answered(outputs))])
        bare = self._starting.bare(found.flow, found.trigger, outputs, id=execution)
        try:
            wanted = await self._starting.within(found.flow, bare, partial(self._meets, found, outputs))
        except ExpressionError as error:
            await self._over(state, found, str(error))
            return
        if wanted:
            await self._start(state, found, bare)
        else:
            await self._over(state, found)

    async def _start(self, state: TriggerState, found: Found, bare: Execution) -> None:
        around = self._around()
        after = polled(state, interval_of(found.trigger), around.now)
        try:
            execution = await self._execution(found, bare)
        except StoreUnavailable:
            raise
        except CasemateError as error:
            await self._fail(state, after, found, bare, str(error))
            return
        if execution is None:
            await self._save(state, after)
            return
        after = fired(after, execution.id, around.now)
        begun = await self._db.transact(firing.fire, found.flow, execution, state, after, around)
        self._lives.adopt(found.flow, begun)
        log.info("trigger.fired", flow=state.flow_id, trigger=state.trigger_id, execution=execution.id)

    async def _execution(self, found: Found, bare: Execution) -> Execution | None:
        """The execution to start, None if a condition does not hold. Raises for what fails."""
        if not await self._starting.within(found.flow, bare, partial(self._conditions, found, bare)):
            return None
        outputs = (bare.trigger or {})["variables"]
        assert isinstance(outputs, Mapping), "they are the outputs of the request"
        return await self._starting.triggered(found.flow, found.trigger, outputs, id=bare.id)

    async def _fail(self, state: TriggerState, after: TriggerState, found: Found, bare: Execution, reason: str) -> None:
        # The answer may be what is too large to be kept.
        failed = replace(bare, trigger={**(bare.trigger or {}), "variables": {}})
        written = await self._db.transact(firing.fail, found.flow, failed, reason, state, after, self._around())
        self._lives.adopt(found.flow, written)

    def _conditions(self, found: Found, bare: Execution, fill: Filling) -> bool:
        grounds = Grounds(render=lambda _, *args: fill(*args), execution=bare, zone=self._context.zone)
        return all(holds(grounds, "", each) for each in found.trigger.conditions)

    def _meets(self, found: Found, outputs: Mapping[str, object], fill: Filling) -> bool:
        condition = found.trigger.properties.get("responseCondition")
        body = self._opened(outputs, fill) if "encryptedBody" in outputs else outputs.get("body")
        seen = {"statusCode": outputs.get("code"), "body": body, "headers": outputs.get("headers")}
        return condition is None or truthy(fill(condition, {"response": seen}))

    def _opened(self, outputs: Mapping[str, object], fill: Filling) -> str | None:
        """A sealed body, open for the condition only: it stays sealed elsewhere, and covered in what is told."""
        sealed, unseal = sealed_in(outputs["encryptedBody"]), self._context.unseal
        if sealed is None or unseal is None:
            return None
        clear = unseal(sealed)
        fill.world.mask.add(Secret(clear))
        return clear

    async def _over(self, state: TriggerState, found: Found, reason: str | None = None) -> None:
        """Nothing starts; a reason goes into the log of the trigger."""
        if reason is not None:
            log.warning("trigger.failed", flow=state.flow_id, trigger=state.trigger_id, reason=reason)
            await self.write(state, entries.unevaluated(state.trigger_id, reason, self._around().now))
        await self._save(state, polled(state, interval_of(found.trigger), self._around().now))

    async def _save(self, before: TriggerState, after: TriggerState) -> None:
        try:
            await self._db.transact(triggers.save, before, after)
        except Conflict:
            log.debug("trigger.changed_meanwhile", flow=before.flow_id, trigger=before.trigger_id)


def _answered(outputs: Mapping[str, object]) -> str:
    return f"{outputs.get('uri')} respond with status code '{outputs.get('code')}'"
