"""Every place in the database where sealed values may lie, row by row, for those who seal them anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, Table, and_, bindparam, select, tuple_

from casemate.sealed import SEALED_TYPE
from casemate.store import schema
from casemate.store.database import Tx

Key: TypeAlias = tuple[Any, ...]
"""The primary key of a row."""

_ROWS: Final = 250
"""In one transaction: a row may weigh a megabyte."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column with JSON texts. `bare` are the ways in them to ciphertexts without an envelope.

    `made_up`: nothing is sealed there, but people copy what is. What no key opens there was never worth anything.
    """

    table: Table
    column: Column[Any]
    bare: tuple[tuple[str, ...], ...] = ()
    made_up: bool = False

    @property
    def name(self) -> str:
        """As people are told of it."""
        return f"{self.table.name}.{self.column.name}"


PLACES: Final = (
    Place(schema.executions, schema.executions.c.document, (("inputs",),)),
    Place(schema.task_runs, schema.task_runs.c.document, (("outputs", "onResume"),)),
    Place(schema.triggers, schema.triggers.c.backfill),
    Place(schema.windows, schema.windows.c.outputs),
    Place(schema.replies, schema.replies.c.reply),
    Place(schema.outbox, schema.outbox.c.body),
    Place(schema.kv, schema.kv.c.value, made_up=True),
    Place(schema.namespaces, schema.namespaces.c.document),
)
"""All of them. A test looks through the schema for others."""


def rewrite(tx: Tx, place: Place, after: Key | None, change: Callable[[str], str]) -> Key | None:
    """Let `change` see the texts of the next rows behind a key, and write what it makes of them.

    Returns the key of the last of these rows, None behind the last one of all.
    """
    keys = tuple(place.table.primary_key.columns)
    query = select(*keys, place.column).order_by(*keys).limit(_ROWS)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*(bindparam(None, each) for each in after)))
    if not place.bare:
        query = query.where(place.column.icontains(SEALED_TYPE, autoescape=True))
    rows = [(tuple(row[:-1]), row[-1]) for row in tx.execute(query)]
    changed = [(key, new) for key, old in rows if old is not None and (new := change(old)) != old]
    if changed:
        where = and_(*(column == bindparam(f"key_{number}") for number, column in enumerate(keys)))
        update = place.table.update().where(where).values({place.column.name: bindparam("to_text")})
        tx.execute(
            update, [{**{f"key_{n}": part for n, part in enumerate(key)}, "to_text": new} for key, new in changed]
        )
    return rows[-1][0] if len(rows) == _ROWS else None
