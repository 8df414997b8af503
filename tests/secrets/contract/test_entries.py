"""What every store must say of its secrets: names, tags and descriptions, filtered as configured, and no value."""

from __future__ import annotations

import pytest
from tests.secrets.contract.test_values import read, written

from casemate.secret import Secret
from casemate.secrets.backend import Entry
from casemate.secrets.errors import BackendFailed, ReadOnly


@pytest.fixture
def tagging(store):
    if not store.tags:
        pytest.skip("this store keeps no tags")


def names(backend, place, everywhere=False):
    found = backend.entries(place.tenant, None if everywhere else place.namespace)
    return [f"{entry.address.namespace}/{entry.address.name}" for entry in found]


def test_entries_are_those_of_one_namespace_by_name(backend, place):
    for name in ("b", "a", "C", "c.d"):
        written(backend, place.at(name), "value")
    written(backend, place.at("elsewhere", below="child"), "value")
    assert names(backend, place) == [f"company.team/{name}" for name in ("C", "a", "b", "c.d")]


def test_entries_of_all_namespaces_name_theirs(backend, place):
    written(backend, place.at("KEY"), "value")
    written(backend, place.at("KEY", below="child"), "value")
    written(backend, place.at("child"), "value")
    assert names(backend, place, everywhere=True) == [
        "company.team/KEY",
        "company.team/child",
        "company.team.child/KEY",
    ]


def test_where_nothing_is_there_are_no_entries(backend, place):
    assert not backend.entries(place.tenant, place.namespace)
    assert not backend.entries(place.tenant, None)


def test_there_are_as_many_entries_as_secrets(backend, place):
    for number in range(60):
        written(backend, place.at(f"KEY{number:02}"), "value")
    assert names(backend, place) == [f"company.team/KEY{number:02}" for number in range(60)]


def test_a_description_is_kept_where_it_can_be(backend, place, store):
    written(backend, place.at("KEY"), "value", description="What it is for: ein Schlüssel")
    (entry,) = backend.entries(place.tenant, place.namespace)
    assert entry.description == ("What it is for: ein Schlüssel" if store.descriptions else None)
    assert "value" not in str(entry)


def test_a_secret_without_description_or_tags_has_none(backend, place):
    written(backend, place.at("KEY"), "value")
    assert backend.entries(place.tenant, place.namespace) == [Entry(address=place.at("KEY"))]


@pytest.mark.usefixtures("tagging")
def test_tags_are_kept_as_they_were_written(backend, place):
    tags = {"team": "payments", "Cost.Centre": "A-1/2 b@c", "owner": "ada@company.example"}
    written(backend, place.at("KEY"), "value", tags=tags)
    (entry,) = backend.entries(place.tenant, place.namespace)
    assert entry.tags == tags


@pytest.mark.usefixtures("tagging")
def test_replacing_a_secret_replaces_its_tags(backend, place):
    written(backend, place.at("KEY"), "value", tags={"old": "1", "both": "1"}, description="old")
    written(backend, place.at("KEY"), "value", tags={"both": "2"})
    (entry,) = backend.entries(place.tenant, place.namespace)
    assert (entry.tags, entry.description) == ({"both": "2"}, None)


@pytest.mark.usefixtures("tagging")
def test_tags_are_written_without_the_value(backend, place, store):
    written(backend, place.at("KEY"), "value", tags={"old": "1"})
    described = Entry(address=place.at("KEY"), tags={"new": "2"}, description="words")
    backend.write(described, None)
    (entry,) = backend.entries(place.tenant, place.namespace)
    assert (entry.tags, entry.description) == ({"new": "2"}, "words" if store.descriptions else None)
    assert read(backend, place.at("KEY")) == "value"


def test_tags_alone_make_no_secret(backend, place):
    backend.write(Entry(address=place.at("NOTHING")), None)
    assert backend.read(place.at("NOTHING")) is None
    assert not backend.entries(place.tenant, None)


@pytest.mark.usefixtures("tagging")
def test_the_tags_of_the_instance_are_not_peoples_own(store, place):
    backend = store.open(prefix="ours", tags={"application": "orchestrator", "stage": "test"})
    written(backend, place.at("KEY"), "value", tags={"stage": "mine"})
    (entry,) = backend.entries(place.tenant, place.namespace)
    backend.close()
    assert entry.tags == {"stage": "mine"}


