"""What is to be done once the answer is kept. Done twice it changes nothing more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from casemate.executions import WrongState
from casemate.identifiers import ExecutionId, TenantId
from casemate.sealed import Seal
from casemate.storage import NotThere, Storage
from casemate.store import Database

Effect: TypeAlias = tuple[Literal["copy", "delete", "resume"], str, str]
"""`("copy", from, to)`, `("delete", address, "")` or `("resume", execution, "")`.

What an execution is resumed with is not among them: it may be secret, and whoever asks again brings it again.
"""

Resume: TypeAlias = Callable[[TenantId, ExecutionId, Mapping[str, object]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Means:
    """What it is done with."""

    db: Database
    storage: Storage
    resume: Resume
    seal: Seal = None
    plaintext: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and what makes it true."""

    value: object
    effects: tuple[Effect, ...] = ()

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"value": self.value, "effects": [list(effect) for effect in self.effects]}


def outcome_of(document: Mapping[str, object]) -> Outcome:
    """The opposite."""
    effects = document.get("effects")
    listed = effects if isinstance(effects, list) else []
    return Outcome(document["value"], tuple((kind, first, second) for kind, first, second in listed))


async def carry_out(
    means: Means, tenant: TenantId, outcome: Outcome, inputs: Mapping[str, object], *, again: bool
) -> None:
    """Do it; executions are resumed with the inputs of this asking.

    `again`: it was decided earlier, and may have been done; what is done already is no failure then.
    """
    for kind, first, second in outcome.effects:
        match kind:
            case "delete":
                await means.storage.delete(tenant, first)
            case "copy":
                await _copy(means.storage, tenant, first, second, again=again)
            case "resume":
                await _resume(means, tenant, ExecutionId(first), inputs, again=again)


async def _copy(storage: Storage, tenant: TenantId, source: str, target: str, *, again: bool) -> None:
    try:
        await storage.copy(tenant, source, target)
    except NotThere:
        if not (again and await storage.exists(tenant, target)):
            raise


async def _resume(
    means: Means, tenant: TenantId, execution: ExecutionId, inputs: Mapping[str, object], *, again: bool
) -> None:
    try:
        await means.resume(tenant, execution, inputs)
    except WrongState:
        if not again:
            raise
