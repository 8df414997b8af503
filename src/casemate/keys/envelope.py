"""Encrypted values inside outputs: a map that names its type, so readers know to decrypt it (spec/security 1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.keys.cipher import Cipher, Undecipherable

SEALED_TYPE = "io.kestra.datatype:aes_encrypted"
_NESTING_LIMIT = 150


def sealed_object(ciphertext: str) -> dict[str, str]:
    """The envelope around a ciphertext."""
    return {"value": ciphertext, "type": SEALED_TYPE}


def is_sealed(value: object) -> bool:
    """Whether a value is such an envelope; the type is compared without regard to case."""
    if not isinstance(value, Mapping):
        return False
    kind = value.get("type")
    return isinstance(kind, str) and kind.lower() == SEALED_TYPE and isinstance(value.get("value"), str)


def opened(value: object, cipher: Cipher, depth: int = 0) -> object:
    """The value with every envelope within maps and lists replaced by its clear text.

    Raises `Undecipherable` when one can not be opened, or when the value nests too deeply.
    """
    if depth > _NESTING_LIMIT:
        raise Undecipherable(f"The value nests deeper than {_NESTING_LIMIT} levels")
    if isinstance(value, Mapping):
        if is_sealed(value):
            return cipher.decrypt(str(value["value"]))
        return {key: opened(item, cipher, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [opened(item, cipher, depth + 1) for item in value]
    return value
