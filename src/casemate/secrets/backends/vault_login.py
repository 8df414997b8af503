"""The token that Vault knows us by: got by logging in, renewed before it ends, got anew where it is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from hvac import Client

from casemate.errors import CasemateError
from casemate.secret import Secret
from casemate.secrets.backends.vault_wire import Refusal, failed, not_vault
from casemate.secrets.errors import BackendFailed

log = structlog.get_logger()

T = TypeVar("T")
Clock = Callable[[], float]

_UNKNOWN: Final = (400, 401, 403)
_RENEWED_AT: Final = 2 / 3
_SLACK: Final = 0.05
"""Seconds after it is due that an alarm rings: never before."""
_SECONDS_IN_VAIN: Final = 30.0
"""How long a token that was refused right after its login is not replaced: then it is the policy that refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A token, and for how long: `seconds` 0 is for ever."""

    token: Secret
    seconds: float = 0.0
    renewable: bool = False
    since: float = 0.0

    def due(self, now: float) -> bool:
        """Whether it is time to renew it, or to log in again."""
        return self.seconds > 0 and now >= self.since + self.seconds * _RENEWED_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to get a token. One that was given cannot be got `again`."""

    get: Callable[[Client], Mapping[str, Any]]
    again: bool = True


def by_token(token: Secret) -> Method:
    """The token that was configured; Vault is asked how long it lasts."""

    def get(client: Client) -> Mapping[str, Any]:
        client.token = token.reveal()
        try:
            told = _part(client.auth.token.lookup_self(), "data")
        except Refusal as refusal:
            if refusal.status != 403:
                raise
            told = {}  # tokens of narrow policies may not look at themselves
        lasting = {"lease_duration": told.get("ttl", 0), "renewable": told.get("renewable", False)}
        return {"client_token": token.reveal(), **lasting}

    return Method(get=get, again=False)


def by_password(user: str, password: Secret, path: str) -> Method:
    """`password`: Vault's userpass."""

    def get(client: Client) -> Mapping[str, Any]:
        answer = client.auth.userpass.login(user, password.reveal(), use_token=False, mount_point=path)
        return _part(answer, "auth")

    return Method(get=get)


def by_role(role: Secret, secret: Secret | None, path: str) -> Method:
    """`app-role`."""

    def get(client: Client) -> Mapping[str, Any]:
        secret_id = secret.reveal() if secret else None
        answer = client.auth.approle.login(role.reveal(), secret_id, use_token=False, mount_point=path)
        return _part(answer, "auth")

    return Method(get=get)


def by_service_account(role: str, file: Path, path: str) -> Method:
    """`kubernetes`: the service account's token is read at each login, as it changes."""

    def get(client: Client) -> Mapping[str, Any]:
        try:
            token = file.read_text().strip()
        except (OSError, ValueError):
            raise BackendFailed("The token of the service account cannot be read.") from None
        return _part(client.auth.kubernetes.login(role, token, use_token=False, mount_point=path), "auth")

    return Method(get=get)


class Session:
    """A client that has a token. Several threads use it; one of them at a time logs in."""

    def __init__(self, client: Client, method: Method, clock: Clock = time.monotonic) -> None:
        self._client = client
        self._method = method
        self._clock = clock
        self._lease: Lease | None = None
        self._lock = threading.Lock()
        self._vain_until = 0.0
        self._alarm: threading.Timer | None = None
        self._closed = False

    def ask(self, call: Callable[[Client], T]) -> T | None:
        """The answer to a question; None where nothing is there. Raises `BackendFailed`."""
        try:
            return self._used(call)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise failed(refusal) from None

    def change(self, call: Callable[[Client], T]) -> T:
        """Have something changed. Raises `BackendFailed`, also where the place for it is not there."""
        try:
            return self._used(call)
        except Refusal as refusal:
            raise failed(refusal) from None

    def close(self) -> None:
        """Let go of connections. The token is left to its end: others may have the same."""
        with self._lock:
            self._closed = True
            if self._alarm:
                self._alarm.cancel()
        self._client.adapter.close()

    def _used(self, call: Callable[[Client], T]) -> T:
        lease = self._ready()
        try:
            return call(self._client)
        except Refusal as refusal:
            if refusal.status != 403 or not self._anew(lease):
                raise
        try:
            return call(self._client)
        except Refusal as refusal:
            if refusal.status == 403:
                self._vain_until = self._clock() + _SECONDS_IN_VAIN
            raise

    def _ready(self) -> Lease:
        """The lease to use now. Raises `BackendFailed`."""
        with self._lock:
            if self._lease is None:
                self._take(self._logged_in())
            elif self._lease.due(self._clock()):
                self._take(self._renewed(self._lease) or self._logged_in())
            assert self._lease
            return self._lease

    def _anew(self, refused: Lease) -> bool:
        """Another token than the refused one, if one can be had. Raises `BackendFailed`."""
        with self._lock:
            if self._lease is not refused:
                return True
            if not self._method.again or self._clock() < self._vain_until:
                return False
            self._take(self._logged_in())
            return True

    def _logged_in(self) -> Lease:
        try:
            return self._lent(self._method.get(self._client))
        except Refusal as refusal:
            if refusal.status in _UNKNOWN:
                raise BackendFailed("Vault lets nobody in with these credentials.") from None
            raise failed(refusal) from None

    def _renewed(self, lease: Lease) -> Lease | None:
        """The same token for longer; None where another is needed, and can be had."""
        if lease.renewable:
            try:
                renewed = self._lent(_part(self._client.auth.token.renew_self(), "auth"))
            except Refusal as refusal:
                log.warning("secret.token_not_renewed", status=refusal.status)
            else:
                # Near the token's last end, renewals become ever shorter.
                return renewed if renewed.seconds >= lease.seconds / 2 or not self._method.again else None
        return None if self._method.again else Lease(token=lease.token)

    def _lent(self, auth: Mapping[str, Any]) -> Lease:
        try:
            token, seconds = str(auth["client_token"]), float(auth.get("lease_duration") or 0)
        except (KeyError, TypeError, ValueError):
            raise not_vault() from None
        return Lease(token=Secret(token), seconds=seconds, renewable=auth.get("renewable") is True, since=self._clock())

    def _take(self, lease: Lease) -> None:
        self._lease = lease
        self._client.token = lease.token.reveal()
        # A token that cannot be got again must not end while nobody asks for secrets.
        if not self._method.again and lease.renewable and lease.seconds > 0 and not self._closed:
            self._wake_in(lease.seconds * _RENEWED_AT)

    def _wake_in(self, seconds: float) -> None:
        self._alarm = threading.Timer(seconds + _SLACK, self._kept)
        self._alarm.daemon = True
        self._alarm.start()

    def _kept(self) -> None:
        try:
            self._ready()
        except CasemateError as error:
            log.warning("secret.token_not_renewed", error=str(error))
            with self._lock:
                if self._lease and not self._closed:
                    self._wake_in(max(1.0, self._lease.seconds / 20))


def _part(answer: object, name: str) -> Mapping[str, Any]:
    part = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(part, Mapping):
        raise not_vault()
    return part
