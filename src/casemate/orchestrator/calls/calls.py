"""Answering a question of a body: is it allowed, has it been answered before, and what is the answer?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from casemate.catalog import Catalog
from casemate.dispatch import Ask, NotHeld, Reply
from casemate.identifiers import Fence, WorkerId
from casemate.orchestrator.calls import kv, states
from casemate.orchestrator.calls.model import Arguments, Caller, Refusal
from casemate.orchestrator.holding import held
from casemate.store import Database, Tx, replies

Call: TypeAlias = Callable[[Tx, Caller, Arguments], object]

READS: Mapping[str, Call] = {
    "kv.get": kv.get,
    "kv.keys": kv.keys,
    "state.get": states.get,
}
"""What changes nothing."""

WRITES: Mapping[str, Call] = {
    "kv.set": kv.put,
    "kv.delete": kv.delete,
    "state.set": states.put,
    "state.delete": states.delete,
}
"""What is done in one transaction, once for each attempt."""


class Calls:
    """Answers them."""

    def __init__(self, db: Database, catalog: Catalog) -> None:
        self._db = db
        self._catalog = catalog

    def knows(self, function: str) -> bool:
        """Is this a question of a body?"""
        return function in READS or function in WRITES

    async def reply(self, worker: WorkerId, fence: Fence, caller: Caller, question: Ask) -> Reply:
        """The answer. Raises `NotHeld` if the fence is not the newest any more when something is to be changed."""
        if not self._may_ask(caller, question.function):
            return Reply(error=f"A task of this type must not ask for '{question.function}'.")
        arguments = Arguments(question.arguments)
        try:
            if question.function in READS:
                return Reply(await self._db.read(READS[question.function], caller, arguments))
            return Reply(await self._db.transact(_written, worker, fence, caller, question.function, arguments))
        except Refusal as refusal:
            return Reply(error=str(refusal))

    def _may_ask(self, caller: Caller, function: str) -> bool:
        """By the manifest of the task as it stands in the flow, not by what the worker believes to be running."""
        task = next(task for task in caller.flow.all_tasks() if task.id == caller.run.task_id)
        manifest = self._catalog.find(task.canonical)
        return manifest is not None and function in manifest.asks


def _written(tx: Tx, worker: WorkerId, fence: Fence, caller: Caller, function: str, arguments: Arguments) -> object:
    # Looked at again inside the transaction: between the question and now the job may have gone to someone else.
    if held(tx, worker, caller.job.id, fence) is None:
        raise NotHeld
    kept = replies.of(tx, caller.job, function)
    if isinstance(kept, Mapping):
        return kept["value"]
    value = WRITES[function](tx, caller, arguments)
    replies.keep(tx, caller.job, function, {"value": value})
    return value
