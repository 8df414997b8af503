"""How requests reach AWS: sessions that know only what their options say, and refusals in our own words."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any, Final, TypeVar

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.exceptions import ConnectionError as Unconnected
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError
from botocore.session import Session
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as LateAnswer

from casemate.secret import Secret
from casemate.secrets.backends.aws_options import AwsOptions
from casemate.secrets.backends.bounded import MOST_PAGES, ending, whole
from casemate.secrets.errors import BackendFailed

T = TypeVar("T")

# Its lines of that level hold requests and answers whole, secrets included.
logging.getLogger("botocore").setLevel(logging.INFO)

_MISSHAPEN: Final = (AttributeError, LookupError, RecursionError, TypeError)
_SESSION_NAME: Final = "casemate"
_RENEWED_BEFORE: Final = 5 * 60  # seconds
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY: Final = frozenset(
    {
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_OF_ONE: Final = frozenset({"InternalServerError", "InternalServiceError", "TooManyUpdates"})
_KEY: Final = frozenset({"DecryptionFailure", "EncryptionFailure", "InvalidKeyId", "KMSAccessDeniedException"})


class Refused(BackendFailed):
    """AWS refused a request, for a reason that has this code."""

    def __init__(self, message: str, code: str, *, passing: bool = False, of_one: bool = False) -> None:
        super().__init__(message, passing=passing, of_one=of_one)
        self.code = code


class Line:
    """A client of one service of AWS. May be used by several threads at once."""

    def __init__(self, service: str, options: AwsOptions) -> None:
        self._service = service
        self._options = options
        self._client: Any = None
        self._lock = Lock()

    def ask(self, operation: str, *, expected: Collection[str] = (), **arguments: Any) -> Mapping[str, Any] | None:
        """What AWS answers to an operation; None where it refuses with a code that is `expected`.

        Raises `BackendFailed`.
        """
        try:
            answer: Mapping[str, Any] = getattr(self._connected(), operation)(**arguments)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in expected:
                return None
            raise _refused(error) from None
        except (BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError) as error:
            raise _unreached(error) from None
        except _MISSHAPEN:
            # So its client trips over answers of another shape.
            raise not_aws() from None
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """The answers to an operation that lists, one after the other. Raises `BackendFailed`."""
        return ending(self._pages(operation, arguments), MOST_PAGES)

    def _pages(self, operation: str, arguments: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        token: Mapping[str, Any] = {}
        while True:
            answer = self.ask(operation, **arguments, **token) or {}
            yield answer
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _connected(self) -> Any:
        # Not before the first question: ambient credentials are looked for on the network, too.
        with self._lock:
            if self._client is None:
                self._client = _client(self._service, self._options)
            return self._client


class _Role(DeferredRefreshableCredentials):  # type: ignore[misc]  # botocore has no types
    """Credentials of a role. The client's own margins are as long as its shortest session: each call would ask anew."""

    _advisory_refresh_timeout = _RENEWED_BEFORE
    _mandatory_refresh_timeout = 60


def _client(service: str, options: AwsOptions) -> Any:
    session = Session() if options.ambient else _bare_session()
    if options.sts_role_arn:
        _assume(session, options)
    elif not options.ambient:
        session.set_credentials(*_own(options))
    client = session.create_client(service, endpoint_url=options.endpoint_override, **_usual(options))
    return _bounded(client, options.read_timeout.total_seconds())


def _bounded(client: Any, seconds: float) -> Any:
    """The client; its answers are there as a whole within that time."""
    connections = client._endpoint.http_session

    def sent(request: Any, **_: Any) -> AWSResponse:
        request.stream_output = True
        answer = connections.send(request)
        body = HTTPResponse(io.BytesIO(whole(answer.raw, seconds)), preload_content=False)
        return AWSResponse(answer.url, answer.status_code, answer.headers, body)

    client.meta.events.register("before-send", sent)
    return client


