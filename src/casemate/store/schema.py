"""The tables. A new database is made from them at once and stamped; older ones are brought here by the migrations.

Dates are whole microseconds since 1970 in UTC, so that they sort and compare alike in every database. Whatever has a
shape of its own (an execution, a task run) is one JSON text; only what is searched for has a column.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

HEAD = "0015"
"""The newest migration."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware date as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the row."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """From the row."""
        return None if value is None else _EPOCH + value * _MICROSECOND


# SQLite counts up by itself only in a column that is exactly INTEGER.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

flows = Table(
    "flows",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("last", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("description", Text),
    Column("labels", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("concurrency", Text),
    Column("listens", Boolean),
    Index("flows_last", "tenant", "last", "namespace", "id"),
    Index("flows_listens", "tenant", "namespace", "id", sqlite_where=text("listens IS 1")),
)

executions = Table(
    "executions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("labels", Text, nullable=False),
    Column("trigger", Text),
    Column("parent", Text),
    Column("caller", Text),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("slot", Boolean),
    Column("queued", Instant),
    Index("executions_started", "tenant", "started"),
    Index("executions_flow", "tenant", "namespace", "flow", "started"),
    Index("executions_caller", "tenant", "caller"),
    Index("executions_open", "open", sqlite_where=text("open")),
    Index(
        "executions_slot",
        "tenant",
        "namespace",
        "flow",
        sqlite_where=text("slot IS 1"),
    ),
    Index(
        "executions_queued",
        "tenant",
        "namespace",
        "flow",
        "queued",
        sqlite_where=text("queued IS NOT NULL"),
    ),
)

task_runs = Table(
    "task_runs",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("execution", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("execution", Text, nullable=False),
    Column("task_run", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("queue", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("worker", Text),
    Column("fence", Integer, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("hinted_at", Instant, nullable=False),
    Index("jobs_execution", "tenant", "execution"),
    Index(
        "jobs_open",
        "state",
        "lease_until",
        sqlite_where=text("state IN ('queued', 'running', 'killing')"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    # A number that came back would let a message that was applied long ago take a new one away.
    sqlite_autoincrement=True,
)

timers = Table(
    "timers",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("execution", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Index("timers_at", "at"),
)

stopped = Table(
    "stopped",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("id", Text, primary_key=True),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("description", Text),
    Column("created", Instant, nullable=False),
    Column("expires", Instant),
    Index("tokens_account", "account"),
)

windows = Table(
    "windows",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("opens", Instant, nullable=False),
    Column("closes", Instant, nullable=False),
    Column("met", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    Index("windows_closes", "tenant", "closes"),
)

logs = Table(
    "logs",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("execution", Text),
    Column("task", Text),
    Column("task_run", Text),
    Column("attempt", Integer),
    Column("trigger", Text),
    Column("at", Instant, nullable=False),
    Column("level", Integer, nullable=False),
    Column("thread", Text, nullable=False),
    Column("message", Text, nullable=False),
    Index("logs_execution", "tenant", "execution", "seq"),
    Index("logs_at", "tenant", "at"),
    # A number of a deleted entry that was given again would be missed by whoever follows the log.
    sqlite_autoincrement=True,
)

metrics = Table(
    "metrics",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("execution", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("task_run", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("tags", Text, nullable=False),
    Index("metrics_execution", "tenant", "execution"),
    Index("metrics_flow", "tenant", "namespace", "flow", "name", "at"),
)

templates = Table(
    "templates",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("last", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("description", Text),
    Column("source", Text, nullable=False),
    Column("saved", Instant, nullable=False),
)

kv = Table(
    "kv",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("expires", Instant),
    Column("updated", Instant, nullable=False),
    Column("type", Text, nullable=False, server_default="STRING"),
    Column("description", Text),
    Column("created", Instant),
    Column("revision", Integer, nullable=False, server_default="1"),
)

replies = Table(
    "replies",
    metadata,
    Column("job", Text, primary_key=True),
    Column("function", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("execution", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Index("replies_execution", "tenant", "execution"),
)

triggers = Table(
    "triggers",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("definition", Text, nullable=False),
    Column("planned", Boolean, nullable=False),
    Column("date", Instant),
    Column("next", Instant),
    Column("evaluated", Instant),
    Column("triggered", Instant),
    Column("execution", Text),
    Column("evaluating", Instant),
    Column("backfill", Text),
    Column("stop_after", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Index("triggers_next", "next"),
    Index("triggers_unplanned", "planned", sqlite_where=text("planned IS 0")),
    Index("triggers_execution", "execution", sqlite_where=text("execution IS NOT NULL")),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("boot", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

kill_switches = Table(
    "kill_switches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)

quotas = Table(
    "quotas",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("start", Instant, nullable=False),
    Column("used", BigInteger, nullable=False),
)

banners = Table(
    "banners",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("start", Instant),
    Column("end", Instant),
    Column("tenant", Text),
    Index("banners_id", "id", unique=True),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("since", Instant, primary_key=True, autoincrement=False),
)

_Bytewise = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted as SQLite does, whatever the language of a server."""

secrets = Table(
    "secrets",
    metadata,
    Column("tenant", _Bytewise, primary_key=True),
    Column("namespace", _Bytewise, primary_key=True),
    Column("name", _Bytewise, primary_key=True),
    Column("kid", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("description", Text),
    Column("tags", Text, nullable=False),
)

namespaces = Table(
    "namespaces",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("document", Text, nullable=False),
)
