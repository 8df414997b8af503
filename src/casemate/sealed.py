"""Sealed values among stored ones: a cipher text in an envelope that names its type (spec/security 1.3, 1.8).

The envelope is Kestra's, `{"value", "type"}`. Where several keys are configured it says in `kid` which one it was
sealed with; a reader that knows Kestra's two fields only sees the same two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

SEALED_TYPE: Final = "io.kestra.datatype:aes_encrypted"
"""Marks an envelope; compared without regard to case, as in Kestra."""

FOREIGN: Final = "foreign"
"""Beside the fields of an envelope: it was not sealed for who has it, and is never opened."""

_DEEPEST = 150


@dataclass(frozen=True, slots=True)
class Sealed:
    """A cipher text, and the id of the key that opens it; None where that is not said."""

    cipher: str
    key: str | None = None


Seal: TypeAlias = Callable[[str], Sealed] | None
"""Makes a sealed value of a clear text. None: there is no key."""

Unseal: TypeAlias = Callable[[Sealed], str] | None
"""The opposite. None: what is sealed stays so."""


def envelope(sealed: Sealed) -> dict[str, str]:
    """The JSON value of a sealed one."""
    kid = {} if sealed.key is None else {"kid": sealed.key}
    return {"value": sealed.cipher, "type": SEALED_TYPE, **kid}


def as_input(sealed: Sealed) -> str | dict[str, str]:
    """How an input is kept: as the bare cipher text, like in Kestra, unless it has to be said which key it is of."""
    return sealed.cipher if sealed.key is None else envelope(sealed)


def sealed_in(value: object) -> Sealed | None:
    """What an envelope holds; None for every other value, a foreign envelope among them."""
    if not isinstance(value, Mapping) or FOREIGN in value:
        return None
    kind, cipher, key = value.get("type"), value.get("value"), value.get("kid")
    if not isinstance(kind, str) or kind.lower() != SEALED_TYPE or not isinstance(cipher, str):
        return None
    return Sealed(cipher, key if isinstance(key, str) else None)


def opened(value: object, unseal: Unseal, depth: int = 0) -> object:
    """A value with its envelopes in the clear, within maps and lists too. Below 150 levels they stay as they are.

    Raises what `unseal` raises.
    """
    if unseal is None or depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        sealed = sealed_in(value)
        return unseal(sealed) if sealed else {key: opened(one, unseal, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [opened(one, unseal, depth + 1) for one in value]
    return value


def _nobodys(_cipher: str) -> bool:
    return False


def disowned(value: object, own: Callable[[str], bool] = _nobodys, depth: int = 0) -> object:
    """A value with the envelopes in it marked as foreign, but for those whose cipher texts are `own`, and empty ones.

    For whatever somebody makes up: everybody who may look at an execution sees its cipher texts, and would have them
    opened by handing them on as outputs of his own. Below the levels that `opened` looks at it stays as it is.
    """
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        sealed = sealed_in(value)
        if sealed is None:
            return {key: disowned(one, own, depth + 1) for key, one in value.items()}
        return value if not sealed.cipher or own(sealed.cipher) else {**value, FOREIGN: True}
    if isinstance(value, list | tuple):
        return [disowned(one, own, depth + 1) for one in value]
    return value
