"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.BigInteger()
SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them all."""
    flows()
    executions()
    jobs()
    logs()
    keys_and_values()


def flows() -> None:
    """Revisions of flows."""
    op.create_table(
        "flows",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "id", "revision"),
    )
    op.create_index("flows_last", "flows", ["tenant", "last", "namespace", "id"])


def executions() -> None:
    """Executions, their task runs and timers."""
    op.create_table(
        "executions",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("started", INSTANT, nullable=False),
        sa.Column("ended", INSTANT),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text()),
        sa.Column("parent", sa.Text()),
        sa.Column("caller", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
    )
    op.create_index("executions_flow", "executions", ["tenant", "namespace", "flow", "started"])
    op.create_index(
        "executions_open", "executions", ["open"], sqlite_where=sa.text("open"), postgresql_where=sa.text("open")
    )
    op.create_index("executions_started", "executions", ["tenant", "started"])
    op.create_table(
        "task_runs",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "execution", "id"),
    )
    op.create_table(
        "timers",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "execution", "key"),
    )
    op.create_index("timers_at", "timers", ["at"])


def jobs() -> None:
    """Jobs, messages that wait to be sent, and workers."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("task_run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("lease_until", INSTANT),
        sa.Column("hinted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("jobs_execution", "jobs", ["tenant", "execution"])
    op.create_index(
        "jobs_open",
        "jobs",
        ["state", "lease_until"],
        sqlite_where=sa.text("state IN ('queued', 'running', 'killing')"),
        postgresql_where=sa.text("state IN ('queued', 'running', 'killing')"),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def logs() -> None:
    """Log entries and metrics."""
    op.create_table(
        "logs",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text()),
        sa.Column("task", sa.Text()),
        sa.Column("task_run", sa.Text()),
        sa.Column("attempt", sa.Integer()),
        sa.Column("trigger", sa.Text()),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("logs_at", "logs", ["tenant", "at"])
    op.create_index("logs_execution", "logs", ["tenant", "execution", "seq"])
    op.create_table(
        "metrics",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("execution", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("task_run", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("metrics_execution", "metrics", ["tenant", "execution"])


def keys_and_values() -> None:
    """Keys and values."""
    op.create_table(
        "kv",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("expires", INSTANT),
        sa.Column("updated", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "key"),
    )
