"""Names of things, each its own type so that one cannot be passed for another; and how new ids look."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", str)
Namespace = NewType("Namespace", str)
FlowId = NewType("FlowId", str)
TemplateId = NewType("TemplateId", str)
TaskId = NewType("TaskId", str)
ExecutionId = NewType("ExecutionId", str)
TaskRunId = NewType("TaskRunId", str)
JobId = NewType("JobId", str)
WorkerId = NewType("WorkerId", str)
Fence = NewType("Fence", int)

MAIN = TenantId("main")

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def friendly(unique: UUID) -> str:
    """A UUID as 22 characters of base 62, Kestra's friendly id (spec/engine 14)."""
    number, digits = unique.int, []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits)).rjust(22, "0")