@pytest.mark.usefixtures("tagging")
@pytest.mark.parametrize("name", ["namespace", "tenant", "key", "prefix"])
def test_tags_that_say_where_a_secret_is_cannot_be_overridden(backend, place, name):
    written(backend, place.at("KEY"), "value", tags={name: "elsewhere"})
    assert backend.entries(place.tenant, place.namespace) == [Entry(address=place.at("KEY"))]
    assert read(backend, place.at("KEY")) == "value"


@pytest.mark.usefixtures("tagging")
@pytest.mark.parametrize("shape", [{"stage": "live"}, {"tags": {"stage": "live"}}])
def test_a_filter_hides_what_has_not_all_its_tags(store, backend, place, shape):
    written(backend, place.at("LIVE"), "1", tags={"stage": "live", "team": "a"})
    written(backend, place.at("TEST"), "2", tags={"stage": "test"})
    written(backend, place.at("NONE"), "3")
    filtered = store.open(prefix="ours", read_only=True, filter_on_tags=shape)
    try:
        assert names(filtered, place) == ["company.team/LIVE"]
        assert read(filtered, place.at("LIVE")) == "1"
        assert read(filtered, place.at("TEST")) is None
        assert read(filtered, place.at("NONE")) is None
    finally:
        filtered.close()


@pytest.mark.usefixtures("tagging")
def test_an_excluded_tag_hides_even_what_a_filter_includes(store, backend, place):
    written(backend, place.at("SEEN"), "1", tags={"stage": "live"})
    written(backend, place.at("HIDDEN"), "2", tags={"stage": "live", "owner": "security"})
    excluding = {"filter_on_tags": {"stage": "live"}, "excluded_tags": {"owner": "security", "other": "x"}}
    filtered = store.open(prefix="ours", read_only=True, **excluding)
    try:
        assert names(filtered, place, everywhere=True) == ["company.team/SEEN"]
        assert read(filtered, place.at("HIDDEN")) is None
    finally:
        filtered.close()


@pytest.mark.usefixtures("tagging")
def test_what_a_filter_would_hide_is_neither_written_nor_deleted_through_it(store, backend, place):
    written(backend, place.at("OTHERS"), "theirs", tags={"stage": "test"})
    filtered = store.open(prefix="ours", filter_on_tags={"stage": "live"})
    try:
        with pytest.raises(BackendFailed):
            written(filtered, place.at("LOST"), "value")
        assert filtered.delete(place.at("OTHERS")) is False
    finally:
        filtered.close()
    assert backend.read(place.at("LOST")) is None
    assert read(backend, place.at("OTHERS")) == "theirs"


def test_a_read_only_store_is_read_and_not_changed(store, backend, place):
    written(backend, place.at("KEY"), "value")
    reading = store.open(prefix="ours", read_only=True)
    try:
        assert read(reading, place.at("KEY")) == "value"
        assert names(reading, place) == ["company.team/KEY"]
        for change in (
            lambda: written(reading, place.at("KEY"), "changed"),
            lambda: written(reading, place.at("NEW"), "new"),
            lambda: reading.write(Entry(address=place.at("KEY")), None),
            lambda: reading.delete(place.at("KEY")),
            lambda: reading.delete(place.at("NOTHING")),
        ):
            with pytest.raises(ReadOnly) as refused:
                change()
            assert str(refused.value) == "Secrets of namespace 'company.team' are read-only."
    finally:
        reading.close()
    assert names(backend, place) == ["company.team/KEY"]
    assert read(backend, place.at("KEY")) == "value"


def test_two_instances_with_a_prefix_each_do_not_see_each_other(store, backend, place):
    other = store.open(prefix="theirs")
    try:
        written(backend, place.at("KEY"), "ours")
        assert other.read(place.at("KEY")) is None
        assert not other.entries(place.tenant, None)
        assert other.delete(place.at("KEY")) is False
        other.write(Entry(address=place.at("KEY")), Secret("theirs"))
        assert read(backend, place.at("KEY")) == "ours"
        assert other.delete(place.at("KEY")) is True
        assert read(backend, place.at("KEY")) == "ours"
    finally:
        other.close()
