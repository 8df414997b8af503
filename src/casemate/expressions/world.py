"""What an expression may ask of the world. Everything impure goes through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NoReturn, Protocol, TypeAlias
from uuid import UUID

from casemate.expressions.errors import ExpressionError, NeedsWorld
from casemate.masking import Mask

Jq: TypeAlias = Callable[[str, object], list[object]]
"""All results of a jq program for a JSON value; an `ExpressionError` says why there are none."""


def no_jq(expression: str, value: object) -> NoReturn:
    """For worlds that have no sandboxes: jq is foreign code, and may only run behind walls."""
    raise ExpressionError("the 'jq' filter needs a sandbox, and there is none here")


class World(Protocol):
    """The impure functions (spec/engine 6.5). A refusal is an `ExpressionError` with Kestra's text, without a place.

    `namespace` is None where the author gave none: the flow's own is meant, and only the world knows it for sure,
    because a template may set a variable `flow`.
    """

    @property
    def now(self) -> datetime:
        """The current time, aware."""

    @property
    def zone(self) -> tzinfo:
        """The server's time zone, the default of all dates."""

    @property
    def mask(self) -> Mask:
        """What logs must not show of what templates see: it gets to know what they make of it."""

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> str:
        """The value of a secret, which `mask` knows from then on. Not to `inherit` leaves out the namespaces above."""

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> Mapping[str, object]:
        """A secret as `value`, and as `metadata` what its store keeps beside it; the world masks both in logs."""

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> object:
        """A value of the KV store; None, or a refusal, when it is missing or expired."""

    def read(self, path: str, namespace: str | None) -> str:
        """The text of a namespace file, or of a `kestra://` file that `file_refusal` allows."""

    def file_size(self, path: str, namespace: str | None) -> int:
        """The size in bytes of such a file."""

    def encrypt(self, key: str, plaintext: str) -> str:
        """AES-GCM under a key of the author's (spec/engine 6.7)."""

    def decrypt(self, key: str, encrypted: str) -> str:
        """The opposite of `encrypt`."""

    def uuid(self) -> UUID:
        """A new random UUID."""

    def random_int(self, lower: int, upper: int) -> int:
        """A random number, `lower` ≤ n < `upper`."""

    def error_logs(self) -> Sequence[Mapping[str, object]]:
        """The execution's ERROR log entries, oldest first, at most 25."""

    def jq(self, expression: str, value: object) -> list[object]:
        """All results of a jq program; runs behind a wall, never in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswerable:
    """A world that knows the time and refuses everything else with `NeedsWorld`."""

    now: datetime
    zone: tzinfo = UTC
    mask: Mask = field(default_factory=Mask, compare=False)

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("secret")

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("secret")

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("kv")

    def read(self, path: str, namespace: str | None) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("read")

    def file_size(self, path: str, namespace: str | None) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("fileSize")

    def encrypt(self, key: str, plaintext: str) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("encrypt")

    def decrypt(self, key: str, encrypted: str) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("decrypt")

    def uuid(self) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("uuid")

    def random_int(self, lower: int, upper: int) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("randomInt")

    def error_logs(self) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("errorLogs")

    def jq(self, expression: str, value: object) -> NoReturn:
        """Raises `NeedsWorld`."""
        raise NeedsWorld("jq")
