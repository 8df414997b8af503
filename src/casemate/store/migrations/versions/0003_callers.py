"""Executions found by the one that started them; messages whose numbers never come back."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the index; make the table of messages anew where numbers are given by SQLite."""
    op.create_index("executions_caller", "executions", ["tenant", "caller"])
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("outbox", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
