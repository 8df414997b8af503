"""The tables of secrets on a server of PostgreSQL, and their versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, cast, func, inspect, literal, select
from sqlalchemy.schema import CreateSchema

from casemate.store.database import Tx
from casemate.store.errors import SchemaUnknown, StoreError
from casemate.store.schema import secrets

_version: Final = Table("version", MetaData(), Column("number", Integer, nullable=False))

_UPGRADES: Final[tuple[Callable[[Tx], None], ...]] = ()
"""From the first version to the second, and so on. What was released is not changed."""
_HEAD: Final = 1 + len(_UPGRADES)


def found(tx: Tx, schema: str, *, make: bool) -> bool:
    """Whether the newest tables are there.

    Raises `SchemaUnknown` if a newer version made them, `StoreError` if they are missing and not to be made.
    """
    number = _number(tx, schema)
    if number > _HEAD:
        raise SchemaUnknown("The tables of secrets are those of a newer version of Casemate.")
    if number < _HEAD and not make:
        raise StoreError(
            f"The schema {schema} has no tables of secrets of this version, and a read-only store makes none."
        )
    return number == _HEAD


def make(tx: Tx, schema: str) -> None:
    """Bring the tables to the newest version, one process at a time."""
    tx.execute(select(func.pg_advisory_xact_lock(cast(func.hashtext(literal(f"casemate {schema}")), BigInteger))))
    number = _number(tx, schema)
    if number == 0:
        _create(tx, schema)
        return
    for upgrade in _UPGRADES[number - 1 :]:
        upgrade(tx)
    tx.execute(_version.update().values(number=_HEAD))


def _create(tx: Tx, schema: str) -> None:
    # Asked first: a role may be allowed to use the schema, but not to make one.
    if not inspect(tx).has_schema(schema):
        tx.execute(CreateSchema(schema))
    secrets.create(tx, checkfirst=False)
    _version.create(tx, checkfirst=False)
    tx.execute(_version.insert().values(number=_HEAD))


def _number(tx: Tx, schema: str) -> int:
    """Their version; 0 where there are none."""
    if not inspect(tx).has_table(_version.name, schema=schema):
        return 0
    return tx.scalar(select(_version.c.number)) or 0
