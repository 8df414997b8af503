"""Numbers of log entries are never given twice: who follows a log asks for what comes after the last one seen."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of log entries anew: SQLite gives numbers of deleted rows again unless a table forbids it."""
    with op.batch_alter_table("logs", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
        pass
