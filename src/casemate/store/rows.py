"""What rows of many tables have in common: JSON texts, and the flow that they belong to."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Table

from casemate.identifiers import FlowId, Namespace, TenantId


def packed(value: object) -> str:
    """A JSON value as a text of ASCII characters, so that half a surrogate pair cannot refuse to be stored."""
    return json.dumps(value, separators=(",", ":"))


def unpacked(text: str) -> Any:
    """The JSON value of a text."""
    return json.loads(text)


def belongs(table: Table, tenant: TenantId, namespace: Namespace, flow: FlowId) -> ColumnElement[bool]:
    """Does a row belong to this flow?"""
    return (table.c.tenant == tenant) & (table.c.namespace == namespace) & (table.c.flow == flow)
