"""Several keys: one seals, all open."""

import pytest

from casemate.keys import Cipher, Keyring, Undecipherable
from casemate.sealed import Sealed
from casemate.secret import Secret

OLD = Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")
NEW = Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")
FOREIGN = Secret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
BOTH = Keyring({"default": OLD, "new": NEW}, "new", named=True)


def counting(size: int) -> bytes:
    return bytes(range(size))


def test_a_key_that_stands_alone_writes_what_kestra_writes():
    alone = Keyring({"default": OLD}, "default", named=False, random=counting)
    assert alone.seal("Hello World!") == Sealed("AAECAwQFBgcICQoLQEGiYChjVwJTWI5O6G0KbZ4tju2cTq67ud7A9Q==")


def test_one_of_several_says_its_name():
    sealed = BOTH.seal("clear")
    assert sealed.key == "new"
    assert BOTH.opened(sealed) == ("new", "clear")


def test_what_names_no_key_is_tried_with_all_of_them():
    for name, key in (("default", OLD), ("new", NEW)):
        assert BOTH.opened(Sealed(Cipher(key).encrypt("clear"))) == (name, "clear")


def test_what_names_a_key_is_tried_with_that_one_only():
    with pytest.raises(Undecipherable, match=r"^Tag mismatch!$"):
        BOTH.unseal(Sealed(Cipher(OLD).encrypt("clear"), "new"))
    with pytest.raises(Undecipherable, match=r"^The encryption key 'gone' is not configured$"):
        BOTH.unseal(Sealed(Cipher(OLD).encrypt("clear"), "gone"))


@pytest.mark.parametrize("cipher", [Cipher(FOREIGN).encrypt("clear"), "AAAA", "half; a"])
def test_what_no_key_opens_is_refused_as_by_the_first(cipher):
    with pytest.raises(Undecipherable) as first:
        Cipher(OLD).decrypt(cipher)
    with pytest.raises(Undecipherable) as raised:
        BOTH.unseal(Sealed(cipher))
    assert str(raised.value) == str(first.value)


def test_empty_texts_stay_empty():
    assert BOTH.seal("") == Sealed("", "new")
    assert BOTH.unseal(Sealed("")) == ""
