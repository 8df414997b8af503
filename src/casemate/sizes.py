"""Sizes as Kestra's runners write them: `512MB`, in any case, with units that are powers of 1024. Pure."""

from __future__ import annotations

import re
from typing import Final

from casemate.errors import CasemateError

_SIZE: Final = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([KMGTP]?)(?:I?B)?\s*", re.ASCII | re.IGNORECASE)
_UNITS: Final = "KMGTP"


class NotASize(CasemateError):
    """The text is no size."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Invalid size with value '{text[:100]}'")


def parse(text: str) -> int:
    """How many bytes. Raises `NotASize` with Kestra's text."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise NotASize(text)
    power = _UNITS.find(found[2].upper()) + 1 if found[2] else 0
    return int(float(found[1]) * 1024**power)
