"""Namespaces and templates."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class Namespace(TypedDict):
    """A namespace."""

    id: str
    deleted: bool


class Namespaces(TypedDict):
    """A page of namespaces."""

    results: list[Namespace]
    total: int


@with_config(ConfigDict(extra="ignore"))
class Autocomplete(TypedDict):
    """What has been typed so far."""

    q: NotRequired[str | None]
    ids: NotRequired[list[str] | None]
    existingOnly: NotRequired[bool | None]


class Template(TypedDict):
    """A template: tasks that flows take in by its name."""

    id: str
    namespace: str
    tasks: list[dict[str, Any]]
    deleted: bool
    description: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]


class Templates(TypedDict):
    """A page of templates."""

    results: list[Template]
    total: int
