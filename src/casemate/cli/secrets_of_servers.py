"""Secrets of a server, by the operations that Kestra's client has for them (spec/security 2.11)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from casemate.cli.connecting import Connection, Question, Unasked, answer
from casemate.cli.secret_stores import Listed
from casemate.errors import CasemateError
from casemate.identifiers import Namespace, TenantId
from casemate.masking import Mask
from casemate.secret import Secret
from casemate.secrets import ANYWHERE, Address, Entry, ReadOnly

_PAGE: Final = 1000
_MOST_PAGES: Final = 1000
_STRANGE: Final = "the server's answer has not the form that was asked for: is it a Kestra server?"


class Declined(CasemateError):
    """The server says why it does not do what was asked for."""


class There:
    """The secrets of one tenant of a server. The server does not tell what kind of store they are in."""

    def __init__(self, to: Connection, tenant: TenantId) -> None:
        self._to = to
        self._tenant = tenant

    def listed(self, namespace: Namespace | None) -> Sequence[Listed]:
        """See `Keeper`."""
        path = "secrets" if namespace is None else _of(namespace)
        found: list[Listed] = []
        for page in range(1, _MOST_PAGES):
            said = self._asked("GET", f"{path}?page={page}&size={_PAGE}", does="list secrets")
            results = _mapping(said).get("results")
            if not isinstance(results, list):
                raise Unasked(_STRANGE)
            found += (Listed(self._entry(_mapping(one)), None, said.get("readOnly") is True) for one in results)
            if len(results) < _PAGE:
                break
        return found

    def before(self, address: Address) -> Entry | None:
        """See `Keeper`."""
        if _mapping(self._asked("GET", f"{_of(address.namespace)}?page=1&size=1", does="list secrets")).get("readOnly"):
            raise ReadOnly(address.namespace)
        found = (one.entry for one in self.listed(address.namespace))
        return next((entry for entry in found if entry.address == address), None)

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Keeper`."""
        said: dict[str, Any] = {"key": entry.address.name, "description": entry.description}
        said["tags"] = [{"key": name, "value": text} for name, text in sorted(entry.tags.items())]
        path = _of(entry.address.namespace)
        if value is None:
            self._asked("PATCH", f"{path}/{quote(entry.address.name, safe='')}", said, does="change secrets")
        else:
            mask = Mask()
            mask.add(value)
            self._asked("PUT", path, said | {"value": value.reveal()}, does="change secrets", mask=mask)

    def delete(self, address: Address) -> bool:
        """See `Keeper`."""
        path = f"{_of(address.namespace)}/{quote(address.name, safe='')}"
        try:
            answer(self._to, Question(method="DELETE", path=path, does="delete secrets"))
        except Unasked as error:
            if error.status == 404:
                return False
            raise _in_words(error, None) from None
        return True

    def seen_from(self, namespace: Namespace) -> frozenset[str]:
        """The names that flows of a namespace see."""
        path = f"namespaces/{quote(namespace, safe='')}/inherited-secrets"
        said = _mapping(self._asked("GET", path, does="list secrets"))
        return frozenset(str(name) for names in said.values() if isinstance(names, list) for name in names)

    def flows(self) -> Iterator[tuple[str, Namespace, str]]:
        """Id, namespace and source of every flow."""
        for page in range(1, _MOST_PAGES):
            said = _mapping(self._asked("GET", f"flows/search?page={page}&size={_PAGE}&sort=id:asc", does="list flows"))
            results = said.get("results")
            if not isinstance(results, list):
                raise Unasked(_STRANGE)
            yield from map(self._flow, map(_mapping, results))
            if len(results) < _PAGE:
                return

    def _flow(self, said: Mapping[str, Any]) -> tuple[str, Namespace, str]:
        name, namespace = str(said.get("id")), Namespace(str(said.get("namespace")))
        path = f"flows/{quote(namespace, safe='')}/{quote(name, safe='')}?source=true"
        source = _mapping(self._asked("GET", path, does="read flows")).get("source")
        if not isinstance(source, str):
            raise Unasked(_STRANGE)
        return name, namespace, source

    def _asked(
        self, method: str, path: str, said: Mapping[str, Any] | None = None, *, does: str, mask: Mask | None = None
    ) -> Any:
        content = None if said is None else json.dumps(said).encode()
        try:
            return answer(self._to, Question(method=method, path=path, content=content, does=does))
        except Unasked as error:
            # Its cause holds what was sent.
            raise _in_words(error, mask) from None

    def _entry(self, said: Mapping[str, Any]) -> Entry:
        name, tags = said.get("key"), said.get("tags") or []
        if not isinstance(name, str) or not isinstance(tags, list):
            raise Unasked(_STRANGE)
        namespace = Namespace(str(said.get("namespace") or ANYWHERE))
        return Entry(
            address=Address(tenant=self._tenant, namespace=namespace, name=name),
            description=None if said.get("description") is None else str(said["description"]),
            tags={str(tag.get("key")): str(tag.get("value")) for tag in map(_mapping, tags)},
        )


def _of(namespace: Namespace) -> str:
    return f"namespaces/{quote(namespace, safe='')}/secrets"


def _mapping(said: object) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise Unasked(_STRANGE)
    return said


def _in_words(error: Unasked, mask: Mask | None) -> CasemateError:
    """What the server says of the reason, if it says one; no server is to say back a value that it was given."""
    if error.told and error.status in (400, 404, 409, 422):
        return Declined(mask.cover(error.told) if mask else error.told)
    return error
