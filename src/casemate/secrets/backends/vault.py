"""`kestra.secret.type: vault`: HashiCorp Vault and OpenBao: secrets at `TENANT/NAMESPACE/PARTS/NAME` of a KV engine.

A record is written as `{"value": …}`. Descriptions and tags are custom metadata of version 2; version 1 of the engine
has no place for them: it keeps no description, and refuses tags (spec/security 2.4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import tags
from casemate.secrets.backend import Address, Entry, Found
from casemate.secrets.backends.bounded import MOST_ENTRIES, ending
from casemate.secrets.backends.vault_kv import Engine, Record, VersionOne, VersionTwo
from casemate.secrets.backends.vault_login import Method, Session, by_password, by_role, by_service_account, by_token
from casemate.secrets.backends.vault_options import Options, is_segment, segments
from casemate.secrets.backends.vault_wire import Line, connected
from casemate.secrets.errors import BackendFailed, ReadOnly

__all__ = ["Options", "Vault", "opened"]

_DEEPEST: Final = 64
"""Folders below each other that are looked into; no namespace has as many parts."""


def opened(options: Options, *, read_only: bool) -> Vault:
    """A Vault that nothing was asked yet: the first secret logs in."""
    client = connected(
        Line(
            address=options.address,
            namespace=options.namespace,
            connect_timeout=options.connect_timeout.total_seconds(),
            read_timeout=options.read_timeout.total_seconds(),
            verify=options.tls.trusted,
            certificate=options.tls.certificate,
            server_name=options.tls.server_name,
        )
    )
    return Vault(options, Session(client, _method(options)), read_only=read_only or options.read_only)


class Vault:
    """A KV engine of Vault. What stands where a secret of ours would stand is one, whoever wrote it."""

    def __init__(self, options: Options, session: Session, *, read_only: bool) -> None:
        self._options = options
        self._session = session
        self._read_only = read_only
        version = VersionTwo if options.engine_version == 2 else VersionOne
        self._engine: Engine = version(session, options.root_engine.strip("/"))
        self._root = segments(options.secret_path_prefix) + segments(options.prefix)

    def read(self, address: Address) -> Found | None:
        """See `Backend`."""
        path = self._path(address)
        record = self._engine.record(path) if path else None
        return _found(record) if record and self._seen(record.tags, address) else None

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`; tags are asked for one by one."""
        if namespace is None:
            addresses = self._everywhere(tenant)
        else:
            addresses = self._directly(tenant, tuple(namespace.split(".")))
        listed = sorted(ending(addresses, MOST_ENTRIES), key=lambda one: (one.namespace, one.name))
        return [entry for entry in ending(map(self._entry, listed), MOST_ENTRIES) if entry]

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        path = self._writable(entry.address)
        if self._options.engine_version == 1 and entry.tags:
            raise BackendFailed("Version 1 of Vault's key-value engine keeps no tags.")
        kept = tags.written(entry, self._options, self._options.prefix)
        if not tags.shown(kept, self._options):
            raise BackendFailed("With these tags filter-on-tags would hide the secret.")
        before = self._engine.tags(path)
        if before is not None and not self._is_here(before, entry.address):
            raise BackendFailed("There is a secret of another instance at that path: its tags say another address.")
        if value is None and (before is None or not tags.shown(before, self._options)):
            return
        self._engine.put(path, None if value is None else {"value": value.reveal()}, kept)

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        path = self._writable(address)
        found = self._engine.tags(path)
        if found is None or not self._seen(found, address):
            return False
        self._engine.remove(path)
        return True

    def close(self) -> None:
        """See `Backend`."""
        self._session.close()

    def _writable(self, address: Address) -> str:
        if self._read_only:
            raise ReadOnly(address.namespace)
        path = self._path(address)
        if path is None:
            raise BackendFailed("Vault's paths cannot hold a secret of that name.")
        return path

    def _seen(self, said: Mapping[str, str], address: Address) -> bool:
        return tags.shown(said, self._options) and self._is_here(said, address)

    def _is_here(self, said: Mapping[str, str], address: Address) -> bool:
        """False if the tags say another address: where one prefix begins another, the same path is of two instances."""
        own = {**dict.fromkeys(tags.RESERVED, ""), **tags.of_address(address, self._options.prefix)}
        return all(said.get(name, value) == value for name, value in own.items())

    def _entry(self, address: Address) -> Entry | None:
        path = self._path(address)
        found = self._engine.tags(path) if path else None
        return tags.entry(address, found, self._options) if found is not None and self._seen(found, address) else None

    def _path(self, address: Address) -> str | None:
        """Where a secret is; None for names that would lead elsewhere, or that no path has."""
        parts = (address.tenant, *address.namespace.split("."), address.name)
        return "/".join((*self._root, *parts)) if all(map(is_segment, parts)) else None

    def _directly(self, tenant: TenantId, parts: tuple[str, ...]) -> Iterator[Address]:
        for name in self._names(tenant, parts):
            if not name.endswith("/"):
                yield Address(tenant=tenant, namespace=Namespace(".".join(parts)), name=name)

    def _everywhere(self, tenant: TenantId) -> Iterator[Address]:
        folders: list[tuple[str, ...]] = [()]
        for parts, name in ending(self._walked(tenant, folders), MOST_ENTRIES):
            folder = name.removesuffix("/")
            if folder == name and parts:
                yield Address(tenant=tenant, namespace=Namespace(".".join(parts)), name=name)
            elif folder != name and len(parts) < _DEEPEST and "." not in folder:
                folders.append((*parts, folder))

    def _walked(self, tenant: TenantId, folders: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
        """What is directly below each folder, until none is left; whoever asks adds more."""
        while folders:
            parts = folders.pop()
            for name in self._names(tenant, parts):
                yield parts, name

    def _names(self, tenant: TenantId, parts: tuple[str, ...]) -> Sequence[str]:
        if not all(map(is_segment, (tenant, *parts))):
            return ()
        return self._engine.names("/".join((*self._root, tenant, *parts)))


def _found(record: Record) -> Found:
    """A record as a secret: its `value`, or its only field; several fields without one are JSON for `subkey`."""
    fields = {name: _text(value) for name, value in record.fields.items()}
    if "value" in fields:
        rest = {name: Secret(text) for name, text in fields.items() if name != "value"}
        return Found(value=Secret(fields["value"]), fields=rest)
    if len(fields) == 1:
        return Found(value=Secret(next(iter(fields.values()))))
    whole = json.dumps(record.fields, ensure_ascii=False)
    return Found(value=Secret(whole), fields={name: Secret(text) for name, text in fields.items()})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _method(options: Options) -> Method:
    if options.token:
        return by_token(options.token.token)
    if options.password:
        return by_password(options.password.user, options.password.password, options.password.path)
    if options.app_role:
        return by_role(options.app_role.role_id, options.app_role.secret_id, options.app_role.path)
    assert options.kubernetes
    role = options.kubernetes.role or options.role or ""
    return by_service_account(role, Path(options.kubernetes.token_file), options.kubernetes.path)
