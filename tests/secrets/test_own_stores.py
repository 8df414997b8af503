"""The stores that namespaces bring: opened when needed, kept, replaced, closed; never another one in their place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.secrets.shelf import Shelf

from casemate.identifiers import MAIN, Namespace
from casemate.keys import Keyring
from casemate.sealed import envelope
from casemate.secret import Secret
from casemate.secrets import (
    Address,
    Backend,
    BackendFailed,
    Denied,
    Entry,
    Found,
    NotAllowed,
    OwnStores,
    ReadOnly,
    Secrets,
)
from casemate.settings import OwnStores as Openings
from casemate.settings import Service
from casemate.store import Database, StoredNamespace
from casemate.store import namespaces as rows

KEYS = Keyring({"k": Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")}, "k", named=True)
OPENED = Openings(types=("jdbc", "vault"))


class Watched:
    """A real store that tells when it is closed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.closed = False

    def read(self, address: Address) -> Found | None:
        assert not self.closed
        return self._backend.read(address)

    def entries(self, tenant, namespace):
        return self._backend.entries(tenant, namespace)

    def write(self, entry: Entry, value: Secret | None) -> None:
        self._backend.write(entry, value)

    def delete(self, address: Address) -> bool:
        return self._backend.delete(address)

    def close(self) -> None:
        self.closed = True
        self._backend.close()


class Instance:
    """Secrets with a store of their own in memory, and those that namespaces bring in a real database."""

    def __init__(self, db: Database, **rules: Any) -> None:
        self.db, self.opened, self.now = db, list[Watched](), 0.0
        self.shelf = Shelf({("a", "ROOT"): "root", ("a.b", "K"): "of the instance"})
        own = OwnStores(db, OPENED, KEYS, self._around, clock=lambda: self.now)
        self.secrets = Secrets(self.shelf, own=own, **rules)
        self.own = own

    def _around(self, backend: Backend) -> Backend:
        self.opened.append(Watched(backend))
        return self.opened[-1]

    def say(self, name: str, stamp: str = "1", secret: str | None = None, **said: Any) -> None:
        document = dict(said)
        if secret is not None:
            kept = self.own.accepted("jdbc", {"secret": secret}, None)
            document |= {"secretType": "jdbc", "secretConfiguration": dict(kept.sealed)}
        self.put(StoredNamespace(tenant=MAIN, id=Namespace(name), stamp=stamp, document=document))

    def put(self, record: StoredNamespace) -> None:
        self.db.transact_now(rows.delete, MAIN, record.id)
        self.db.transact_now(rows.add, record)
        self.now += 1

    def write(self, namespace: str, name: str, value: str) -> None:
        address = Address(tenant=MAIN, namespace=Namespace(namespace), name=name)
        self.secrets.write(Service.WORKER, Entry(address=address), Secret(value))

    def find(self, namespace: str, name: str, service: Service = Service.WORKER, **more: Any) -> str | None:
        found = self.secrets.find(service, MAIN, Namespace(namespace), name, **more)
        return None if found is None else found.value.reveal()


def sealed(options: dict[str, Any]) -> dict[str, str]:
    return envelope(KEYS.seal(json.dumps(options)))


ONE, TWO = "the-first-secret-of-32-characters", "the-second-secret-of-32-characters"


@pytest.fixture
def instance(tmp_path) -> Iterator[Instance]:
    db = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    made = Instance(db)
    yield made
    made.secrets.close()
    assert all(one.closed for one in made.opened)
    db.close()


def test_each_level_is_asked_in_its_own_store(instance):
    instance.say("a.b", secret=ONE)
    instance.say("a.b.c.d", secret=TWO)
    instance.write("a.b", "K", "of a.b")
    instance.write("a.b.c", "C", "of a.b.c")
    instance.write("a.b.c.d", "D", "of a.b.c.d")
    found = {name: instance.find("a.b.c.d", name) for name in ("D", "C", "K", "ROOT", "NONE")}
    assert found == {"D": "of a.b.c.d", "C": "of a.b.c", "K": "of a.b", "ROOT": "root", "NONE": None}
    assert {one.namespace for one in instance.shelf.asked} == {"a"}


def test_a_store_is_opened_once_and_kept_until_its_record_changes(instance):
    instance.say("a.b", secret=ONE)
    instance.write("a.b", "K", "mine")
    assert {instance.find("a.b.c", "K") for _ in range(3)} == {"mine"}
    assert [one.closed for one in instance.opened] == [False]
    instance.say("a.b", "2", secret=TWO)
    with pytest.raises(BackendFailed, match=r"^The secret 'K' was sealed with key"):
        instance.find("a.b.c", "K")
    assert [one.closed for one in instance.opened] == [True, False]
    instance.say("a.b", "3")
    assert instance.find("a.b.c", "K") == "of the instance"


def test_what_was_changed_here_holds_at_once_and_what_was_changed_elsewhere_in_a_second(instance):
    assert instance.find("a.b", "ROOT") == "root"
    instance.say("a.b", blockSecretInheritance=True)
    instance.now -= 1
    assert instance.find("a.b", "ROOT") == "root"
    instance.now += 0.9
    assert instance.find("a.b", "ROOT") == "root"
    instance.now += 0.1
    assert instance.find("a.b", "ROOT") is None
    instance.say("a.b")
    instance.now -= 1
    instance.own.forget(MAIN, Namespace("a.b"))
    assert instance.find("a.b", "ROOT") == "root"


