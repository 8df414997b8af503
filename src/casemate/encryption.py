"""How the configured keys serve templates and tasks, and what stands in for them where there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from casemate.expressions import ExpressionError
from casemate.keys import KeyRefused, Keyring
from casemate.sealed import Seal, Sealed
from casemate.settings import Settings, keyring

NO_KEY: Final = "Unable to decrypt the output as encryption is not configured"
"""Kestra's text."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Encryption:
    """How texts are sealed, if they can be; how they are opened; may what a task wants sealed be kept in the clear?

    `unseal` raises `ExpressionError`.
    """

    seal: Seal
    unseal: Callable[[Sealed], str]
    plaintext: bool


def encryption(settings: Settings) -> Encryption:
    """By the settings. Without a key nothing is sealed or opened, unless the settings allow plaintext (spec/security
    1.5).
    """
    keys = keyring(settings.encryption)
    if keys is not None:
        return Encryption(keys.seal, _with(keys), plaintext=False)
    plaintext = settings.encryption.allow_plaintext
    return Encryption(None, _as_it_is if plaintext else _refused, plaintext)


def _with(keys: Keyring) -> Callable[[Sealed], str]:
    def unseal(sealed: Sealed) -> str:
        try:
            return keys.unseal(sealed)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    return unseal


def _refused(_sealed: Sealed) -> str:
    raise ExpressionError(NO_KEY)


def _as_it_is(sealed: Sealed) -> str:
    log.warning("encryption.absent", reason=NO_KEY)
    return sealed.cipher
