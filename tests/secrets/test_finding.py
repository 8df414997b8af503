"""Which secret a flow sees."""

from __future__ import annotations

import pytest
from tests.secrets.shelf import Shelf

from casemate.identifiers import MAIN, Namespace
from casemate.secrets import BackendFailed, Secrets

KEPT = {
    ("a", "K"): "of a",
    ("a.b", "K"): "of a.b",
    ("a.b.c", "OWN"): "of a.b.c",
    ("a", "ROOT"): "root",
    ("x", "X"): "x",
}


def find(namespace: str, name: str) -> str | None:
    found = Secrets(Shelf(KEPT)).find(MAIN, Namespace(namespace), name)
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


@pytest.mark.parametrize("name", ["", "..", "../K", "a//b", "/K", "K/", "K\n", "K\0", "K" * 256])
def test_names_that_could_be_paths_are_not_asked_for(name):
    shelf = Shelf(KEPT)
    assert Secrets(shelf).find(MAIN, Namespace("a"), name) is None
    assert shelf.asked == []


@pytest.mark.parametrize("namespace", ["", "..", "a..b", "a/b", ".a", "a.", "a b", "a.b\n"])
def test_namespaces_that_could_be_paths_are_not_asked_for(namespace):
    shelf = Shelf(KEPT)
    assert Secrets(shelf).find(MAIN, Namespace(namespace), "K") is None
    assert shelf.asked == []


def test_what_a_nearer_namespace_might_have_is_not_taken_from_above():
    shelf = Shelf(KEPT)
    shelf.failing = [BackendFailed("The store does not answer.")]
    with pytest.raises(BackendFailed):
        Secrets(shelf).find(MAIN, Namespace("a.b"), "ROOT")
