"""Encrypt and decrypt values at rest, byte for byte as Kestra does; and what is kept of passwords."""

from casemate.keys.cipher import Cipher, Undecipherable
from casemate.keys.key import InvalidKey, KeyRefused, decoded_key, weakness
from casemate.keys.keyring import DEFAULT, WORN, Keyring
from casemate.keys.password import password_fits, password_hash
from casemate.keys.rotation import UNREADABLE, Rotation

__all__ = [
    "DEFAULT",
    "UNREADABLE",
    "WORN",
    "Cipher",
    "InvalidKey",
    "KeyRefused",
    "Keyring",
    "Rotation",
    "Undecipherable",
    "decoded_key",
    "password_fits",
    "password_hash",
    "weakness",
]
