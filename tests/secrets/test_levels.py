"""Whose store has the secrets of a namespace, and what holds there."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.identifiers import MAIN, Namespace
from casemate.secrets.levels import Rules, alone, levels
from casemate.settings import Service
from casemate.store import StoredNamespace

NOTHING: dict[str, Any] = {}
VAULT = {"secretType": "vault"}
READ = {"secretReadOnly": True}
BLOCKED = {"blockSecretInheritance": True}


def isolated(*services: str, enabled: bool = True) -> dict[str, Any]:
    return {"secretIsolation": {"enabled": enabled, "deniedServices": list(services)}}


def records(said: dict[str, dict[str, Any]]) -> dict[Namespace, StoredNamespace]:
    return {
        Namespace(name): StoredNamespace(tenant=MAIN, id=Namespace(name), stamp="1", document=document)
        for name, document in said.items()
    }


def table(said: dict[str, dict[str, Any]], namespace: str = "a.b.c", **more: Any) -> list[tuple[str, str | None]]:
    found = levels(Namespace(namespace), records(said), Rules(), **more)
    return [(level.namespace, level.store.id if level.store else None) for level in found]


@pytest.mark.parametrize(
    ("said", "looked_for"),
    [
        ({}, [("a.b.c", None), ("a.b", None), ("a", None)]),
        ({"a.b.c": NOTHING, "a": READ}, [("a.b.c", None), ("a.b", None), ("a", None)]),
        ({"a": VAULT}, [("a.b.c", "a"), ("a.b", "a"), ("a", "a")]),
        ({"a.b": VAULT}, [("a.b.c", "a.b"), ("a.b", "a.b"), ("a", None)]),
        ({"a.b.c": VAULT}, [("a.b.c", "a.b.c"), ("a.b", None), ("a", None)]),
        ({"a": VAULT, "a.b.c": VAULT}, [("a.b.c", "a.b.c"), ("a.b", "a"), ("a", "a")]),
        ({"x": VAULT, "a.b.c.d": VAULT, "a.bb": VAULT}, [("a.b.c", None), ("a.b", None), ("a", None)]),
        ({"a.b": BLOCKED}, [("a.b.c", None), ("a.b", None)]),
        ({"a.b.c": BLOCKED}, [("a.b.c", None)]),
        ({"a": VAULT, "a.b": BLOCKED}, [("a.b.c", "a"), ("a.b", "a")]),
        ({"a": BLOCKED}, [("a.b.c", None), ("a.b", None), ("a", None)]),
    ],
)
def test_a_namespace_has_the_store_of_the_nearest_that_brings_one(said, looked_for):
    assert table(said) == looked_for


def test_whoever_does_not_inherit_still_has_the_store_from_above():
    assert table({"a": VAULT}, inherit=False) == [("a.b.c", "a")]
    assert table({}, "a..b", inherit=False) == []


@pytest.mark.parametrize(
    ("said", "read_only"),
    [
        ({}, False),
        ({"a": READ}, True),
        ({"a.b.c": READ}, True),
        ({"a": READ, "a.b": VAULT}, False),
        ({"a.b": {**VAULT, **READ}}, True),
        ({"a": {**VAULT, **READ}, "a.b": {"secretReadOnly": False}}, True),
    ],
)
def test_a_store_that_may_only_be_read_is_so_for_all_who_have_it(said, read_only):
    assert alone(Namespace("a.b.c"), records(said), Rules()).read_only is read_only


def test_a_rule_for_all_stores_holds_for_those_of_namespaces_and_one_for_the_instances_own_does_not():
    own = records({"a": VAULT})
    assert alone(Namespace("a"), own, Rules(read_only=True, all_read_only=True)).read_only
    assert not alone(Namespace("a"), own, Rules(read_only=True)).read_only
    assert alone(Namespace("b"), own, Rules(read_only=True)).read_only


def test_services_that_are_denied_above_are_denied_below_whatever_is_said_there():
    below = isolated("SCHEDULER", enabled=False)
    said = records({"a": isolated("EXECUTOR"), "a.b": {**VAULT, **isolated("WORKER")}, "a.b.c": below})
    denied = [level.denied for level in levels(Namespace("a.b.c"), said, Rules(denied=frozenset((Service.INDEXER,))))]
    assert denied == [
        {Service.INDEXER, Service.EXECUTOR, Service.WORKER},
        {Service.INDEXER, Service.EXECUTOR, Service.WORKER},
        {Service.INDEXER, Service.EXECUTOR},
    ]


@pytest.mark.parametrize(
    ("allowed", "caller", "may"),
    [
        ([], "x", True),
        (["x"], "x", True),
        (["x"], "x.y.z", True),
        (["x.y"], "x", False),
        (["x"], "xy", False),
        (["x"], "a.b", False),
        (["x"], "a", True),
    ],
)
def test_a_namespace_lets_in_those_it_lists_and_what_lies_below_them(allowed, caller, may):
    record = records({"a": {"allowedNamespaces": allowed}})[Namespace("a")]
    assert record.admits(Namespace(caller)) is may
