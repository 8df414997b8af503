"""`kestra.secret.type: jdbc`: secrets in Casemate's own database, sealed under a key of their own (spec/security 2.4).

The rows hold names, descriptions and tags in the clear, and values as AES-256-GCM bound to where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import tags
from casemate.secrets.backend import Address, Entry, Found
from casemate.secrets.errors import BackendFailed, ReadOnly
from casemate.secrets.options import FORM, Choice, SecretText
from casemate.secrets.sealing import Seal, Sealed, sealing_key
from casemate.store import Database, SealedSecret, StoreUnavailable, Tx
from casemate.store import secrets as rows

_AWAY: Final = "The database of secrets does not answer."


def _long_enough(secret: Secret) -> Secret:
    sealing_key(secret)
    return secret


@dataclass(frozen=True, kw_only=True)
class Options(Choice):
    """`secret` is what the key is made of: 32 characters at least, or the Base64 of 32 bytes."""

    __pydantic_config__ = FORM
    secret: Annotated[SecretText, AfterValidator(_long_enough)]


def opened(options: Options, *, read_only: bool, database: Database) -> DatabaseSecrets:
    """The secrets of a database that is open."""
    return DatabaseSecrets(options, database, read_only=read_only)


class DatabaseSecrets:
    """Rows of one table. Descriptions and tags are kept."""

    def __init__(self, options: Options, database: Database, *, read_only: bool) -> None:
        self._options = options
        self._database = database
        self._read_only = read_only
        self._seal = Seal(options.secret)

    def read(self, address: Address) -> Found | None:
        """See `Backend`."""
        with _answering():
            row = self._database.read_now(rows.get, address.tenant, address.namespace, address.name)
        if row is None or not tags.shown(_tags(row), self._options):
            return None
        return Found(value=self._seal.opened(address, Sealed(kid=row.kid, text=row.sealed)))

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        with _answering():
            found = self._database.read_now(rows.all_of, tenant, namespace)
        return [
            tags.entry(_address(row), _tags(row), self._options)
            for row in found
            if tags.shown(_tags(row), self._options)
        ]

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        self._writable(entry.address)
        kept = tags.written(entry, self._options, None)
        if not tags.shown(kept, self._options):
            raise BackendFailed("With these tags filter-on-tags would hide the secret.")
        sealed = None if value is None else self._seal.sealed(entry.address, value)
        with _answering():
            self._database.transact_now(_put, entry.address, kept, sealed)

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        self._writable(address)
        with _answering():
            return self._database.transact_now(_delete, address, self._options)

    def close(self) -> None:
        """The database is not ours to close."""

    def _writable(self, address: Address) -> None:
        if self._read_only:
            raise ReadOnly(address.namespace)


def _delete(tx: Tx, address: Address, choice: Choice) -> bool:
    row = rows.get(tx, address.tenant, address.namespace, address.name)
    if row is None or not tags.shown(_tags(row), choice):
        return False
    return rows.delete(tx, address.tenant, address.namespace, address.name)


def _put(tx: Tx, address: Address, kept: dict[str, str], sealed: Sealed | None) -> None:
    before = rows.get(tx, address.tenant, address.namespace, address.name)
    if sealed is None and before is not None:
        sealed = Sealed(kid=before.kid, text=before.sealed)
    if sealed is None:
        return
    beside = {name: text for name, text in kept.items() if name not in (*tags.RESERVED, tags.DESCRIPTION)}
    rows.put(
        tx,
        SealedSecret(
            tenant=address.tenant,
            namespace=address.namespace,
            name=address.name,
            kid=sealed.kid,
            sealed=sealed.text,
            description=kept.get(tags.DESCRIPTION),
            tags=beside,
        ),
    )


def _address(row: SealedSecret) -> Address:
    return Address(tenant=row.tenant, namespace=row.namespace, name=row.name)


def _tags(row: SealedSecret) -> dict[str, str]:
    described = {tags.DESCRIPTION: row.description} if row.description else {}
    return {**row.tags, **described, **tags.of_address(_address(row), None)}


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise BackendFailed(_AWAY, passing=True) from error
