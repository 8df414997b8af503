"""Sealed values within outputs."""

import pytest

from casemate.keys import SEALED_TYPE, Cipher, Undecipherable, is_sealed, opened, sealed_object
from casemate.secret import Secret

CIPHER = Cipher(Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="))


def test_an_envelope_has_kestras_two_fields():
    assert sealed_object("abc") == {"value": "abc", "type": "io.kestra.datatype:aes_encrypted"}


def test_envelopes_are_opened_wherever_they_are():
    sealed = sealed_object(CIPHER.encrypt("clear"))
    shouted = {**sealed, "type": SEALED_TYPE.upper()}
    value = {"a": sealed, "list": [shouted, {"deep": sealed}], "plain": "x", "n": 5}
    assert opened(value, CIPHER) == {"a": "clear", "list": ["clear", {"deep": "clear"}], "plain": "x", "n": 5}


@pytest.mark.parametrize("value", [{"type": 5, "value": "x"}, {"type": SEALED_TYPE}, {"value": "x"}, "text", None])
def test_what_is_no_envelope_stays_as_it_is(value):
    assert not is_sealed(value)
    assert opened(value, CIPHER) == value


def test_an_envelope_of_another_key_is_refused():
    with pytest.raises(Undecipherable):
        opened([sealed_object("AAECAwQFBgcICQoLmyvu9xn5lmcMkxQa9V296jGfVqBsvr4xl/NHYw==")], CIPHER)


def test_a_value_that_nests_too_deeply_is_refused():
    value: object = "x"
    for _ in range(200):
        value = [value]
    with pytest.raises(Undecipherable, match="nests deeper"):
        opened(value, CIPHER)
