"""Numbers of things, for people."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 secret`, `2 secrets`: for nouns that take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