def test_a_store_in_use_is_closed_by_whoever_is_last(instance):
    instance.say("a.b", secret=ONE)
    (record,) = instance.own.records(MAIN, None).values()
    with instance.own.lent(record), instance.own.lent(record):
        instance.own.forget(MAIN, Namespace("a.b"))
        assert [one.closed for one in instance.opened] == [False]
    assert [one.closed for one in instance.opened] == [True]


def test_a_store_that_cannot_be_opened_fails_its_namespaces_and_no_others(instance):
    good = {"address": "https://vault.example"}
    broken: list[dict[str, Any]] = [
        {"secretType": "vault", "secretConfiguration": sealed(good)},
        {"secretType": "elasticsearch"},
        {"secretType": "nothing"},
        {"secretType": "jdbc"},
        {"secretType": "jdbc", "secretConfiguration": {"type": "io.kestra.datatype:aes_encrypted", "value": "AAAA"}},
    ]
    for stamp, document in enumerate(broken):
        instance.put(StoredNamespace(tenant=MAIN, id=Namespace("a.b"), stamp=str(stamp), document=document))
        for ask in (
            lambda: instance.find("a.b.c", "K"),
            lambda: instance.find("a.b.c", "ROOT"),
            lambda: instance.write("a.b", "K", "x"),
            lambda: instance.secrets.entries(Service.WORKER, MAIN, None),
        ):
            with pytest.raises(BackendFailed, match=r"^The secret store of the namespace 'a\.b' cannot be used: "):
                ask()
        assert instance.find("a", "ROOT") == "root"


def test_a_failing_store_is_not_passed_over(instance):
    instance.say("a.b", secret=ONE)
    instance.shelf.failing = [BackendFailed("The store does not answer.")]
    with pytest.raises(BackendFailed, match="does not answer"):
        instance.find("a.b", "ROOT")


def test_whoever_does_not_inherit_sees_its_own_secrets_only(instance):
    assert instance.find("a.b", "ROOT") == "root"
    assert instance.find("a.b", "ROOT", inherit=False) is None
    assert instance.find("a.b", "K", inherit=False) == "of the instance"
    instance.say("a.b", blockSecretInheritance=True)
    assert instance.find("a.b.c", "ROOT") is None
    assert instance.find("a.b.c", "K") == "of the instance"
    assert instance.secrets.inherited(Service.WORKER, MAIN, Namespace("a.b.c")) == {"a.b": ["K"]}


@pytest.mark.parametrize(
    ("said", "caller", "asked", "name", "found"),
    [
        ({}, "x", "a.b", "K", "of the instance"),
        ({"a.b": ["x"]}, "x.y", "a.b", "K", "of the instance"),
        ({"a.b": ["x.y"]}, "x", "a.b", "K", NotAllowed),
        ({"a.b": ["x"]}, "a", "a.b", "K", NotAllowed),
        ({"a": ["x"]}, "a.b", "a", "ROOT", NotAllowed),
        ({"a": ["x"]}, "a.b", "a.c", "ROOT", "root"),
        # A name below a namespace that is closed is no way in.
        ({"a": ["x"]}, "y", "a.anything", "ROOT", NotAllowed),
        ({"a": ["x"], "a.b": ["y"]}, "y", "a.b", "K", "of the instance"),
        ({"a": ["x"], "a.b": ["y"]}, "y", "a.b", "ROOT", NotAllowed),
    ],
)
def test_another_namespaces_secrets_are_for_those_it_allows(instance, said, caller, asked, name, found):
    for namespace, allowed in said.items():
        instance.say(namespace, allowedNamespaces=allowed)
    if found is NotAllowed:
        with pytest.raises(NotAllowed, match=r"^Namespace a(\.b)? is not allowed\.$"):
            instance.find(asked, name, caller=Namespace(caller))
    else:
        assert instance.find(asked, name, caller=Namespace(caller)) == found
    assert instance.find("a.b", "ROOT") == "root", "what is inherited needs no leave"


def test_isolation_and_read_only_are_judged_per_place(instance):
    instance.say("a.b", secretIsolation={"enabled": True, "deniedServices": ["EXECUTOR"]}, secretReadOnly=True)
    assert instance.find("a", "ROOT", Service.EXECUTOR) == "root"
    with pytest.raises(Denied):
        instance.find("a.b", "ROOT", Service.EXECUTOR)
    with pytest.raises(ReadOnly):
        instance.write("a.b.c", "K", "x")
    instance.write("a", "K", "x")


def test_a_rule_for_all_holds_in_a_store_of_a_namespaces_own(tmp_path):
    db = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    strict = Instance(db, denied=frozenset((Service.EXECUTOR,)), read_only=True, all_read_only=True)
    strict.say("a.b", secret=ONE, secretReadOnly=False, secretIsolation={"enabled": False})
    with pytest.raises(Denied):
        strict.find("a.b", "K", Service.EXECUTOR)
    with pytest.raises(ReadOnly):
        strict.write("a.b", "K", "x")
    strict.secrets.close()
    db.close()
