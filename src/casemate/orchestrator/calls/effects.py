"""What is to be done with files once the answer is kept. Done twice it changes nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from casemate.identifiers import TenantId
from casemate.storage import NotThere, Storage

Effect: TypeAlias = tuple[Literal["copy", "delete"], str, str]
"""`("copy", from, to)` or `("delete", address, "")`."""


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


async def carry_out(storage: Storage, tenant: TenantId, effects: Iterable[Effect]) -> None:
    """Copy and delete. What is not there any more has been copied or deleted before."""
    for kind, first, second in effects:
        if kind == "delete":
            await storage.delete(tenant, first)
            continue
        try:
            await storage.copy(tenant, first, second)
        except NotThere:
            if not await storage.exists(tenant, second):
                raise
