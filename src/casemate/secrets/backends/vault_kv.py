"""Vault's two key-value engines: records of fields under paths; those of version 2 have tags (custom metadata)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from hvac import Client

from casemate.secrets.backends.vault_login import Session
from casemate.secrets.backends.vault_wire import not_vault
from casemate.secrets.errors import BackendFailed


@dataclass(frozen=True, slots=True)
class Record:
    """What is under a path."""

    fields: Mapping[str, Any]
    tags: Mapping[str, str]


class Engine(Protocol):
    """A mounted key-value engine. Paths have no slash at either end. Every method raises `BackendFailed`."""

    def record(self, path: str) -> Record | None:
        """What is under a path; None if nothing is."""
        ...

    def tags(self, path: str) -> Mapping[str, str] | None:
        """The tags alone; None if nothing is there."""
        ...

    def names(self, path: str) -> Sequence[str]:
        """What is directly below a path; folders end in a slash."""
        ...

    def put(self, path: str, fields: Mapping[str, Any] | None, tags: Mapping[str, str]) -> None:
        """Replace what is under a path; without fields only its tags."""
        ...

    def remove(self, path: str) -> None:
        """Remove all there is under a path, older versions too."""
        ...


class VersionTwo:
    """Records with versions and custom metadata. Tags are written first: where they are refused, nothing changes."""

    def __init__(self, session: Session, mount: str) -> None:
        self._session = session
        self._mount = mount

    def record(self, path: str) -> Record | None:
        """See `Engine`."""
        answer = self._session.ask(
            lambda client: self._of(client).read_secret_version(
                path, mount_point=self._mount, raise_on_deleted_version=True
            )
        )
        if answer is None:
            return None
        told = _mapping(answer, "data")
        return Record(_mapping(told, "data"), _tags(_mapping(told, "metadata")))

    def tags(self, path: str) -> Mapping[str, str] | None:
        """See `Engine`."""
        answer = self._session.ask(lambda client: self._of(client).read_secret_metadata(path, mount_point=self._mount))
        told = None if answer is None else _mapping(answer, "data")
        return _tags(told) if told is not None and _alive(told, datetime.now(UTC)) else None

    def names(self, path: str) -> Sequence[str]:
        """See `Engine`."""
        return _keys(self._session.ask(lambda client: self._of(client).list_secrets(path, mount_point=self._mount)))

    def put(self, path: str, fields: Mapping[str, Any] | None, tags: Mapping[str, str]) -> None:
        """See `Engine`."""
        self._session.change(
            lambda client: self._of(client).update_metadata(
                path, mount_point=self._mount, custom_metadata=dict(tags), delete_version_after=None
            )
        )
        if fields is not None:
            answer = self._session.change(
                lambda client: self._of(client).create_or_update_secret(path, dict(fields), mount_point=self._mount)
            )
            _mapping(answer, "data")  # version 1 of the engine takes such a request, and says nothing

    def remove(self, path: str) -> None:
        """See `Engine`."""
        self._session.change(
            lambda client: self._of(client).delete_metadata_and_all_versions(path, mount_point=self._mount)
        )

    @staticmethod
    def _of(client: Client) -> Any:
        return client.secrets.kv.v2


class VersionOne:
    """Records without versions, and without a place for tags."""

    def __init__(self, session: Session, mount: str) -> None:
        self._session = session
        self._mount = mount

    def record(self, path: str) -> Record | None:
        """See `Engine`."""
        answer = self._session.ask(lambda client: self._of(client).read_secret(path, mount_point=self._mount))
        return None if answer is None else Record(_mapping(answer, "data"), {})

    def tags(self, path: str) -> Mapping[str, str] | None:
        """See `Engine`; there are none."""
        return None if self.record(path) is None else {}

    def names(self, path: str) -> Sequence[str]:
        """See `Engine`."""
        return _keys(self._session.ask(lambda client: self._of(client).list_secrets(path, mount_point=self._mount)))

    def put(self, path: str, fields: Mapping[str, Any] | None, tags: Mapping[str, str]) -> None:
        """See `Engine`; tags are not kept."""
        if fields is not None:
            self._session.change(
                lambda client: self._of(client).create_or_update_secret(
                    path, dict(fields), method="PUT", mount_point=self._mount
                )
            )

    def remove(self, path: str) -> None:
        """See `Engine`."""
        self._session.change(lambda client: self._of(client).delete_secret(path, mount_point=self._mount))

    @staticmethod
    def _of(client: Client) -> Any:
        return client.secrets.kv.v1


def _alive(metadata: Mapping[str, Any], now: datetime) -> bool:
    """Whether the current version is there: neither deleted nor destroyed, and ever written."""
    version = _mapping(metadata, "versions").get(str(metadata.get("current_version")))
    if not isinstance(version, Mapping) or version.get("destroyed"):
        return False
    deleted = version.get("deletion_time")
    try:
        return not deleted or datetime.fromisoformat(str(deleted)) > now
    except (TypeError, ValueError):
        raise not_vault() from None


def _tags(metadata: Mapping[str, Any]) -> Mapping[str, str]:
    said = metadata.get("custom_metadata") or {}
    if not isinstance(said, Mapping):
        raise not_vault()
    return {str(name): str(value) for name, value in said.items()}


def _keys(answer: Mapping[str, Any] | None) -> Sequence[str]:
    if answer is None:
        return ()
    keys = _mapping(answer, "data").get("keys")
    return [str(key) for key in keys] if isinstance(keys, list) else ()


def _mapping(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = answer.get(name)
    if not isinstance(part, Mapping):
        raise BackendFailed("Vault's answer is not one of its key-value engine: is engine-version right?")
    return part
