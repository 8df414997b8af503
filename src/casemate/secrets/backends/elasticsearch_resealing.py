"""Sealing the documents of an index anew: each only as it was read, so that nobody's newer value is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from elasticsearch import ConflictError, Elasticsearch

from casemate.identifiers import Namespace, TenantId
from casemate.secrets.backend import Address
from casemate.secrets.backends.elasticsearch_wire import asked, source
from casemate.secrets.errors import BackendFailed
from casemate.secrets.resealing import Tally, renewed
from casemate.secrets.sealing import Seal, Sealed

_PAGE: Final = 20
"""Documents with their values, which may be large."""
_TRIES: Final = 5
"""Of a document that others write at the same time."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A document as it was read."""

    identifier: str
    address: Address
    sealed: Sealed
    number: int
    term: int


@dataclass(frozen=True, slots=True)
class _Page:
    """Some documents, and where the next ones begin; None behind the last of all."""

    documents: list[_Version]
    last: list[Any] | None


def resealed(client: Elasticsearch, index: str, seal: Seal, *, only_looks: bool) -> Iterator[Tally]:
    """See `Resealable`: page by page."""
    after: list[Any] | None = None
    while True:
        page = asked(partial(_page, client, index, after)) or _Page([], None)
        tally = Tally()
        for found in page.documents:
            _reseal(client, index, seal, found, tally, only_looks=only_looks)
        yield tally
        after = page.last
        if after is None:
            return


def _page(client: Elasticsearch, index: str, after: list[Any] | None) -> _Page:
    answer = client.search(
        index=index,
        query={"match_all": {}},
        sort=["tenant", "namespace", "key"],
        size=_PAGE,
        search_after=after,
        seq_no_primary_term=True,
    )
    hits = answer["hits"]["hits"]
    return _Page([_version(hit) for hit in hits], list(hits[-1]["sort"]) if len(hits) == _PAGE else None)


def _reseal(client: Elasticsearch, index: str, seal: Seal, found: _Version, tally: Tally, *, only_looks: bool) -> None:
    read: _Version | None = found
    for _ in range(_TRIES):
        if read is None:
            return  # somebody removed it
        one = Tally()
        new = renewed(seal, read.address, read.sealed, one, only_looks=only_looks)
        if new == read.sealed or asked(partial(_keep, client, index, read, new)):
            tally += one
            return
        read = asked(partial(_again, client, index, read.identifier))
    raise BackendFailed("Elasticsearch is busy with others who write the same.", passing=True)


def _again(client: Elasticsearch, index: str, identifier: str) -> _Version:
    return _version(client.get(index=index, id=identifier).body)


def _keep(client: Elasticsearch, index: str, read: _Version, new: Sealed) -> bool:
    """Whether the document was still the one that was read."""
    said = {"kid": new.kid, "value": new.text}
    try:
        client.update(
            index=index,
            id=read.identifier,
            doc=said,
            if_seq_no=read.number,
            if_primary_term=read.term,
            refresh=True,
        )
    except ConflictError:
        return False
    return True


def _version(hit: Mapping[str, Any]) -> _Version:
    document = source(hit)
    tenant, namespace, key = (str(document.get(name)) for name in ("tenant", "namespace", "key"))
    return _Version(
        identifier=str(hit.get("_id")),
        address=Address(tenant=TenantId(tenant), namespace=Namespace(namespace), name=key),
        sealed=Sealed(kid=str(document.get("kid")), text=str(document.get("value"))),
        number=int(hit.get("_seq_no", -1)),
        term=int(hit.get("_primary_term", -1)),
    )
