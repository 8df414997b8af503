"""What is kept: keys of the KV store, files of namespaces and executions."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from annotated_types import MinLen
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class KeyValue(TypedDict):
    """A value of the KV store."""

    type: str
    value: Any
    revision: int
    updated: str


class Key(TypedDict):
    """A key of the KV store without its value."""

    namespace: str
    key: str
    revision: int
    description: NotRequired[str]
    creationDate: NotRequired[str]
    updateDate: str
    expirationDate: NotRequired[str]


class Keys(TypedDict):
    """A page of keys."""

    results: list[Key]
    total: int


@with_config(ConfigDict(extra="ignore"))
class KeysAsked(TypedDict):
    """Several keys."""

    keys: NotRequired[list[str] | None]


class FileAttributes(TypedDict):
    """A file or folder of a namespace; dates are in milliseconds since 1970."""

    type: str
    fileName: str
    size: int
    lastModifiedTime: int
    creationTime: int


class FileRevision(TypedDict):
    """A revision of a file."""

    revision: int


class FilePreview(TypedDict):
    """The beginning of a file: rows of a `LIST`, text, or an image in base 64."""

    extension: str
    type: str
    content: Any
    truncated: bool


class FileSize(TypedDict):
    """What is known of a file."""

    size: int


class SecretTag(TypedDict):
    """A pair that people keep beside a secret."""

    key: str
    value: str


class SecretFound(TypedDict):
    """A secret without its value. Without a namespace it belongs to all of them."""

    key: str
    namespace: NotRequired[str]
    description: NotRequired[str]
    tags: list[SecretTag]


class Secrets(TypedDict):
    """A page of secrets, and whether they can be changed from here."""

    readOnly: bool
    results: list[SecretFound]
    total: int


@with_config(ConfigDict(extra="ignore", hide_input_in_errors=True))
class SecretGiven(TypedDict):
    """A secret with its value, which is told to nobody."""

    key: Annotated[str, MinLen(1)]
    value: Annotated[str, MinLen(1)]
    description: NotRequired[str | None]
    tags: NotRequired[list[SecretTag] | None]


@with_config(ConfigDict(extra="ignore"))
class SecretDescribed(TypedDict):
    """What is to be said of a secret."""

    key: str
    description: NotRequired[str | None]
    tags: NotRequired[list[SecretTag] | None]
