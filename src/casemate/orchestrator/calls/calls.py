"""Answering a question of a body: is it allowed, has it been answered before, and what is the answer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from casemate.catalog import Catalog
from casemate.dispatch import Ask, NotHeld, Reply
from casemate.errors import Refused
from casemate.executions import WrongState, task_of
from casemate.identifiers import Fence, WorkerId
from casemate.orchestrator.calls import files, kv, log_entries, other_executions, states, toggling
from casemate.orchestrator.calls.effects import Means, Outcome, Resume, carry_out, outcome_of
from casemate.orchestrator.calls.model import Arguments, Caller, Refusal
from casemate.orchestrator.calls.sealing import SEAL, seal
from casemate.orchestrator.holding import held
from casemate.sealed import Seal
from casemate.storage import Storage, StorageError
from casemate.store import Database, Tx, replies

OnRows: TypeAlias = Callable[[Tx, Caller, Arguments], object]
OnWorld: TypeAlias = Callable[[Means, Caller, Arguments], Awaitable[Outcome]]
Repeated: TypeAlias = Callable[[Means, Caller, Arguments], Awaitable[object]]

READS: Mapping[str, OnRows] = {
    "kv.get": kv.get,
    "kv.keys": kv.keys,
    "state.get": states.get,
    "logs.fetch": log_entries.fetch,
    "executions.count": other_executions.count,
}
"""What changes nothing."""

WRITES: Mapping[str, OnRows] = {
    "kv.set": kv.put,
    "kv.delete": kv.delete,
    "state.set": states.put,
    "state.delete": states.delete,
    "logs.purge": log_entries.purge,
    "triggers.toggle": toggling.toggle,
}
"""What is done in one transaction, once for each attempt."""

LOOKS: Mapping[str, OnWorld] = {
    "storage.size": files.size,
    "namespace.list": files.namespace_files,
}
"""What changes nothing either, and needs more than rows."""

DECIDED: Mapping[str, OnWorld] = {
    "storage.delete": files.delete,
    "storage.purge": files.purge,
    "namespace.upload": files.upload,
    "namespace.download": files.download,
    "namespace.delete": files.remove,
    "executions.resume": other_executions.resume,
}
"""What is decided on once for each attempt, kept, and only then done: asked again, the same is done again."""

REPEATED: Mapping[str, Repeated] = {"executions.purge": other_executions.purge}
"""What finds nothing more to do when it is done again."""


class Calls:
    """Answers them."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        catalog: Catalog,
        resume: Resume,
        seal: Seal = None,
        *,
        plaintext: bool = False,
    ) -> None:
        self._db = db
        self._means = Means(db, storage, resume, seal, plaintext)
        self._catalog = catalog

    def knows(self, function: str) -> bool:
        """Is this a question of a body?"""
        return function == SEAL or any(function in known for known in (READS, WRITES, LOOKS, DECIDED, REPEATED))

    async def reply(self, worker: WorkerId, fence: Fence, caller: Caller, question: Ask) -> Reply:
        """The answer. Raises `NotHeld` if the fence is not the newest any more when something is to be changed."""
        if not self._may_ask(caller, question.function):
            return Reply(error=f"A task of this type must not ask for '{question.function}'.")
        try:
            return Reply(await self._answer(worker, fence, caller, question.function, Arguments(question.arguments)))
        except (Refusal, Refused, WrongState, StorageError) as refusal:
            return Reply(error=str(refusal))

    def _may_ask(self, caller: Caller, function: str) -> bool:
        """By the manifest of the task as it stands in the flow, not by what the worker believes to be running."""
        task = task_of(caller.flow, caller.run.task_id)
        manifest = self._catalog.find(task.canonical, task.version)
        return manifest is not None and function in manifest.asks

    async def _answer(
        self, worker: WorkerId, fence: Fence, caller: Caller, function: str, arguments: Arguments
    ) -> object:
        if function in READS:
            return await self._db.read(READS[function], caller, arguments)
        if function in WRITES:
            return await self._db.transact(_written, worker, fence, caller, function, arguments)
        if function == SEAL:
            return await self._db.transact(_sealed, worker, fence, caller, arguments, self._means)
        if function in LOOKS:
            return (await LOOKS[function](self._means, caller, arguments)).value
        if function in REPEATED:
            return await REPEATED[function](self._means, caller, arguments)
        kept = await self._db.read(replies.of, caller.job, function)
        planned = None if kept else await DECIDED[function](self._means, caller, arguments)
        outcome = await self._db.transact(_decided, worker, fence, caller, function, planned)
        await carry_out(self._means, caller.tenant, outcome, arguments.mapping("inputs"), again=kept is not None)
        return outcome.value


def _written(tx: Tx, worker: WorkerId, fence: Fence, caller: Caller, function: str, arguments: Arguments) -> object:
    _check(tx, worker, fence, caller)
    kept = replies.of(tx, caller.job, function)
    if isinstance(kept, Mapping):
        return kept["value"]
    value = WRITES[function](tx, caller, arguments)
    replies.keep(tx, caller.job, function, Outcome(value).document())
    return value


def _sealed(
    tx: Tx, worker: WorkerId, fence: Fence, caller: Caller, arguments: Arguments, means: Means
) -> dict[str, str]:
    _check(tx, worker, fence, caller)
    return seal(tx, caller, arguments, means)


def _decided(tx: Tx, worker: WorkerId, fence: Fence, caller: Caller, function: str, planned: Outcome | None) -> Outcome:
    """What was decided first, by this asking or an earlier one."""
    _check(tx, worker, fence, caller)
    kept = replies.of(tx, caller.job, function)
    if isinstance(kept, Mapping):
        return outcome_of(kept)
    assert planned is not None, "answers are only ever forgotten together with the job"
    replies.keep(tx, caller.job, function, planned.document())
    return planned


def _check(tx: Tx, worker: WorkerId, fence: Fence, caller: Caller) -> None:
    # Looked at again inside the transaction: between the question and now the job may have gone to someone else.
    if held(tx, worker, caller.job.id, fence) is None:
        raise NotHeld
