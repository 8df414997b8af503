"""The options of stores that are no secret managers: what secrets are sealed with there (spec/security 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from casemate.secret import Secret
from casemate.secrets.options import FORM, Choice, SecretText
from casemate.secrets.sealing import Seal, sealing_key


def _long_enough(secret: Secret) -> Secret:
    sealing_key(secret)
    return secret


KeyText = Annotated[SecretText, AfterValidator(_long_enough)]
"""What a key is made of: 32 characters at least, or the Base64 of 32 bytes."""


@dataclass(frozen=True, kw_only=True)
class SealedChoice(Choice):
    """`secret` seals and opens, `former-secrets` only open what was sealed before."""

    __pydantic_config__ = FORM
    secret: KeyText
    former_secrets: tuple[KeyText, ...] = ()

    @property
    def seal(self) -> Seal:
        """What seals with these keys."""
        return Seal(self.secret, self.former_secrets)
