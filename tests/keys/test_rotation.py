"""Sealing stored texts anew."""

import json

import pytest

from casemate.keys import UNREADABLE, Cipher, Keyring, Rotation
from casemate.sealed import Sealed, envelope, opened, sealed_in
from casemate.secret import Secret

OLD = Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")
NEW = Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")
FOREIGN = Cipher(Secret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
BEFORE = Keyring({"default": OLD}, "default", named=False)
KEYS = Keyring({"default": OLD, "new": NEW}, "new", named=True)
AFTER = Keyring({"new": NEW}, "new", named=True)


def document(**more) -> str:
    bare = BEFORE.seal("input").cipher
    return json.dumps({"inputs": {"a": bare, "deep": [bare]}, "outputs": [envelope(BEFORE.seal("output"))], **more})


def test_everything_is_under_the_new_key_and_readable_without_the_old_one():
    rotation = Rotation(KEYS)
    value = json.loads(rotation.text(document(n=1.5, t="é"), [("inputs",)]))
    assert opened(value["outputs"], AFTER.unseal) == ["output"]
    assert [AFTER.unseal(Sealed(each)) for each in (value["inputs"]["a"], *value["inputs"]["deep"])] == ["input"] * 2
    assert sealed_in(value["outputs"][0]).key == "new"
    assert (value["n"], value["t"]) == (1.5, "é")
    assert (rotation.counts, rotation.renewed) == ({"new": 3}, 3)


def test_done_again_it_changes_nothing():
    once = Rotation(KEYS).text(document(), [("inputs",)])
    again = Rotation(KEYS)
    assert again.text(once, [("inputs",)]) == once
    assert (again.counts, again.renewed) == ({"new": 3}, 0)


def test_whoever_only_looks_changes_nothing():
    looking = Rotation(KEYS, only_looks=True)
    text = document()
    assert looking.text(text, [("inputs",)]) == text
    assert looking.counts == {"default": 3}


def test_what_no_key_opens_is_counted_and_stays():
    rotation = Rotation(KEYS)
    text = json.dumps([envelope(Sealed(FOREIGN.encrypt("x"))), envelope(Sealed(FOREIGN.encrypt("x"), "gone"))])
    assert rotation.text(text) == text
    assert rotation.counts == {UNREADABLE: 2}


@pytest.mark.parametrize("value", ["text", "A" * 60, FOREIGN.encrypt("x"), None, 5])
def test_texts_that_are_no_ciphertexts_of_ours_stay(value):
    text = json.dumps({"inputs": {"a": value}})
    assert Rotation(KEYS).text(text, [("inputs",), ("nothing", "here")]) == text
