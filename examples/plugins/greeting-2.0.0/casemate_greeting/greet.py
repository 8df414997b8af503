"""Greet someone in a language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from casemate_greeting.words import WORDS


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Greet `who` in the words of `language`, in the log and as output."""
    properties = job["properties"]
    greeting = f"{WORDS[properties['language']]} {properties['who']}"
    tell({"log": {"level": "INFO", "message": greeting}})
    tell({"outputs": {"greeting": greeting}})
