"""The encryption key of a server: Base64 of 16, 24 or 32 bytes, used as the AES key itself (spec/security 1.1)."""

from __future__ import annotations

import base64
import binascii
import re

from casemate.errors import CasemateError, Problem
from casemate.secret import Secret

SETTING = "kestra.encryption.secret-key"
_SIZES = (16, 24, 32)
_FOREIGN = re.compile(r"[^A-Za-z0-9+/=]")
_REMEDY = "write the output of `openssl rand -base64 32`, the same on every server"


class KeyRefused(CasemateError):
    """The key does not fit: it is none, or the text was not encrypted with it."""


class InvalidKey(KeyRefused):
    """The encryption key can not be used."""


def decoded_key(key: Secret) -> bytes:
    """The bytes of a key; raises `InvalidKey` with Java's text."""
    raw = decoded(key.reveal(), InvalidKey)
    if len(raw) not in _SIZES:
        raise InvalidKey(f"Invalid AES key length: {len(raw)} bytes")
    return raw


def decoded(text: str, refusal: type[CasemateError]) -> bytes:
    """Standard Base64, with or without its padding; raises the refusal with Java's text."""
    if foreign := _FOREIGN.search(text):
        raise refusal(f"Illegal base64 character {ord(foreign[0]):x}")
    try:
        return base64.b64decode(text if text.endswith("=") else text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise refusal("Input byte array has wrong 4-byte ending unit") from error


def check_key(key: Secret) -> Problem | None:
    """What is wrong with the server's key, for a check at start; None when nothing is."""
    try:
        raw = decoded_key(key)
    except InvalidKey as error:
        return _problem("invalid-encryption-key", str(error))
    if len(set(raw)) == 1:
        return _problem("weak-encryption-key", "every byte of the key is the same")
    if len(set(raw)) < len(raw) // 4:
        return _problem("weak-encryption-key", "the key repeats itself")
    return None


def _problem(code: str, message: str) -> Problem:
    return Problem(code=code, message=message, path=SETTING, remedy=_REMEDY)
