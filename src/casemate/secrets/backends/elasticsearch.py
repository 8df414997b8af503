"""`kestra.secret.type: elasticsearch`: sealed secrets as documents of one index (spec/security 2.4).

A document's id is a hash of the secret's address, and its text opens for that address only: whoever may write to the
index can remove secrets, but neither read nor move them. Descriptions and tags are kept, and are not encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from elasticsearch import BadRequestError, Elasticsearch

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import tags
from casemate.secrets.backend import Address, Entry, Found
from casemate.secrets.backends.bounded import MOST_PAGES, ending
from casemate.secrets.backends.elasticsearch_options import Client, Options
from casemate.secrets.backends.elasticsearch_resealing import resealed
from casemate.secrets.backends.elasticsearch_wire import asked, connected, source
from casemate.secrets.errors import BackendFailed, ReadOnly
from casemate.secrets.resealing import Tally, check_resealable
from casemate.secrets.sealing import Sealed

__all__ = ["ElasticsearchSecrets", "Options", "opened"]

_PAGE: Final = 500
_WORD: Final = {"type": "keyword"}
_KEPT: Final = {"type": "keyword", "index": False, "doc_values": False}
_MAPPINGS: Final[Mapping[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "tenant": _WORD,
        "namespace": _WORD,
        "key": _WORD,
        "description": _KEPT,
        "tags": {"type": "object", "enabled": False},
        "kid": _KEPT,
        "value": _KEPT,
    },
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A document without its text."""

    address: Address
    description: str | None
    tags: Mapping[str, str]


def opened(options: Options, *, read_only: bool) -> ElasticsearchSecrets:
    """The secrets of a cluster that nothing was asked yet."""
    assert isinstance(options.client, Client)
    client = connected(options.client, options.read_timeout.total_seconds())
    return ElasticsearchSecrets(client, options, read_only=read_only)


class ElasticsearchSecrets:
    """The secrets of an index. It is made with the first secret."""

    def __init__(self, client: Elasticsearch, options: Options, *, read_only: bool) -> None:
        self._client = client
        self._options = options
        self._seal = options.seal
        self._read_only = read_only
        self._made = False

    def read(self, address: Address) -> Found | None:
        """See `Backend`; sees at once what was written."""
        document = self._document(address)
        if document is None or not tags.shown(_pairs(document), self._options):
            return None
        sealed = Sealed(kid=str(document.get("kid")), text=str(document.get("value")))
        return Found(value=self._seal.opened(address, sealed))

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        said = {"tenant": tenant, **({"namespace": namespace} if namespace else {})}
        found = [_kept(document) for document in self._search(said)]
        entries = [self._entry(kept) for kept in found if tags.shown(kept.tags, self._options)]
        return sorted(entries, key=lambda entry: (entry.address.namespace, entry.address.name))

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        self._check_writable(entry.address)
        said = self._said(entry)
        if value is None:
            self._described(entry.address, said)
            return
        sealed = self._seal.sealed(entry.address, value)
        self._make_index()
        document = {**_place(entry.address), **said, "kid": sealed.kid, "value": sealed.text}
        identifier = _identifier(entry.address)
        asked(lambda: self._client.index(index=self._options.index, id=identifier, document=document, refresh=True))

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        self._check_writable(address)
        document = self._document(address)
        if document is None or not tags.shown(_pairs(document), self._options):
            return False
        identifier = _identifier(address)
        gone = asked(lambda: self._client.delete(index=self._options.index, id=identifier, refresh=True))
        return gone is not None

    @property
    def kid(self) -> str:
        """See `Resealable`."""
        return self._seal.kid

    def reseal(self, *, only_looks: bool) -> Iterator[Tally]:
        """See `Resealable`."""
        check_resealable(read_only=self._read_only, only_looks=only_looks)
        yield from resealed(self._client, self._options.index, self._seal, only_looks=only_looks)

    def close(self) -> None:
        """See `Backend`."""
        self._client.close()

    def _check_writable(self, address: Address) -> None:
        if self._read_only:
            raise ReadOnly(address.namespace)

    def _said(self, entry: Entry) -> dict[str, Any]:
        """What a document tells besides its value. A list of tags is replaced as a whole, a map would be mixed."""
        said = tags.written(entry, self._options, None)
        said.pop(tags.DESCRIPTION, None)
        if not tags.shown(said, self._options):
            raise BackendFailed("With these tags filter-on-tags or excluded-tags would hide the secret.")
        pairs = [{"name": name, "value": value} for name, value in said.items()]
        return {"description": entry.description, "tags": pairs}

    def _described(self, address: Address, said: Mapping[str, Any]) -> None:
        asked(
            lambda: self._client.update(
                index=self._options.index, id=_identifier(address), doc=said, refresh=True, retry_on_conflict=3
            )
        )

    def _document(self, address: Address) -> Mapping[str, Any] | None:
        answer = asked(lambda: self._client.get(index=self._options.index, id=_identifier(address)))
        return None if answer is None else source(answer.body)

    def _search(self, said: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """All documents that say so, a page at a time."""
        query = {"bool": {"filter": [{"term": {name: value}} for name, value in said.items()]}}
        for hits in ending(self._pages(query), MOST_PAGES):
            yield from map(source, hits)

    def _pages(self, query: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
        after: list[Any] | None = None
        while True:
            hits = asked(partial(self._page, query, after)) or []
            yield hits
            if len(hits) < _PAGE:
                return
            after = asked(partial(_place_in_list, hits[-1]))

    def _page(self, query: Mapping[str, Any], after: list[Any] | None) -> list[Mapping[str, Any]]:
        answer = self._client.search(
            index=self._options.index,
            query=query,
            sort=["tenant", "namespace", "key"],
            size=_PAGE,
            search_after=after,
            source_excludes=["value"],
        )
        return list(answer["hits"]["hits"])

    def _entry(self, kept: Kept) -> Entry:
        seen = tags.own(kept.tags, self._options)
        return Entry(address=kept.address, description=kept.description, tags=seen)

    def _make_index(self) -> None:
        if self._made:
            return
        name = self._options.index
        # Asked first: a role may be allowed to write to the index, but not to make it.
        if not asked(lambda: bool(self._client.indices.exists(index=name))):
            asked(lambda: self._created(name))
        self._made = True

    def _created(self, name: str) -> None:
        try:
            self._client.indices.create(index=name, mappings=_MAPPINGS)
        except BadRequestError:
            # Another instance was faster.
            if not self._client.indices.exists(index=name):
                raise


def _place_in_list(hit: Mapping[str, Any]) -> list[Any]:
    return list(hit["sort"])


def _place(address: Address) -> dict[str, str]:
    return {"tenant": address.tenant, "namespace": address.namespace, "key": address.name}


def _identifier(address: Address) -> str:
    return sha256("\0".join((address.tenant, address.namespace, address.name)).encode()).hexdigest()


def _kept(document: Mapping[str, Any]) -> Kept:
    tenant, namespace, key = (str(document.get(name)) for name in ("tenant", "namespace", "key"))
    address = Address(tenant=TenantId(tenant), namespace=Namespace(namespace), name=key)
    description = document.get("description")
    return Kept(address, str(description) if description else None, _pairs(document))


def _pairs(document: Mapping[str, Any]) -> dict[str, str]:
    listed = document.get("tags")
    if not isinstance(listed, list):
        return {}
    return {str(tag.get("name")): str(tag.get("value")) for tag in listed if isinstance(tag, Mapping)}
