"""An index for what a flow has measured over time."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make it."""
    op.create_index("metrics_flow", "metrics", ["tenant", "namespace", "flow", "name", "at"])
