"""AES-GCM exactly as Kestra writes it: Base64 of a 12-byte IV, the ciphertext and a 16-byte tag (spec/security 1.2)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

from casemate.keys.key import KeyRefused, decoded, decoded_key
from casemate.secret import Secret

_IV_SIZE = 12  # bytes
_TAG_SIZE = 16


class Undecipherable(KeyRefused):
    """The text was not encrypted with this key, or was changed since."""


class Cipher:
    """Encrypts and decrypts texts under one key; empty texts pass unchanged, as in Kestra."""

    __slots__ = ("_aes", "_random")

    def __init__(self, key_base64: Secret, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Raises `InvalidKey` for a key that is not Base64 of 16, 24 or 32 bytes."""
        # Loaded with the first key only: whoever starts without one need not wait for it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aes = AESGCM(decoded_key(key_base64))
        self._random = random

    def encrypt(self, text: str) -> str:
        """The text's ciphertext, a different one every time."""
        if not text:
            return text
        iv = self._random(_IV_SIZE)
        return base64.b64encode(iv + self._aes.encrypt(iv, text.encode(), None)).decode()

    def decrypt(self, text: str) -> str:
        """The text that was encrypted; raises `Undecipherable` with Java's text, which never shows the value."""
        if not text:
            return text
        from cryptography.exceptions import InvalidTag

        raw = decoded(text, Undecipherable)
        if len(raw) < _IV_SIZE + _TAG_SIZE:
            raise Undecipherable("Input data too short to contain an expected tag length of 16bytes")
        try:
            return self._aes.decrypt(raw[:_IV_SIZE], raw[_IV_SIZE:], None).decode()
        except InvalidTag as error:
            raise Undecipherable("Tag mismatch!") from error
        except UnicodeDecodeError as error:
            raise Undecipherable("The decrypted value is no text") from error
