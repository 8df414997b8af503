"""Envelopes among other values."""

import pytest

from casemate.sealed import SEALED_TYPE, Sealed, as_input, disowned, envelope, opened, sealed_in


def upper(sealed: Sealed) -> str:
    return sealed.cipher.upper()


def test_an_envelope_has_kestras_two_fields():
    assert envelope(Sealed("abc")) == {"value": "abc", "type": "io.kestra.datatype:aes_encrypted"}
    assert sealed_in(envelope(Sealed("abc"))) == Sealed("abc")


def test_with_several_keys_it_says_which_one():
    assert envelope(Sealed("abc", "k1")) == {"value": "abc", "type": SEALED_TYPE, "kid": "k1"}
    assert sealed_in(envelope(Sealed("abc", "k1"))) == Sealed("abc", "k1")


def test_an_input_is_bare_as_in_kestra_unless_its_key_must_be_said():
    assert as_input(Sealed("abc")) == "abc"
    assert as_input(Sealed("abc", "k1")) == envelope(Sealed("abc", "k1"))


def test_envelopes_are_opened_wherever_they_are():
    shouted = {"value": "b", "type": SEALED_TYPE.upper(), "kid": 5}
    value = {"a": envelope(Sealed("a")), "list": [shouted, {"deep": envelope(Sealed("c"))}], "plain": "x", "n": 5}
    assert opened(value, upper) == {"a": "A", "list": ["B", {"deep": "C"}], "plain": "x", "n": 5}
    assert opened(value, None) is value


@pytest.mark.parametrize("value", [{"type": 5, "value": "x"}, {"type": SEALED_TYPE}, {"value": "x"}, "text", None])
def test_what_is_no_envelope_stays_as_it_is(value):
    assert sealed_in(value) is None
    assert opened(value, upper) == value


def test_a_value_that_nests_too_deeply_keeps_its_envelopes():
    value: object = envelope(Sealed("deep"))
    for _ in range(200):
        value = [value]
    assert "deep" in str(opened(value, upper))


def test_what_somebody_made_up_is_never_opened():
    made = {
        "a": envelope(Sealed("a", "k1")),
        "list": [[envelope(Sealed("mine"))]],
        "n": 5,
        "empty": envelope(Sealed("")),
    }
    marked = disowned(made, lambda cipher: cipher == "mine")

    assert marked == {**made, "a": {**envelope(Sealed("a", "k1")), "foreign": True}}
    assert opened(marked, upper) == {**marked, "list": [["MINE"]], "empty": ""}
    assert disowned(marked, lambda cipher: cipher == "mine") == marked
