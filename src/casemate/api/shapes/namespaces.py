"""Namespaces and templates."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from casemate.settings import Service


class AllowedNamespace(TypedDict):
    """A namespace whose flows, and those of the namespaces below it, may read what is another one's."""

    namespace: str


class SecretIsolation(TypedDict):
    """Which services are given no secrets of a namespace."""

    enabled: NotRequired[bool | None]
    deniedServices: NotRequired[list[Service] | None]


class Namespace(TypedDict):
    """A namespace; what is not said of it is not there. Credentials are `******`; lists leave their options out."""

    id: str
    deleted: bool
    description: NotRequired[str]
    allowedNamespaces: NotRequired[list[AllowedNamespace]]
    secretType: NotRequired[str]
    secretConfiguration: NotRequired[dict[str, Any]]
    secretReadOnly: NotRequired[bool]
    secretIsolation: NotRequired[SecretIsolation]
    workerSecretManagerMode: NotRequired[str]
    blockSecretInheritance: NotRequired[bool]


@with_config(ConfigDict(extra="allow", hide_input_in_errors=True))
class NamespaceGiven(TypedDict):
    """A namespace as it shall be. `blockSecretInheritance` is ours.

    Other fields of Kestra's namespace are taken as long as they hold nothing.
    """

    id: str
    deleted: NotRequired[Literal[False] | None]
    description: NotRequired[Annotated[str, Field(max_length=4_000)] | None]
    allowedNamespaces: NotRequired[Annotated[list[AllowedNamespace], Field(max_length=1_000)] | None]
    secretType: NotRequired[str | None]
    secretConfiguration: NotRequired[dict[str, Any] | None]
    secretReadOnly: NotRequired[bool | None]
    secretIsolation: NotRequired[SecretIsolation | None]
    workerSecretManagerMode: NotRequired[Literal["DIRECT", "CONTROLLER", "CONTROLLER_ONLY"] | None]
    blockSecretInheritance: NotRequired[bool | None]


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
