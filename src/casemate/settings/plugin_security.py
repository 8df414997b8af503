"""`kestra.plugins.security`: which entries can be used, and which mean nothing that there is (spec/isolation 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from casemate.expressions import ExpressionError, matches
from casemate.settings.finding import Finding

SECTION: Final = "kestra.plugins.security"
_LISTS: Final = ("includes", "excludes")
_REMEDY: Final = "Write a type's name, or an expression for whole names: io\\.kestra\\.plugin\\.gcp\\..*"


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Entries that are no regular expressions, by their index: a list that is only half understood protects nothing."""
    for name in _LISTS:
        entries = said.get(key := f"{SECTION}.{name}")
        for index, entry in enumerate(entries if isinstance(entries, tuple) else ()):
            if fault := _fault(str(entry)):
                yield Finding(code="config.type", keys=(key,), message=f"entry {index} {fault}", remedy=_REMEDY)


def _fault(entry: str) -> str | None:
    if not entry.strip():
        return "is empty"
    try:
        matches(entry, "")
    except ExpressionError as error:
        return f"is no regular expression: {error}"
    return None
