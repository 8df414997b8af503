"""New databases and migrated ones have the same schema, and start-up stays quick."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from casemate.store import Database, SchemaUnknown
from casemate.store.schema import HEAD, metadata
from casemate.store.upgrade import configuration, upgrade


def described(path: Path) -> dict[str, object]:
    look = inspect(create_engine(f"sqlite:///{path}"))
    return {
        table: (
            [{**column, "type": str(column["type"])} for column in look.get_columns(table)],
            look.get_pk_constraint(table),
            sorted((str(index["name"]), index["column_names"]) for index in look.get_indexes(table)),
        )
        for table in look.get_table_names()
    }


def indexes(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        return {" ".join(sql.split()) for (sql,) in rows}


def test_the_migrations_lead_to_the_schema_of_a_new_database(tmp_path: Path):
    Database.open(f"sqlite:///{tmp_path}/new.db").close()
    engine = create_engine(f"sqlite:///{tmp_path}/old.db")
    with engine.begin() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert described(tmp_path / "old.db") == described(tmp_path / "new.db")
    assert indexes(tmp_path / "old.db") == indexes(tmp_path / "new.db")


def test_the_stamp_of_a_new_database_is_the_newest_migration():
    script = ScriptDirectory.from_config(configuration())
    assert script.get_heads() == [HEAD]
    assert script.get_bases() == ["0001"]


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    Database.open(url).close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match="9999"):
        Database.open(url)


def test_opening_needs_no_alembic(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    code = (
        "import sys; from casemate.store import Database\n"
        f"Database.open({url!r}).close(); Database.open({url!r}).close()\n"
        "assert 'alembic' not in sys.modules and 'sqlalchemy.orm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_new_database_is_made_quickly(tmp_path: Path):
    times = []
    for number in range(3):
        before = time.perf_counter()
        Database.open(f"sqlite:///{tmp_path}/{number}.db").close()
        times.append(time.perf_counter() - before)
    assert min(times) < 0.5  # generous: 20 ms on a quiet machine
