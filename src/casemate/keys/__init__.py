"""Encrypt and decrypt values at rest, byte for byte as Kestra does; and what is kept of passwords."""

from casemate.keys.cipher import Cipher, Undecipherable
from casemate.keys.envelope import SEALED_TYPE, is_sealed, opened, sealed_object
from casemate.keys.key import InvalidKey, KeyRefused, check_key, decoded_key
from casemate.keys.password import password_fits, password_hash

__all__ = [
    "SEALED_TYPE",
    "Cipher",
    "InvalidKey",
    "KeyRefused",
    "Undecipherable",
    "check_key",
    "decoded_key",
    "is_sealed",
    "opened",
    "password_fits",
    "password_hash",
    "sealed_object",
]
