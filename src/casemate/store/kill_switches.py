"""Kill switches of the instance (spec/isolation 9.2). One that was deleted is kept, out of sight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from casemate.executions import KillSwitch
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import kill_switches as table

_ACTIVE = select(table.c.document).where(table.c.enabled.is_(True)).order_by(table.c.id)


def active(tx: Tx) -> tuple[KillSwitch, ...]:
    """Those that are on, whether their time has come or not: asked in every transaction that starts something."""
    return tuple(_read(document) for document in tx.scalars(_ACTIVE))


def all_of_instance(tx: Tx) -> tuple[KillSwitch, ...]:
    """Every one that was not deleted, by its name."""
    rows = tx.scalars(select(table.c.document).where(table.c.deleted.is_(False)))
    return tuple(sorted(map(_read, rows), key=lambda switch: (switch.name, switch.id)))


def get(tx: Tx, switch: str) -> KillSwitch | None:
    """One that was not deleted."""
    document = tx.scalar(select(table.c.document).where(table.c.id == switch, table.c.deleted.is_(False)))
    return None if document is None else _read(document)


def put(tx: Tx, switch: KillSwitch) -> None:
    """Add one, or replace it."""
    values = {"enabled": switch.enabled, "deleted": False, "document": packed(_written(switch))}
    if tx.execute(table.update().where(table.c.id == switch.id).values(**values)).rowcount == 0:
        tx.execute(table.insert().values(id=switch.id, **values))


def delete(tx: Tx, switch: str) -> bool:
    """Put one out of sight and effect; was it there?"""
    there = (table.c.id == switch) & table.c.deleted.is_(False)
    return tx.execute(table.update().where(there).values(enabled=False, deleted=True)).rowcount == 1


def _written(switch: KillSwitch) -> dict[str, object]:
    return {
        "id": switch.id,
        "name": switch.name,
        "evaluation": switch.evaluation,
        "start": switch.start.isoformat(),
        "end": None if switch.end is None else switch.end.isoformat(),
        "tenant": switch.tenant,
        "namespace": switch.namespace,
        "flow": switch.flow,
        "executions": sorted(switch.executions),
        "description": switch.description,
        "enabled": switch.enabled,
        "immediate": switch.immediate,
    }


def _read(document: str) -> KillSwitch:
    found: dict[str, Any] = unpacked(document)
    return KillSwitch(
        id=found["id"],
        name=found["name"],
        evaluation=found["evaluation"],
        start=datetime.fromisoformat(found["start"]),
        end=None if found["end"] is None else datetime.fromisoformat(found["end"]),
        tenant=None if found["tenant"] is None else TenantId(found["tenant"]),
        namespace=None if found["namespace"] is None else Namespace(found["namespace"]),
        flow=None if found["flow"] is None else FlowId(found["flow"]),
        executions=frozenset(map(ExecutionId, found["executions"])),
        description=found["description"],
        enabled=found["enabled"],
        immediate=found["immediate"],
    )
