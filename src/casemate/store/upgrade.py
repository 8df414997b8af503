"""The migrations, run by alembic. Imported only when a database is behind."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the scripts in this package, run on this connection."""
    config = Config()
    config.set_main_option("script_location", "casemate.store:migrations")
    config.attributes["connection"] = connection
    return config


def known(revision: str) -> bool:
    """Is this one of our migrations?"""
    try:
        return ScriptDirectory.from_config(configuration()).get_revision(revision) is not None
    except CommandError:
        return False


def upgrade(connection: Connection) -> None:
    """Run every migration that is missing, inside the caller's transaction."""
    command.upgrade(configuration(connection), "head")
