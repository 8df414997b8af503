"""Passwords of accounts as what is kept of them (spec/security 9: Argon2id, parameters in the hash)."""

from __future__ import annotations

from casemate.secret import Secret


def password_hash(password: Secret) -> str:
    """What is kept of a password. Takes 64 MiB and some tenths of a second, as it should for whoever guesses."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password.reveal())


def password_fits(password: Secret, kept: str) -> bool:
    """Is this the password? As slow as `password_hash`."""
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    try:
        return PasswordHasher().verify(kept, password.reveal())
    except VerificationError:
        return False
