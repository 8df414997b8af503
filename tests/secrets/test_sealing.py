"""What a store that is no secret manager keeps of a secret, and what it can not do with it."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Address
from casemate.secrets.errors import BackendFailed
from casemate.secrets.sealing import Seal, Sealed, sealing_key

HERE = Address(tenant=MAIN, namespace=Namespace("acme.shop"), name="PASSWORD")
LONG = Secret("a sentence of more than thirty-two characters")
CANARY = Secret("canary-9f31")


def test_a_sealed_secret_opens_where_it_was_sealed():
    seal = Seal(LONG)
    for value in ("canary-9f31", "", "zwölf\nZeilen", "x" * 100_000):
        kept = seal.sealed(HERE, Secret(value))
        assert kept.kid == seal.kid
        assert seal.opened(HERE, kept).reveal() == value


def test_every_sealing_writes_another_text_and_never_the_value():
    seal = Seal(LONG)
    texts = {seal.sealed(HERE, CANARY).text for _ in range(50)}
    assert len(texts) == 50
    assert not any(b"canary" in base64.b64decode(text) for text in texts)


@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, tenant=TenantId("other")),
        replace(HERE, namespace=Namespace("acme")),
        replace(HERE, name="PASSWORD2"),
    ],
)
def test_a_row_copied_to_another_place_does_not_open(other: Address):
    seal = Seal(LONG)
    with pytest.raises(BackendFailed, match="does not open") as failure:
        seal.opened(other, seal.sealed(HERE, CANARY))
    assert not failure.value.passing


@pytest.mark.parametrize("at", [0, 11, 12, 20, -1])
def test_a_changed_text_does_not_open(at: int):
    seal = Seal(LONG)
    kept = seal.sealed(HERE, CANARY)
    raw = bytearray(base64.b64decode(kept.text))
    raw[at] ^= 1
    with pytest.raises(BackendFailed, match="does not open"):
        seal.opened(HERE, replace(kept, text=base64.b64encode(raw).decode()))


@pytest.mark.parametrize("text", ["", "AAAA", "no Base64!", "ä"])
def test_what_is_no_sealed_text_does_not_open(text: str):
    seal = Seal(LONG)
    with pytest.raises(BackendFailed, match="does not open"):
        seal.opened(HERE, Sealed(kid=seal.kid, text=text))


def test_another_key_is_named_by_its_id_and_no_key_or_value_is_shown():
    kept = Seal(LONG).sealed(HERE, CANARY)
    other = Seal(Secret("another sentence of more than thirty-two characters"))
    with pytest.raises(BackendFailed) as failure:
        other.opened(HERE, kept)
    assert kept.kid in str(failure.value)
    assert other.kid in str(failure.value)
    assert "sentence" not in str(failure.value)
    assert "canary" not in repr(failure.value)


def test_base64_of_32_bytes_is_the_key_itself_and_another_text_is_derived_from():
    raw = bytes(range(32))
    assert sealing_key(Secret(base64.b64encode(raw).decode())) == raw
    derived = sealing_key(Secret("0123456789abcdef0123456789abcdef"))
    assert len(derived) == 32
    assert derived != b"0123456789abcdef0123456789abcdef"
    # The derivation is a promise: what is stored today must open tomorrow.
    assert Seal(Secret("0123456789abcdef0123456789abcdef")).kid == "5a94a0f5037633cf"


def test_a_short_secret_is_refused_without_quoting_it():
    with pytest.raises(ValueError, match="at least 32 characters") as refusal:
        Seal(Secret("hunter2hunter2"))
    assert "hunter2" not in str(refusal.value)
