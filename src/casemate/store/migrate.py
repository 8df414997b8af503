"""Bringing a database to the newest schema. Only an older one needs alembic, which is slow to import."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from casemate.store.errors import SchemaUnknown
from casemate.store.schema import HEAD, metadata, version


def migrate(connection: Connection) -> None:
    """Make the tables, or run the migrations that are missing. Raises `SchemaUnknown`."""
    found = _version(connection)
    if found == HEAD:
        return
    if found is None:
        _create(connection)
    else:
        _upgrade(connection, found)


def _version(connection: Connection) -> str | None:
    with connection.begin():
        if not inspect(connection).has_table(version.name):
            return None
        return connection.scalar(select(version.c.version_num))


def _create(connection: Connection) -> None:
    """All tables at once, in one transaction; a test shows that the migrations lead to the same."""
    with connection.begin():
        metadata.create_all(connection, checkfirst=False)
        connection.execute(version.insert().values(version_num=HEAD))


def _upgrade(connection: Connection, found: str) -> None:
    from casemate.store.upgrade import known, upgrade

    if not known(found):
        raise SchemaUnknown(f"The database has schema {found}, which only a newer version understands")
    with connection.begin():
        upgrade(connection)
