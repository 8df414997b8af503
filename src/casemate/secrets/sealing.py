"""Secrets at rest in a store that is not a secret manager: AES-256-GCM, bound to where they are (spec/security 2.4).

A sealed secret is `iv(12) || ciphertext || tag(16)` in Base64, as Kestra's own encryption writes it, with
`tenant|namespace|key` as additional data: a row that is copied to another name, namespace or tenant does not open.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from casemate.secret import Secret
from casemate.secrets.backend import Address
from casemate.secrets.errors import BackendFailed

SHORTEST: Final = 32
"""Characters of the shortest `secret` that a store is sealed with."""

_IV_SIZE = 12  # bytes
_KEY_SIZE = 32
_KID_SIZE = 8
_USE = b"casemate secrets"
_KID_USE = b"casemate secrets kid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a store keeps of a secret: the id of the key, and the Base64 text."""

    kid: str
    text: str


def sealing_key(secret: Secret) -> bytes:
    """The AES-256 key of a `secret` option: its 32 bytes where it is their Base64, else HKDF-SHA256 of its text.

    Raises `ValueError` for one that is too short; the text does not quote it.
    """
    if (raw := _decoded(secret.reveal())) is not None and len(raw) == _KEY_SIZE:
        return raw
    if len(secret.reveal()) < SHORTEST:
        raise ValueError(f"a text of at least {SHORTEST} characters is needed")
    return _derived(secret.reveal().encode(), _USE, _KEY_SIZE)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _derived(material: bytes, use: bytes, size: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=size, salt=None, info=use).derive(material)


def _bound(address: Address) -> bytes:
    # Neither tenants nor namespaces can hold a bar, so no two addresses read alike.
    return f"{address.tenant}|{address.namespace}|{address.name}".encode()


class Seal:
    """Seals the secrets of one store under one key, and opens them with that or a former one. Safe to use from several
    threads.
    """

    __slots__ = ("_keys", "_random", "kid")

    def __init__(
        self,
        secret: Secret,
        former: Sequence[Secret] = (),
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Raises `ValueError` as `sealing_key` does."""
        keys = [sealing_key(each) for each in (*former, secret)]
        self._keys = {_kid(key): AESGCM(key) for key in keys}
        self._random = random
        self.kid = _kid(keys[-1])

    def sealed(self, address: Address, value: Secret) -> Sealed:
        """A secret as its store keeps it, another text every time. An empty value is sealed like any other."""
        iv = self._random(_IV_SIZE)
        raw = iv + self._keys[self.kid].encrypt(iv, value.reveal().encode(), _bound(address))
        return Sealed(kid=self.kid, text=base64.b64encode(raw).decode())

    def opened(self, address: Address, kept: Sealed) -> Secret:
        """The secret that was sealed for that address.

        Raises `BackendFailed` where it was sealed with another key, for another address, or was changed since.
        """
        key = self._keys.get(kept.kid)
        if key is None:
            raise self._unknown(address, kept.kid)
        raw = _decoded(kept.text)
        if raw is None or len(raw) < _IV_SIZE:
            raise _changed(address)
        try:
            return Secret(key.decrypt(raw[:_IV_SIZE], raw[_IV_SIZE:], _bound(address)).decode())
        except (InvalidTag, UnicodeDecodeError):
            raise _changed(address) from None

    def _unknown(self, address: Address, kid: str) -> BackendFailed:
        ours = f"the one configured is {self.kid}" if len(self._keys) == 1 else f"there are {', '.join(self._keys)}"
        return BackendFailed(f"The secret '{address.name}' was sealed with key {kid[:16]}; {ours}.")


def _kid(key: bytes) -> str:
    return _derived(key, _KID_USE, _KID_SIZE).hex()


def _changed(address: Address) -> BackendFailed:
    return BackendFailed(
        f"The secret '{address.name}' does not open: it was changed, or moved here from another place."
    )
