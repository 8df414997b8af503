"""Which executions an operation on several of them means: those that its body names, or those that a search finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from casemate.api.call import Call
from casemate.api.errors import Declined, illegal_argument
from casemate.api.operations.executions import MOST_AT_ONCE
from casemate.api.search import LARGEST, filters
from casemate.errors import Refused
from casemate.executions import Execution, WrongChoice, WrongState
from casemate.identifiers import ExecutionId, TenantId
from casemate.orchestrator import Conflict, NotFound
from casemate.store import Criterion, Page, Tx
from casemate.store import executions as rows

_IDS = list[str]


async def chosen(call: Call, fits: Callable[[Execution], bool], otherwise: str) -> list[Execution]:
    """The executions that the body names; raises 400 with all that do not exist or do not fit."""
    given = await call.body_json(_IDS)
    return await picked(call, given, fits, otherwise)


async def picked(
    call: Call, given: Iterable[str], fits: Callable[[Execution], bool], otherwise: str
) -> list[Execution]:
    """The executions of these names, each once; raises 400 with all that do not exist or do not fit."""
    names = list(dict.fromkeys(given))
    if len(names) > MOST_AT_ONCE:
        raise illegal_argument(f"{len(names)} executions are named, at most {MOST_AT_ONCE} may be")
    found = await call.deps.db.read(_read, call.tenant, names)
    unknown = [f"{name} was not found" for name in names if name not in found]
    unfit = [f"{name} {otherwise}" for name, one in found.items() if not fits(one)]
    if unknown or unfit:
        raise Declined(400, f"Invalid executions: {', '.join(unknown + unfit)}")
    return list(found.values())


async def found_by(call: Call) -> list[Execution]:
    """The executions that the query finds."""
    return await call.deps.db.read(_found, call.tenant, filters(call))


async def each(executions: Iterable[Execution], act: Callable[[Execution], Awaitable[object]]) -> int:
    """Do it to each; how many it could be done to. What changed meanwhile so that it no longer can is left out."""
    count = 0
    for one in executions:
        try:
            await act(one)
        except (Conflict, NotFound, Refused, WrongChoice, WrongState):
            continue
        count += 1
    return count


def _read(tx: Tx, tenant: TenantId, names: Sequence[str]) -> dict[str, Execution]:
    found = ((name, rows.get(tx, tenant, ExecutionId(name))) for name in names)
    return {name: one for name, one in found if one is not None}


def _found(tx: Tx, tenant: TenantId, wanted: tuple[Criterion, ...]) -> list[Execution]:
    found: list[Execution] = []
    number, total = 1, 1
    while len(found) < total:
        part, total = rows.search(tx, tenant, wanted, Page(number=number, size=LARGEST))
        found += part
        number += 1
    return found
