"""How requests reach Elasticsearch: each once, and refusals in our own words."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from elastic_transport import NodeConfig, Urllib3HttpNode
from elasticsearch import (
    ApiError,
    ConnectionTimeout,
    Elasticsearch,
    NotFoundError,
    SerializationError,
    TransportError,
    UnsupportedProductError,
)
from elasticsearch import SSLError as Unsafe
from urllib3 import HTTPResponse

from casemate.secrets.backends.bounded import whole
from casemate.secrets.backends.elasticsearch_options import Client
from casemate.secrets.errors import BackendFailed

T = TypeVar("T")

_PRODUCT: Final = "X-Elastic-Product"
_OF_THE_PRODUCT: Final = (400, 404, 406, 415)
"""Answers that no gateway gives in its place."""
_OTHER_PRODUCT: Final = (
    "What answered is not Elasticsearch, as its official client checks; OpenSearch and other makers' servers cannot"
    " keep secrets. Name an Elasticsearch 8 or 9 in http-hosts, or choose another kestra.secret.type."
)
_OF_ONE: Final = (409, 500)
"""The document was changed meanwhile, or the server stumbles over it."""

# Its lines of that level hold requests and answers whole.
logging.getLogger("elastic_transport").setLevel(logging.INFO)


def connected(options: Client, seconds: float) -> Elasticsearch:
    """A client that asked nothing yet. What is tried again, and how often, is decided around stores."""
    login = options.basic_auth
    more: dict[str, Any] = {"ca_certs": options.ca_cert} if options.ca_cert else {}
    return Elasticsearch(
        list(options.hosts),
        basic_auth=(login.username, login.password.reveal()) if login else None,
        request_timeout=seconds,
        max_retries=0,
        node_class=_Node,
        retry_on_timeout=False,
        **more,
    )


class _Node(Urllib3HttpNode):
    """A node whose answers are there as a whole within the time of a request."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool: Any = _Pool(self.pool)


class _Pool:
    """The connections to a node, a pool of urllib3's."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def urlopen(self, *words: Any, timeout: float, **options: Any) -> HTTPResponse:
        """Called by the client. The body is unpacked already."""
        answer = self._pool.urlopen(*words, timeout=timeout, preload_content=False, **options)
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        return HTTPResponse(io.BytesIO(whole(answer, timeout)), headers, answer.status, enforce_content_length=False)

    def close(self) -> None:
        """Called by the client."""
        self._pool.close()


def asked(question: Callable[[], T]) -> T | None:
    """The answer to a question; None where what it is about is not there. Raises `BackendFailed`."""
    try:
        return question()
    except UnsupportedProductError:
        raise BackendFailed(_OTHER_PRODUCT) from None
    except ApiError as error:
        # The client checks the product of good answers only; others would say "not found" of every secret.
        if error.status_code in _OF_THE_PRODUCT and _PRODUCT not in error.meta.headers:
            raise BackendFailed(_OTHER_PRODUCT) from None
        if isinstance(error, NotFoundError):
            return None
        raise _refused(error.status_code) from None
    except TransportError as error:
        raise _unreached(error) from None
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # So its client, and we, trip over answers of another shape.
        raise _not_elasticsearch() from None


def source(answer: object) -> Mapping[str, Any]:
    """The document of an answer. Raises `BackendFailed`."""
    document = answer.get("_source") if isinstance(answer, Mapping) else None
    if not isinstance(document, Mapping):
        raise _not_elasticsearch()
    return document


def _not_elasticsearch() -> BackendFailed:
    return BackendFailed("What answered does not speak as Elasticsearch does: is the address right?")


def _refused(status: int) -> BackendFailed:
    """What a refusal means for people: nothing that Elasticsearch wrote, which can quote what it was asked."""
    if status in (401, 403):
        return BackendFailed("Elasticsearch refuses it: the credentials are wrong, or their role does not allow it.")
    if status in (408, 409, 429) or status >= 500:
        return BackendFailed(
            f"Elasticsearch cannot answer now (status {status}).", passing=True, of_one=status in _OF_ONE
        )
    return BackendFailed(f"Elasticsearch does not take the request (status {status}).")


def _unreached(error: TransportError) -> BackendFailed:
    for one in error.errors:
        if isinstance(one, BackendFailed):
            return one
    if isinstance(error, Unsafe):
        return BackendFailed("Elasticsearch's certificate is not accepted (see ca-cert).")
    if isinstance(error, ConnectionTimeout):
        return BackendFailed("Elasticsearch did not answer in time.", passing=True)
    if isinstance(error, SerializationError):
        return _not_elasticsearch()
    return BackendFailed("Elasticsearch cannot be reached.", passing=True)