def _bare_session() -> Any:
    """A session that knows neither variables of the environment nor files of the home directory."""
    nowhere = {"config_file": os.devnull, "credentials_file": os.devnull}
    session = Session(
        {
            name: (None, None, nowhere.get(name, default), converted)
            for name, (_, _, default, converted) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
        }
    )
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Any:
    """Descriptions of services, read once. They would be looked for in the home directory, too."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def _own(options: AwsOptions) -> tuple[str | None, str | None, str | None]:
    return _text(options.access_key_id), _text(options.secret_key_id), _text(options.session_token)


def _assume(session: Any, options: AwsOptions) -> None:
    """Let the session be that of the role, on top of whoever it is (spec/security 2.4)."""
    own = session.get_credentials() if options.ambient else Credentials(*_own(options))
    if own is None:
        raise NoCredentialsError

    def client(service: str, **given: Any) -> Any:
        made = session.create_client(service, endpoint_url=options.sts_endpoint_override, **_usual(options), **given)
        return _bounded(made, options.read_timeout.total_seconds())

    fetcher = AssumeRoleCredentialFetcher(
        client, own, options.sts_role_arn, extra_args=_asked_role(options), expiry_window_seconds=_RENEWED_BEFORE
    )
    # There is no other way to give a session credentials that renew themselves.
    session._credentials = _Role(fetcher.fetch_credentials, "assume-role")


def _asked_role(options: AwsOptions) -> dict[str, Any]:
    asked = {
        "RoleSessionName": options.sts_role_session_name or _SESSION_NAME,
        "DurationSeconds": int(options.sts_role_session_duration.total_seconds()),
        "ExternalId": _text(options.sts_role_external_id),
    }
    return {name: value for name, value in asked.items() if value is not None}


def _usual(options: AwsOptions) -> dict[str, Any]:
    limits = {
        "connect_timeout": options.connect_timeout.total_seconds(),
        "read_timeout": options.read_timeout.total_seconds(),
        # What is tried again, and how often, is decided around stores.
        "retries": {"total_max_attempts": 1, "mode": "standard"},
    }
    if options.ambient:
        return {"region_name": options.region, "config": Config(**limits)}
    # Proxies, endpoints and authorities would be taken from the environment, too.
    config = Config(**limits, proxies={}, ignore_configured_endpoint_urls=True)
    return {"region_name": options.region, "config": config, "verify": True}


def not_aws() -> BackendFailed:
    """Another server answered."""
    return BackendFailed("What answered does not speak as AWS does: is endpoint-override right?")


def understood(read: Callable[[], T]) -> T:
    """What is read of an answer. Raises `BackendFailed` where it is of another shape."""
    try:
        return read()
    except _MISSHAPEN:
        raise not_aws() from None


def text(told: object) -> str:
    """A text of an answer. Raises `TypeError` for anything else."""
    if not isinstance(told, str):
        raise TypeError
    return told


def pairs(told: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as AWS tells them, without its own. Raises as `text` does, or `LookupError`."""
    said = {text(tag["Key"]): text(tag.get("Value", "")) for tag in told or ()}
    return {name: value for name, value in said.items() if not name.startswith("aws:")}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS is told them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def tag_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The tags to write, and the names of those to take away."""
    return {name: value for name, value in after.items() if before.get(name) != value}, sorted(before.keys() - after)


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _refused(error: ClientError) -> Refused:
    """What a refusal means for people: nothing that AWS wrote, which can quote what it was asked."""
    code = str(error.response.get("Error", {}).get("Code"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _DENIED or status in (401, 403):
        return Refused("AWS refuses it: the credentials are wrong, or their policy does not allow it.", code)
    if code in _OF_ONE or status == 500:
        return Refused("AWS cannot answer this now.", code, passing=True, of_one=True)
    if code in _BUSY or status == 429 or status > 500:
        return Refused("AWS cannot answer now.", code, passing=True)
    if code in _KEY:
        return Refused("AWS cannot use the key that the secret is encrypted with.", code)
    too_long = "is the value, a tag or the description longer than it takes, or of other characters?"
    return Refused(f"AWS does not take the request (status {status}): {too_long}", code)


def _unreached(error: Exception) -> BackendFailed:
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | LateAnswer):
        return BackendFailed("AWS did not answer in time.", passing=True)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return BackendFailed("AWS finds no credentials in this environment.")
    if isinstance(error, NoRegionError):
        return BackendFailed("AWS finds no region in this environment: set region.")
    if isinstance(error, SSLError):
        return BackendFailed("The certificate of what answers for AWS is not accepted.")
    if isinstance(error, HTTPClientError | HTTPError | Unconnected | OSError):
        return BackendFailed("AWS cannot be reached.", passing=True)
    if isinstance(error, ResponseParserError):
        return not_aws()
    return BackendFailed("AWS cannot be asked this: its client refuses the request.")
