"""How requests reach Vault: without ambient settings, with answers bounded in time and size, and refusals as values."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from hvac import Client
from hvac.adapters import RawAdapter
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from casemate.errors import CasemateError
from casemate.secrets.backends.bounded import whole
from casemate.secrets.errors import BackendFailed

_OF_ONE: Final = (412, 500)
"""It stumbles over this path or value; sealed, standing by or overloaded it says something else."""


class Refusal(CasemateError):
    """Vault refused a request; only the status is kept, its words are not."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Vault answered {status}.")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where Vault is, and how to reach it. Timeouts are seconds; files are paths."""

    address: str
    namespace: str | None
    connect_timeout: float
    read_timeout: float
    verify: bool | str
    certificate: tuple[str, str] | None
    server_name: str | None


def connected(line: Line) -> Client:
    """A client of Vault that has no token yet. It asks nothing, and reads neither variables nor files of its own."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Named(line.server_name))
    return Client(
        url=line.address,
        token="",
        cert=line.certificate,
        verify=line.verify,
        timeout=(line.connect_timeout, line.read_timeout),
        allow_redirects=False,
        session=_prepared(session, line),
        adapter=_Bounded,
        namespace=line.namespace,
    )


def failed(refusal: Refusal) -> BackendFailed:
    """What a refusal means for people: nothing that Vault said."""
    status = refusal.status
    if 300 <= status < 400:
        return BackendFailed(
            "Vault sends elsewhere, which is not followed: name the active server, or a load balancer."
        )
    if status in (401, 403):
        return BackendFailed("Vault refuses it: the credentials are wrong, or their policy does not allow it.")
    if status == 404:
        return BackendFailed("Vault has nothing there: is the engine or login method mounted at that path?")
    if status in (408, 412, 429) or status >= 500:
        return BackendFailed(f"Vault cannot answer now (status {status}).", passing=True, of_one=status in _OF_ONE)
    return BackendFailed(f"Vault does not take the request (status {status}).")


def _prepared(session: requests.Session, line: Line) -> requests.Session:
    # The client takes what the session says over its own arguments.
    session.verify = line.verify
    session.cert = line.certificate
    return session


class _Named(HTTPAdapter):
    """Expects a certificate for another name than the address's, if one is given (`tls.server-name`)."""

    def __init__(self, server_name: str | None) -> None:
        self._names = {"server_hostname": server_name, "assert_hostname": server_name} if server_name else {}
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Called by requests when the pool is made."""
        super().init_poolmanager(connections, maxsize, block, **{**options, **self._names})


class _Bounded(RawAdapter):  # type: ignore[misc]  # hvac has no types
    """The requests of the client: answers as JSON, whole within the read timeout, and none of their words in errors."""

    def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, raise_exception: bool = True, **options: Any
    ) -> Mapping[str, Any]:
        """One request. Raises `Refusal` and `BackendFailed`; the client's own exceptions quote answers."""
        try:
            answer = super().request(method, url, headers, raise_exception=False, stream=True, **options)
            body = whole(answer.raw, self._kwargs["timeout"][1])
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _unreached(error) from None
        if not 200 <= answer.status_code < 300:
            raise Refusal(answer.status_code)
        return _object(body)

    def get_login_token(self, response: Mapping[str, Any]) -> str:
        """Not used: tokens are kept by `vault_login`."""
        return str(response["auth"]["client_token"])


def _object(body: bytes) -> Mapping[str, Any]:
    if not body:
        return {}
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise not_vault()
    return read


def not_vault() -> BackendFailed:
    """Another server answered."""
    return BackendFailed("What answered does not speak as Vault does: is the address right?")


def _unreached(error: Exception) -> BackendFailed:
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return BackendFailed("Vault's certificate, or ours, is not accepted (see the options below tls).")
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return BackendFailed("Vault did not answer in time.", passing=True)
    return BackendFailed("Vault cannot be reached.", passing=True)
