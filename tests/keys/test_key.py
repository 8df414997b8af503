"""What a key must be, and which keys could be guessed."""

import base64
import secrets

import pytest

from casemate.keys import InvalidKey, decoded_key, weakness
from casemate.secret import Secret


def written(raw: bytes) -> Secret:
    return Secret(base64.b64encode(raw).decode())


@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_random_key_has_no_fault(size):
    raw = secrets.token_bytes(size)
    assert decoded_key(written(raw)) == raw
    assert weakness(raw) is None


@pytest.mark.parametrize("key", ["clear text key!", base64.b64encode(b"x" * 20).decode(), ""])
def test_what_is_no_key_is_refused_without_being_shown(key):
    with pytest.raises(InvalidKey) as raised:
        decoded_key(Secret(key))
    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    "raw", [b"x" * 32, b"abcd" * 8, b"memory of thirty-two bytes......", b"Correct horse, battery", b"SECRET-KEY-2026"]
)
def test_keys_that_could_be_guessed_are_weak(raw):
    assert weakness(raw) is not None


@pytest.mark.parametrize("raw", [b"5daP79LDVcd208RHx_yf3n2i4Noos96v", b"0123456789abcdef0123456789abcdef"])
def test_texts_of_letters_and_digits_may_be_keys(raw):
    assert weakness(raw) is None
