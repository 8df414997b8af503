"""What every store must do with values: give back exactly what was written, at exactly that address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Entry

VALUES = {
    "plain": "hunter2-is-not-enough",
    "one character": "x",
    "spaces around": "  kept as they are\t",
    "line breaks": "first\nsecond\r\nthird\n",
    "unicode": "pässword — 密码 🔑 \u202e e\u0301",
    "quotes": """'single' "double" `back` \\ $HOME %s {{ braces }} </script>""",
    "an object": '{"user": "ada", "password": "1", "nested": {"list": [1, 2]}}',
    "an array": '["a"]',
    "a number": "00123",
    "a word of JSON": "null",
    "Base64": "c2VjcmV0Cg==",
    "a key": "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 50
    + "-----END PRIVATE KEY-----\n",
}


def written(backend, address, value, **more):
    backend.write(Entry(address=address, **more), Secret(value))
    return address


def read(backend, address):
    found = backend.read(address)
    return None if found is None else found.value.reveal()


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_as_it_was_written(backend, place, kind):
    address = written(backend, place.at("KEY"), VALUES[kind])
    assert read(backend, address) == VALUES[kind]


def test_a_long_value_comes_back_whole(backend, place, store):
    value = ("0123456789abcdef" * (store.longest // 16 + 1))[: store.longest]
    assert read(backend, written(backend, place.at("LONG"), value)) == value


@pytest.mark.parametrize("name", ["KEY", "key", "A.b-c_d", "_", "0", "a" * 128, "value", "namespace", "data"])
def test_a_name_finds_its_secret(backend, place, name):
    written(backend, place.at(name), f"value of {name}")
    assert read(backend, place.at(name)) == f"value of {name}"


def test_names_tell_upper_from_lower_case(backend, place):
    for name in ("Key", "KEY", "key", "k-e-y", "k_e_y", "k.e.y"):
        written(backend, place.at(name), f"value of {name}")
    for name in ("Key", "KEY", "key", "k-e-y", "k_e_y", "k.e.y"):
        assert read(backend, place.at(name)) == f"value of {name}"


def test_what_was_not_written_is_not_found(backend, place):
    assert backend.read(place.at("NOTHING")) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../KEY",
        "a/b",
        "/KEY",
        "KEY/",
        "%2e%2e",
        "KEY?x",
        "KEY#x",
        "KEY KEY",
        "KEY\n",
        "KEY\0",
        "ключ",
        "*",
        "'",
    ],
)
def test_names_that_no_secret_has_are_not_found(backend, place, name):
    written(backend, place.at("KEY"), "of another name")
    written(backend, place.at("b", below="a"), "of another namespace")
    assert backend.read(place.at(name)) is None


def test_a_secret_is_found_neither_above_nor_below_its_namespace(backend, place):
    written(backend, place.at("KEY"), "here")
    assert backend.read(place.at("KEY", below="child")) is None
    parent = replace(place, namespace=Namespace("company"))
    assert backend.read(parent.at("KEY")) is None
    assert backend.read(parent.at("team.KEY")) is None


def test_a_name_may_be_that_of_a_namespace_below(backend, place):
    written(backend, place.at("child"), "a secret")
    written(backend, place.at("KEY", below="child"), "in the namespace")
    assert read(backend, place.at("child")) == "a secret"
    assert read(backend, place.at("KEY", below="child")) == "in the namespace"


def test_tenants_are_apart(backend, place):
    other = replace(place, tenant=TenantId(f"t-{uuid4().hex[:12]}"))
    written(backend, place.at("KEY"), "of one")
    assert backend.read(other.at("KEY")) is None
    assert not backend.entries(other.tenant, None)
    written(backend, other.at("KEY"), "of the other")
    assert read(backend, place.at("KEY")) == "of one"
    assert backend.delete(other.at("KEY"))
    assert read(backend, place.at("KEY")) == "of one"


def test_a_value_is_replaced(backend, place):
    for value in ("first", "second, and longer", "3"):
        written(backend, place.at("KEY"), value)
        assert read(backend, place.at("KEY")) == value
    assert [entry.address for entry in backend.entries(place.tenant, None)] == [place.at("KEY")]


def test_a_deleted_secret_is_gone(backend, place):
    written(backend, place.at("KEY"), "value")
    written(backend, place.at("OTHER"), "stays")
    assert backend.delete(place.at("KEY")) is True
    assert backend.read(place.at("KEY")) is None
    assert [entry.address.name for entry in backend.entries(place.tenant, place.namespace)] == ["OTHER"]
    assert backend.delete(place.at("KEY")) is False


def test_a_secret_may_come_back_after_its_deletion(backend, place):
    written(backend, place.at("KEY"), "old")
    backend.delete(place.at("KEY"))
    written(backend, place.at("KEY"), "new")
    assert read(backend, place.at("KEY")) == "new"
    assert backend.delete(place.at("KEY")) is True


def test_deleting_what_is_not_there_says_so(backend, place):
    assert backend.delete(place.at("NOTHING")) is False


def test_another_instance_of_the_same_prefix_sees_the_same(store, backend, place):
    written(backend, place.at("KEY"), "value")
    other = store.open(prefix="ours")
    try:
        assert read(other, place.at("KEY")) == "value"
    finally:
        other.close()


def test_many_threads_read_and_write_at_once(backend, place):
    def one(number):
        address = written(backend, place.at(f"KEY{number}"), f"value {number}")
        return [read(backend, address) for _ in range(3)]

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(one, range(24))) == [[f"value {number}"] * 3 for number in range(24)]
    assert len(backend.entries(place.tenant, place.namespace)) == 24


def test_threads_that_replace_one_value_leave_one_of_theirs(backend, place):
    values = [f"value {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda value: written(backend, place.at("KEY"), value), values))
    assert read(backend, place.at("KEY")) in values
