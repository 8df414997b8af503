"""How requests reach Elasticsearch: each once, and refusals in our own words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

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

from casemate.secrets.backends.elasticsearch_options import Client
from casemate.secrets.errors import BackendFailed

T = TypeVar("T")

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
        retry_on_timeout=False,
        **more,
    )


def asked(question: Callable[[], T]) -> T | None:
    """The answer to a question; None where what it is about is not there. Raises `BackendFailed`."""
    try:
        return question()
    except NotFoundError:
        return None
    except UnsupportedProductError:
        raise BackendFailed(
            "What answered is not Elasticsearch (its official client does not speak to others)."
        ) from None
    except ApiError as error:
        raise _refused(error.status_code) from None
    except TransportError as error:
        raise _unreached(error) from None


def source(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document of an answer. Raises `BackendFailed`."""
    document = answer.get("_source")
    if not isinstance(document, Mapping):
        raise BackendFailed("What answered does not speak as Elasticsearch does: is the address right?")
    return document


def _refused(status: int) -> BackendFailed:
    """What a refusal means for people: nothing that Elasticsearch wrote, which can quote what it was asked."""
    if status in (401, 403):
        return BackendFailed("Elasticsearch refuses it: the credentials are wrong, or their role does not allow it.")
    if status in (408, 409, 429) or status >= 500:
        return BackendFailed(f"Elasticsearch cannot answer now (status {status}).", passing=True)
    return BackendFailed(f"Elasticsearch does not take the request (status {status}).")


def _unreached(error: TransportError) -> BackendFailed:
    if isinstance(error, Unsafe):
        return BackendFailed("Elasticsearch's certificate is not accepted (see ca-cert).")
    if isinstance(error, ConnectionTimeout):
        return BackendFailed("Elasticsearch did not answer in time.", passing=True)
    if isinstance(error, SerializationError):
        return BackendFailed("What answered does not speak as Elasticsearch does: is the address right?")
    return BackendFailed("Elasticsearch cannot be reached.", passing=True)
