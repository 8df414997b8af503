"""Flow triggers: which flows have one, and the windows in which they count executions together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.documents import plain, read
from casemate.errors import Refused

revision = "0008"
down_revision = "0007"

_FLOW = ("io.kestra.plugin.core.trigger.Flow", "io.kestra.core.models.triggers.types.Flow")


def upgrade() -> None:
    """Add the column and the table; then find the flows that listen."""
    op.add_column("flows", sa.Column("listens", sa.Boolean()))
    op.create_index("flows_listens", "flows", ["tenant", "namespace", "id"], sqlite_where=sa.text("listens IS 1"))
    op.create_table(
        "windows",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("opens", sa.BigInteger(), nullable=False),
        sa.Column("closes", sa.BigInteger(), nullable=False),
        sa.Column("met", sa.Text(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", "flow", "id"),
    )
    op.create_index("windows_closes", "windows", ["tenant", "closes"])
    _mark()


def _mark() -> None:
    connection = op.get_bind()
    last = "SELECT tenant, namespace, id, revision, source FROM flows WHERE last AND NOT deleted AND NOT disabled"
    for row in connection.execute(sa.text(last)).all():
        if _listens(row.source):
            place = {"tenant": row.tenant, "namespace": row.namespace, "id": row.id, "revision": row.revision}
            connection.execute(
                sa.text(
                    "UPDATE flows SET listens = true WHERE tenant = :tenant AND namespace = :namespace "
                    "AND id = :id AND revision = :revision"
                ),
                place,
            )


def _listens(source: str) -> bool:
    try:
        document = plain(read(source).root)
    except Refused:
        return False
    triggers = document.get("triggers") if isinstance(document, dict) else None
    written = [each for each in triggers if isinstance(each, dict)] if isinstance(triggers, list) else []
    return any(each.get("type") in _FLOW for each in written)
