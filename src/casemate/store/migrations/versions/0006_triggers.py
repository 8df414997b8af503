"""Triggers by dates and by polling are scheduled: a record for each, also for those of flows that are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from casemate.documents import plain, read
from casemate.errors import Refused

revision = "0006"
down_revision = "0005"

_KINDS = {
    "io.kestra.plugin.core.trigger.Schedule": "SCHEDULE",
    "io.kestra.core.models.triggers.types.Schedule": "SCHEDULE",
    "io.kestra.plugin.core.trigger.ScheduleOnDates": "SCHEDULE",
    "io.kestra.plugin.core.http.Trigger": "POLLING",
    "io.kestra.plugin.fs.http.Trigger": "POLLING",
}


def upgrade() -> None:
    """Make the table; the scheduler plans what it finds there."""
    op.create_table(
        "triggers",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in ("tenant", "namespace", "flow", "id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger()) for name in ("date", "next", "evaluated", "triggered")),
        sa.Column("execution", sa.Text()),
        sa.Column("evaluating", sa.BigInteger()),
        sa.Column("backfill", sa.Text()),
        sa.Column("stop_after", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("triggers_next", "triggers", ["next"])
    op.create_index("triggers_unplanned", "triggers", ["planned"], sqlite_where=sa.text("planned IS 0"))
    op.create_index("triggers_execution", "triggers", ["execution"], sqlite_where=sa.text("execution IS NOT NULL"))
    _fill()


def _fill() -> None:
    connection = op.get_bind()
    flows = connection.execute(
        sa.text("SELECT tenant, namespace, id, source, updated FROM flows WHERE last AND NOT deleted")
    )
    for flow in flows.all():
        for trigger in _scheduled(flow.source):
            connection.execute(
                sa.text(
                    "INSERT INTO triggers (tenant, namespace, flow, id, kind, definition, planned, stop_after, "
                    "disabled, updated, version) VALUES (:tenant, :namespace, :flow, :id, :kind, '', false, :stop, "
                    "false, :updated, 1)"
                ),
                {
                    "tenant": flow.tenant,
                    "namespace": flow.namespace,
                    "flow": flow.id,
                    "updated": flow.updated,
                    "id": trigger["id"],
                    "kind": _KINDS[trigger["type"]],
                    "stop": json.dumps(trigger.get("stopAfter") or []),
                },
            )


def _scheduled(source: str) -> Iterator[dict[str, Any]]:
    """The triggers of a text that have a record; each once, and none of a text that is no flow any more."""
    try:
        document = plain(read(source).root)
    except Refused:
        return
    written = document.get("triggers") if isinstance(document, dict) else None
    known = {
        each["id"]: each
        for each in (written if isinstance(written, list) else ())
        if isinstance(each, dict) and isinstance(each.get("id"), str) and each.get("type") in _KINDS
    }
    yield from known.values()
