"""Encrypt and decrypt values at rest, byte for byte as Kestra does; and what is kept of passwords."""

from casemate.keys.cipher import Cipher, Undecipherable
from casemate.keys.key import InvalidKey, KeyRefused, decoded_key, weakness
from casemate.keys.keyring import DEFAULT, Keyring
from casemate.keys.password import password_fits, password_hash

__all__ = [
    "DEFAULT",
    "Cipher",
    "InvalidKey",
    "KeyRefused",
    "Keyring",
    "Undecipherable",
    "decoded_key",
    "password_fits",
    "password_hash",
    "weakness",
]
