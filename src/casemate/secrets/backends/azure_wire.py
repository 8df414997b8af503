"""How requests reach Azure: one session without ambient settings or repetitions, answers bounded, failures as ours."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import requests
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from casemate.secrets.backends.bounded import whole
from casemate.secrets.errors import BackendFailed

T = TypeVar("T")

_CONFLICT: Final = 409
_OF_ONE: Final = (_CONFLICT, 500)
"""The secret is being deleted or brought back, or the server stumbles over it."""

# What the clients log of a refused login is the server's answer.
for _name in ("azure", "msal"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def transport(connect_timeout: float, read_timeout: float, authority: str | None) -> RequestsTransport:
    """A transport of its own; `authority` is a file of those to trust instead of the usual ones."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Bounded(read_timeout))
    return RequestsTransport(
        session=session,
        use_env_settings=False,
        connection_timeout=connect_timeout,
        read_timeout=read_timeout,
        connection_verify=authority or True,
    )


def asked(call: Callable[[], T], *, taken: bool = False) -> T | None:
    """The answer to a call; None where nothing is there, or, with `taken`, something. Raises `BackendFailed`."""
    try:
        return call()
    except ResourceNotFoundError:
        return None
    except (AzureError, ValueError, OSError) as error:
        if taken and _status(error) == _CONFLICT:
            return None
        raise _failed(error) from None
    except (AttributeError, LookupError, RecursionError, TypeError):
        # So its clients trip over answers of another shape.
        raise BackendFailed("What answered does not speak as a Key Vault does.") from None


def _status(error: BaseException) -> int | None:
    """What the server answered, if it did."""
    return next((one.status_code for one in _chain(error) if isinstance(one, HttpResponseError)), None)


class _Bounded(HTTPAdapter):
    """Answers that are there as a whole within the read timeout."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__()

    def send(self, request: requests.PreparedRequest, *words: Any, **options: Any) -> requests.Response:
        """Called by requests. A server that sends byte after byte is no more waited for than a silent one."""
        answer = super().send(request, *words, **{**options, "stream": True})
        body = whole(answer.raw, self._seconds)
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        answer.raw = HTTPResponse(io.BytesIO(body), headers, answer.status_code, preload_content=False)
        return answer


def _failed(error: Exception) -> BackendFailed:
    """What a failure means for people: nothing that the server said."""
    if _is_one_of(error, requests.exceptions.SSLError):
        return BackendFailed("The certificate of Azure's endpoint is not accepted (see ca-cert).")
    answered = _status(error)
    if answered in (401, 403) or (answered == 400 and _is_login(error)):
        return BackendFailed("Azure refuses it: the credentials are wrong, or they may not do this.")
    if answered in (408, 409, 429) or (answered or 0) >= 500:
        return BackendFailed(f"Azure cannot do it now (status {answered}).", passing=True, of_one=answered in _OF_ONE)
    if answered is not None:
        return BackendFailed(f"Azure does not take the request (status {answered}).")
    if _is_one_of(error, ServiceRequestError, ServiceResponseError, requests.ConnectionError, requests.Timeout):
        return BackendFailed("Azure cannot be reached, or did not answer in time.", passing=True)
    return BackendFailed("Azure gives no token for these credentials, or what answered is no Key Vault.")


def _is_login(error: BaseException) -> bool:
    return type(error).__name__ == "ClientAuthenticationError"


def _is_one_of(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(one, kinds) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of; Azure's clients wrap several times."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = getattr(one, "inner_exception", None)
        waiting += [cause for cause in (one.__cause__, one.__context__, inner) if isinstance(cause, BaseException)]
        waiting += [word for word in one.args if isinstance(word, BaseException)]
