"""An encryption key: Base64 of 16, 24 or 32 bytes, used as the AES key itself (spec/security 1.1)."""

from __future__ import annotations

import base64
import binascii
import re

from casemate.errors import CasemateError
from casemate.secret import Secret

_SIZES = (16, 24, 32)
_FOREIGN = re.compile(r"[^A-Za-z0-9+/=]")
_FEWEST = 8
"""Different bytes: a random key of 16 bytes has fewer once in 10^12."""
_WORD = rb"(?:[A-Z]?[a-z]+|[A-Z]+)"
_MARKS = rb"[ -/:-@\[-`{-~]"
_WORDS = re.compile(rb"%b(?:%b+%b)*%b*[0-9]*%b*" % (_WORD, _MARKS, _WORD, _MARKS, _MARKS))


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


def weakness(raw: bytes) -> str | None:
    """Why the bytes of a key could be guessed; None where nothing is seen to say so."""
    if len(set(raw)) < _FEWEST:
        return "repeats itself so much that it could be guessed"
    if _WORDS.fullmatch(raw):
        return "is made of words, which can be guessed"
    return None
