"""`kestra.encryption`: the server's keys, and what must be known of them before the first value is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from casemate.keys import DEFAULT, InvalidKey, Keyring, decoded_key, weakness
from casemate.secret import Secret
from casemate.settings.finding import Finding
from casemate.settings.model import Encryption, EncryptionKey, Settings

ALONE: Final = "kestra.encryption.secret-key"
KEYS: Final = "kestra.encryption.keys"
PLAINTEXT: Final = "kestra.encryption.allow-plaintext"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KNOWN = frozenset(("id", "secret", "primary"))
_REMEDY = "Make one with: openssl rand -base64 32"


def keys_of(written: object) -> tuple[EncryptionKey, ...]:
    """The entries of `kestra.encryption.keys` that are some."""
    entries = written if isinstance(written, list) else []
    return tuple(key for entry in entries if isinstance(key := _read(entry), EncryptionKey))


def keyring(encryption: Encryption) -> Keyring | None:
    """The keys as they are used; None if there is none. Without a primary one among them `secret-key` seals."""
    keys = {} if encryption.secret_key is None else {DEFAULT: encryption.secret_key}
    keys |= {key.id: key.secret for key in encryption.keys}
    if not keys:
        return None
    primary = next((key.id for key in encryption.keys if key.primary), next(iter(keys)))
    return Keyring(keys, primary, named=bool(encryption.keys))


def misfits(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """Keys that are none or could be guessed, and a list of them that does not say which one seals."""
    if settings.encryption.secret_key is not None:
        yield from _faults(settings.encryption.secret_key, ALONE, "")
    written = said.get(KEYS, [])
    if not isinstance(written, list):
        yield Finding(code="config.type", keys=(KEYS,), message="must be a list of entries")
        return
    for index, entry in enumerate(written):
        key = _read(entry)
        if isinstance(key, str):
            yield Finding(code="config.type", keys=(KEYS,), message=f"[{index}] {key}")
        else:
            yield from _faults(key.secret, KEYS, f"[{index}] ")
    yield from _contradictions(settings.encryption)


def weak(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """Keys that are shorter than they could be; plaintext that is allowed for nothing, or in earnest."""
    encryption = settings.encryption
    named = [(ALONE, "", encryption.secret_key), *((KEYS, f"{key.id} ", key.secret) for key in encryption.keys)]
    for setting, name, secret in named:
        raw = _bytes_of(secret)
        if raw is not None and len(raw) < 32:
            message = f"{name}is of {len(raw)} bytes; 32 bytes make AES-256"
            yield Finding(code="config.weak", keys=(setting,), message=message)
    if encryption.allow_plaintext and (encryption.secret_key or encryption.keys):
        yield Finding(code="config.no-effect", keys=(PLAINTEXT,), message="has no effect: there is a key")
    elif encryption.allow_plaintext:
        message = "lets outputs that tasks want encrypted be stored in the clear"
        yield Finding(code="config.weak", keys=(PLAINTEXT,), message=message)


def _read(entry: object) -> EncryptionKey | str:
    """One entry, or why it is none; the reason never shows a value."""
    if not isinstance(entry, dict) or not {"id", "secret"} <= entry.keys() <= _KNOWN:
        return "must have id and secret, and may have primary"
    name, secret, primary = entry["id"], entry["secret"], entry.get("primary", False)
    if not isinstance(name, str) or not _ID.fullmatch(name):
        return "must have an id of at most 64 letters, digits, dots, hyphens and underscores"
    if not isinstance(secret, str) or not secret.strip():
        return "must have a text as secret"
    flag = {"true": True, "false": False}.get(str(primary).lower())
    if flag is None:
        return "must have true or false as primary"
    return EncryptionKey(id=name, secret=Secret(secret.strip()), primary=flag)


def _faults(key: Secret, setting: str, where: str) -> Iterator[Finding]:
    try:
        fault = weakness(decoded_key(key))
    except InvalidKey as error:
        message = f"{where}must be Base64 of 16, 24 or 32 bytes: {error}"
        yield Finding(keys=(setting,), message=message, remedy=_REMEDY)
        return
    if fault is not None:
        yield Finding(code="config.weak", keys=(setting,), message=f"{where}{fault}", remedy=_REMEDY)


def _contradictions(encryption: Encryption) -> Iterator[Finding]:
    ids = [key.id for key in encryption.keys]
    if encryption.secret_key is not None:
        ids.insert(0, DEFAULT)
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        message = f"has the id {twice} twice; {ALONE} has the id {DEFAULT}"
        yield Finding(keys=(KEYS,), message=message)
    secrets = [secret for secret in (encryption.secret_key, *(key.secret for key in encryption.keys)) if secret]
    known = [raw for secret in secrets if (raw := _bytes_of(secret)) is not None]
    if len(set(known)) < len(known):  # the same key can be written with and without padding
        yield Finding(keys=(KEYS,), message="has the same key under two ids")
    primary = sum(key.primary for key in encryption.keys)
    if primary > 1:
        yield Finding(keys=(KEYS,), message="has several keys with primary: true; one key encrypts")
    elif encryption.keys and not primary and encryption.secret_key is None:
        remedy = "Say primary: true of the key that is to encrypt"
        yield Finding(keys=(KEYS,), message="has no key with primary: true", remedy=remedy)


def _bytes_of(secret: Secret | None) -> bytes | None:
    try:
        return None if secret is None else decoded_key(secret)
    except InvalidKey:
        return None
