"""Which secret a flow sees."""

from __future__ import annotations

import pytest
from tests.secrets.shelf import Shelf, at

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets import ANYWHERE, BackendFailed, Denied, Entry, EnvironmentSecrets, ReadOnly, Secrets
from casemate.settings import Service

KEPT = {
    ("a", "K"): "of a",
    ("a.b", "K"): "of a.b",
    ("a.b.c", "OWN"): "of a.b.c",
    ("a", "ROOT"): "root",
    ("x", "X"): "x",
}


def find(namespace: str, name: str) -> str | None:
    found = Secrets(Shelf(KEPT)).find(Service.WORKER, MAIN, Namespace(namespace), name)
    return None if found is None else found.value.reveal()


@pytest.mark.parametrize(
    ("namespace", "name", "value"),
    [
        ("a.b.c", "OWN", "of a.b.c"),
        ("a.b.c", "K", "of a.b"),
        ("a.other", "K", "of a"),
        ("a.b.c.d.e", "ROOT", "root"),
        ("a", "OWN", None),
        ("a.other", "OWN", None),
        ("a", "X", None),
        ("ab", "K", None),
        ("a", "k", None),
    ],
)
def test_the_nearest_namespace_wins_and_nothing_goes_upwards_or_sideways(namespace, name, value):
    assert find(namespace, name) == value


def test_a_secret_that_is_read_at_its_place_is_not_taken_from_above():
    secrets = Secrets(Shelf(KEPT))
    assert secrets.read(Service.WORKER, at("a.b.c", "K")) is None
    found = secrets.read(Service.WORKER, at("a.b", "K"))
    assert found is not None
    assert found.value == Secret("of a.b")
    with pytest.raises(Denied):
        Secrets(Shelf(KEPT), denied=frozenset({Service.WORKER})).read(Service.WORKER, at("a", "K"))


@pytest.mark.parametrize("name", ["", "..", "../K", "a//b", "/K", "K/", "K\n", "K\0", "K" * 256])
def test_names_that_could_be_paths_are_not_asked_for(name):
    shelf = Shelf(KEPT)
    assert Secrets(shelf).find(Service.WORKER, MAIN, Namespace("a"), name) is None
    assert shelf.asked == []


@pytest.mark.parametrize("namespace", ["", "..", "a..b", "a/b", ".a", "a.", "a b", "a.b\n"])
def test_namespaces_that_could_be_paths_are_not_asked_for(namespace):
    shelf = Shelf(KEPT)
    assert Secrets(shelf).find(Service.WORKER, MAIN, Namespace(namespace), "K") is None
    assert shelf.asked == []


def test_what_a_nearer_namespace_might_have_is_not_taken_from_above():
    shelf = Shelf(KEPT)
    shelf.failing = [BackendFailed("The store does not answer.")]
    with pytest.raises(BackendFailed):
        Secrets(shelf).find(Service.WORKER, MAIN, Namespace("a.b"), "ROOT")


def test_a_denied_service_is_given_nothing_and_told_so():
    shelf = Shelf(KEPT)
    secrets = Secrets(shelf, denied=frozenset((Service.EXECUTOR,)))
    denied = r"^Access to secrets is denied for service EXECUTOR\.$"
    for ask in (
        lambda: secrets.find(Service.EXECUTOR, MAIN, Namespace("a"), "K"),
        lambda: secrets.entries(Service.EXECUTOR, MAIN, None),
        lambda: secrets.inherited(Service.EXECUTOR, MAIN, Namespace("a")),
        lambda: secrets.write(Service.EXECUTOR, Entry(address=at("a", "K")), Secret("x")),
        lambda: secrets.delete(Service.EXECUTOR, at("a", "K")),
    ):
        with pytest.raises(Denied, match=denied):
            ask()
    assert shelf.asked == []
    assert secrets.find(Service.WORKER, MAIN, Namespace("a"), "K")


def test_nothing_is_changed_that_may_only_be_read():
    shelf = Shelf(KEPT)
    secrets = Secrets(shelf, read_only=True)
    with pytest.raises(ReadOnly):
        secrets.write(Service.WEBSERVER, Entry(address=at("a", "K")), Secret("x"))
    with pytest.raises(ReadOnly):
        secrets.delete(Service.WEBSERVER, at("a", "K"))
    assert len(shelf.kept) == len(KEPT)


def test_what_is_seen_is_listed_by_where_it_comes_from():
    secrets = Secrets(Shelf(KEPT))
    assert secrets.inherited(Service.WEBSERVER, MAIN, Namespace("a.b.c")) == {
        "a.b.c": ["OWN"],
        "a.b": ["K"],
        "a": ["K", "ROOT"],
    }
    everywhere = Secrets(EnvironmentSecrets({"SECRET_A": "", "SECRET_B": ""}))
    assert everywhere.inherited(Service.WEBSERVER, MAIN, Namespace("a.b")) == {"a.b": ["A", "B"]}
    assert everywhere.entries(Service.WEBSERVER, MAIN, None)[0].address.namespace == ANYWHERE
