"""Places under the concurrency limits of flows: who has one, who waits for one, how many there are."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from casemate.documents import plain, read
from casemate.errors import Refused

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; executions that are at work have a place."""
    op.add_column("flows", sa.Column("concurrency", sa.Text()))
    op.add_column("executions", sa.Column("slot", sa.Boolean()))
    op.add_column("executions", sa.Column("queued", sa.BigInteger()))
    op.execute(
        "UPDATE executions SET slot = true WHERE state IN ('RUNNING', 'PAUSED', 'RETRYING', 'RESTARTED', 'KILLING')"
    )
    place = ["tenant", "namespace", "flow"]
    op.create_index("executions_slot", "executions", place, sqlite_where=sa.text("slot IS 1"))
    op.create_index("executions_queued", "executions", [*place, "queued"], sqlite_where=sa.text("queued IS NOT NULL"))
    limits()


def limits() -> None:
    """The limits of the flows that are there."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT tenant, namespace, id, revision, source FROM flows WHERE last"))
    for row in rows.all():
        limit = _limit(row.source)
        if limit is not None:
            connection.execute(
                sa.text(
                    "UPDATE flows SET concurrency = :limit WHERE tenant = :tenant AND namespace = :namespace "
                    "AND id = :id AND revision = :revision"
                ),
                {
                    "limit": limit,
                    "tenant": row.tenant,
                    "namespace": row.namespace,
                    "id": row.id,
                    "revision": row.revision,
                },
            )


def _limit(source: str) -> str | None:
    try:
        document = plain(read(source).root)
    except Refused:
        return None
    written = document.get("concurrency") if isinstance(document, dict) else None
    if not isinstance(written, dict):
        return None
    return json.dumps([written.get("limit"), written.get("behavior") or "QUEUE"])
