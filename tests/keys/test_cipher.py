"""The cipher: Kestra's bytes, and refusals that show nothing."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.keys import Cipher, InvalidKey, KeyRefused, Undecipherable
from casemate.secret import Secret

KEY = Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")
VECTORS = {
    "32 bytes": (KEY, "AAECAwQFBgcICQoLQEGiYChjVwJTWI5O6G0KbZ4tju2cTq67ud7A9Q=="),
    "24 bytes": (
        Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK"),
        "AAECAwQFBgcICQoLmyvu9xn5lmcMkxQa9V296jGfVqBsvr4xl/NHYw==",
    ),
}


@pytest.mark.parametrize(("key", "ciphertext"), VECTORS.values(), ids=VECTORS)
def test_texts_encrypted_by_kestra_are_read_and_written_alike(key, ciphertext):
    assert Cipher(key).decrypt(ciphertext) == "Hello World!"
    assert Cipher(key, random=lambda size: bytes(range(size))).encrypt("Hello World!") == ciphertext


@given(st.text())
def test_every_text_comes_back(text):
    cipher = Cipher(KEY)
    assert cipher.decrypt(cipher.encrypt(text)) == text


def test_no_two_ciphertexts_are_alike():
    cipher = Cipher(KEY)
    assert cipher.encrypt("same") != cipher.encrypt("same")


def test_empty_text_stays_empty():
    assert Cipher(KEY).encrypt("") == ""
    assert Cipher(KEY).decrypt("") == ""


def changed(ciphertext: str) -> str:
    raw = bytearray(base64.b64decode(ciphertext))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


REFUSED = {
    "another key's": (VECTORS["24 bytes"][1], "Tag mismatch!"),
    "changed": (changed(VECTORS["32 bytes"][1]), "Tag mismatch!"),
    "too short": ("AAAA", "Input data too short to contain an expected tag length of 16bytes"),
    "no Base64": ("not;base64", "Illegal base64 character 3b"),
    "half a Base64": ("AAAAA", "Input byte array has wrong 4-byte ending unit"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_was_not_encrypted_with_this_key_is_refused(text, message):
    with pytest.raises(Undecipherable) as raised:
        Cipher(KEY).decrypt(text)
    assert str(raised.value) == message
    assert text not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "message"),
    [("c2hvcnQ=", "Invalid AES key length: 5 bytes"), ("not base64!", "Illegal base64 character 20")],
)
def test_a_key_that_is_none_is_refused(key, message):
    with pytest.raises(InvalidKey, match=f"^{message}$"):
        Cipher(Secret(key))
    with pytest.raises(KeyRefused):
        Cipher(Secret(key))
