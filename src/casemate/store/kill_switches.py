"""Kill switches of the instance (spec/isolation 9.2). One that was deleted is kept, out of sight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from casemate.executions import KillSwitch, announcement
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.store import banners
from casemate.store.banners import Banner
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


def add(tx: Tx, switch: KillSwitch) -> None:
    """A new one."""
    tx.execute(table.insert().values(id=switch.id, deleted=False, **_values(switch)))
    _announce(tx, switch)


def replace(tx: Tx, switch: KillSwitch) -> bool:
    """Let one be what this says; was it there? What was deleted stays so."""
    there = tx.execute(table.update().where(_there(switch.id)).values(**_values(switch))).rowcount == 1
    if there:
        _announce(tx, switch)
    return there


def delete(tx: Tx, switch: str) -> bool:
    """Put one out of sight and effect; was it there?"""
    banners.delete(tx, banners.of_switch(switch))
    return tx.execute(table.update().where(_there(switch)).values(enabled=False, deleted=True)).rowcount == 1


def _announce(tx: Tx, switch: KillSwitch) -> None:
    """Its banner says what it does as long as it does it; the dates are its own."""
    identifier, message = banners.of_switch(switch.id), announcement(switch)
    if message is None or not switch.enabled:
        banners.delete(tx, identifier)
        return
    banner = Banner(
        id=identifier, message=message, type="WARNING", start=switch.start, end=switch.end, tenant=switch.tenant
    )
    if not banners.put(tx, banner):
        banners.add(tx, banner)


def _there(switch: str) -> ColumnElement[bool]:
    return (table.c.id == switch) & table.c.deleted.is_(False)


def _values(switch: KillSwitch) -> dict[str, object]:
    return {"enabled": switch.enabled, "document": packed(_written(switch))}


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
