"""Plain values as YAML text, in block style and in the order that they are in."""

from __future__ import annotations

import yaml

from casemate.documents.model import Plain


def write(value: Plain) -> str:
    """The text; read again it says the same."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    return text
