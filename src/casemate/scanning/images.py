"""Names of container images: is it said which image is meant?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from casemate.scanning.model import Place, Span

_DIGEST: Final = re.compile(r"@sha(?:256|512):[0-9a-f]{64,128}$")
_CONSTANT: Final = re.compile(r"\{\{-?\s*(['\"])([^'\"{}]*)\1\s*-?\}\}")
"""An expression that is one text: `{{ 'latest' }}`."""
_MOVING: Final = frozenset(("", "latest", "stable", "edge", "nightly", "main", "master", "develop", "dev"))
"""Tags that mean something else tomorrow; none at all means `latest`."""


def moving(_place: Place, text: str) -> Iterator[Span]:
    """An image without a tag, or with one that moves."""
    name = _name(text)
    if _is_known(name) and not _DIGEST.search(name) and _moves(tag := _tag(name)):
        yield Span(0, len(text), f"{name} names no version" if not tag else f"{name} is another image tomorrow")


def undigested(_place: Place, text: str) -> Iterator[Span]:
    """An image with a version, but without a digest."""
    name = _name(text)
    if _is_known(name) and not _DIGEST.search(name) and not _moves(_tag(name)):
        yield Span(0, len(text), name)


def _name(text: str) -> str:
    return _CONSTANT.sub(r"\2", text).strip()


def _moves(tag: str) -> bool:
    """Also one that says which kind of the newest is meant: `latest-slim`."""
    return tag in _MOVING or tag.startswith("latest-")


def _is_known(name: str) -> bool:
    """An expression may name any image."""
    return bool(name) and "{{" not in name and "{%" not in name


def _tag(name: str) -> str:
    """What stands behind the colon of the last part; a colon before a slash belongs to a port."""
    return name.rpartition("/")[2].partition("@")[0].partition(":")[2].lower()
