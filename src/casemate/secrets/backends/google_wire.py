"""How calls reach Google: one channel with TLS, credentials that were written, no proxies, failures as ours."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import google.auth
import grpc
import requests
from google.api_core import exceptions
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.transport.grpc import AuthMetadataPlugin
from google.auth.transport.requests import Request
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.oauth2 import service_account

from casemate.secret import Secret
from casemate.secrets.errors import BackendFailed, InvalidOptions

T = TypeVar("T")

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_HOST: Final = "secretmanager.googleapis.com"
_LARGEST_ANSWER: Final = 16 * 2**20
_OF_ONE: Final = (exceptions.Aborted, exceptions.InternalServerError, exceptions.Unknown)
"""The secret is changed by others at the same time, or the server stumbles over it."""
_PASSING: Final = (
    exceptions.DeadlineExceeded,
    exceptions.ResourceExhausted,
    exceptions.ServerError,
    exceptions.TooManyRequests,
)


# What it logs of a token that could not be had is the server's answer.
logging.getLogger("grpc._plugin_wrapping").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where the service is, and as whom it is asked. `authority` is a file of those to trust."""

    endpoint: str
    service_account: Secret | None
    authority: str | None


def connected(line: Line) -> SecretManagerServiceClient:
    """A client that asked nothing yet. Raises `InvalidOptions`."""
    plugin = _OneByOne(_credentials(line.service_account))
    trusted = Path(line.authority).read_bytes() if line.authority else None
    whole = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(trusted), grpc.metadata_call_credentials(plugin)
    )
    limits = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", _LARGEST_ANSWER)]
    target = line.endpoint if ":" in line.endpoint else f"{line.endpoint}:443"
    channel = grpc.secure_channel(target, whole, limits)
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(host=line.endpoint, channel=channel))


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def asked(call: Callable[[], T], *, taken: bool = False) -> T | None:
    """The answer to a call; None where nothing is there, or, with `taken`, something. Raises `BackendFailed`."""
    try:
        return call()
    except exceptions.NotFound:
        return None
    except exceptions.AlreadyExists as error:
        if taken:
            return None
        raise _failed(error) from None
    except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
        raise _failed(error) from None


def _failed(error: Exception) -> BackendFailed:
    """What a failure means for people: nothing that the server said."""
    if isinstance(error, exceptions.PermissionDenied | exceptions.Unauthenticated):
        return BackendFailed("Google refuses it: the credentials are wrong, or they may not do this.")
    if isinstance(error, TransportError | exceptions.RetryError):
        return BackendFailed("Google cannot be reached.", passing=True)
    if isinstance(error, GoogleAuthError):
        return BackendFailed("Google gives no token for these credentials.")
    if isinstance(error, _OF_ONE):
        return BackendFailed("Google cannot do it now.", passing=True, of_one=True)
    if isinstance(error, _PASSING):
        return BackendFailed("Google cannot be reached, or did not answer in time.", passing=True)
    if isinstance(error, exceptions.FailedPrecondition):
        return BackendFailed("The latest version of the secret is disabled or destroyed.")
    return BackendFailed("Google does not take the request.")


def account_fault(written: Secret | None) -> str | None:
    """What is wrong with the key of a service account; None if nothing is, or none is given."""
    try:
        _ = written and _credentials(written)
    except (ValueError, KeyError, TypeError, AttributeError, GoogleAuthError):
        return "service-account is not the JSON text of a service account's key"
    return None


def _credentials(written: Secret | None) -> Credentials:
    if written is None:
        try:
            found: Credentials = google.auth.default(default_scopes=_SCOPES)[0]
        except GoogleAuthError:
            raise InvalidOptions(("ambient: true finds no credentials of Google here",)) from None
        return found
    account: Credentials = service_account.Credentials.from_service_account_info(json.loads(written.reveal()))
    # Tokens are signed here, as Google's own clients do: nobody else is asked for one.
    return account


class _OneByOne(grpc.AuthMetadataPlugin):  # type: ignore[misc]  # grpc has no types
    """Gives calls their token. Google's own plugin is not safe where several threads call at once."""

    def __init__(self, credentials: Credentials) -> None:
        self._plugin = AuthMetadataPlugin(credentials, Request(_session()), default_host=_HOST)
        self._lock = threading.Lock()

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        """Called by grpc, on threads of its own."""
        with self._lock:
            self._plugin(context, callback)
