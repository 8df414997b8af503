"""Another key for the secrets of stores that we seal: what older ones sealed opens, and is sealed anew without loss."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from tests.fakes.elasticsearch import Fake, fake_elasticsearch
from tests.postgres import running_postgres
from tests.secrets.shelf import at

from casemate.identifiers import TenantId
from casemate.keys import UNREADABLE
from casemate.secret import Secret
from casemate.secrets import BackendFailed, Entry, InvalidOptions, Tally, opened
from casemate.secrets.sealing import Seal
from casemate.store import Database

OLDEST = "the first secret that there was, long gone"
OLD = "the secret that was in use until now"
NEW = "the secret that is in use from now on"
KIDS = {text: Seal(Secret(text)).kid for text in (OLDEST, OLD, NEW)}


@dataclass(frozen=True)
class Kept:
    """Somewhere secrets are kept; `open(secret, *former)` gives a backend there."""

    opened: Callable[..., object]
    fake: Fake | None = None
    page: int = 250

    @contextmanager
    def store(self, secret: str, *former: str, read_only: bool = False):
        backend = self.opened({"secret": secret, "former-secrets": list(former)}, read_only)
        try:
            yield backend
        finally:
            backend.close()


@contextmanager
def sqlite(folder: Path) -> Iterator[Kept]:
    database = Database.open(f"sqlite:///{folder}/casemate.db")
    yield Kept(lambda written, read_only: opened("jdbc", written, read_only=read_only, at="at", database=database))
    database.close()


@contextmanager
def postgres(_folder: Path) -> Iterator[Kept]:
    more = {**running_postgres().options, "schema": f"s_{uuid4().hex[:12]}"}
    yield Kept(lambda written, read_only: opened("jdbc", {**written, **more}, read_only=read_only, at="at"))


@contextmanager
def elasticsearch(_folder: Path) -> Iterator[Kept]:
    with fake_elasticsearch() as (address, fake):
        more = {"client": {"http-hosts": address}}
        yield Kept(
            lambda written, read_only: opened("elasticsearch", {**written, **more}, read_only=read_only, at="at"),
            fake,
            20,
        )


@pytest.fixture(params=[sqlite, postgres, elasticsearch], ids=lambda kind: kind.__name__)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    with request.param(tmp_path) as running:
        yield running


def put(backend, name: str, value: str, tenant: str = "main", **beside: object) -> None:
    backend.write(Entry(address=at("a.b", name, TenantId(tenant)), **beside), Secret(value))


def value(backend, name: str, tenant: str = "main") -> str:
    return backend.read(at("a.b", name, TenantId(tenant))).value.reveal()


def through(backend, *, only_looks: bool = False) -> Tally:
    total = Tally()
    for tally in backend.reseal(only_looks=only_looks):
        total += tally
    return total


def test_former_keys_open_and_the_present_one_seals(kept: Kept):
    with kept.store(OLDEST) as backend:
        put(backend, "FIRST", "1")
    with kept.store(OLD, OLDEST) as backend:
        put(backend, "SECOND", "2")
    with kept.store(NEW, OLD, OLDEST) as backend:
        put(backend, "THIRD", "3")
        assert [value(backend, name) for name in ("FIRST", "SECOND", "THIRD")] == ["1", "2", "3"]
        assert through(backend, only_looks=True).counts == Counter(dict.fromkeys(KIDS.values(), 1))
    with kept.store(NEW) as backend:
        assert value(backend, "THIRD") == "3"
        with pytest.raises(BackendFailed, match="was sealed with key") as failed:
            value(backend, "FIRST")
    assert not failed.value.passing


def test_what_is_sealed_anew_opens_without_the_former_key(kept: Kept):
    with kept.store(OLD) as backend:
        put(backend, "K", "of main", description="words", tags={"team": "blue"})
        put(backend, "K", "of others", tenant="others")
    with kept.store(NEW, OLD) as backend:
        put(backend, "L", "new")
        tally = through(backend)
        assert (tally.counts, tally.renewed) == (Counter({KIDS[NEW]: 3}), 2)
        again = through(backend)
        assert (again.counts, again.renewed) == (Counter({KIDS[NEW]: 3}), 0)
    with kept.store(NEW) as backend:
        assert [value(backend, "K"), value(backend, "K", "others"), value(backend, "L")] == [
            "of main",
            "of others",
            "new",
        ]
        first = backend.entries(TenantId("main"), None)[0]
        assert (first.description, first.tags) == ("words", {"team": "blue"})


def test_who_only_looks_changes_nothing(kept: Kept):
    with kept.store(OLD) as backend:
        put(backend, "K", "value")
    with kept.store(NEW, OLD) as backend:
        tally = through(backend, only_looks=True)
        assert (tally.counts, tally.renewed) == (Counter({KIDS[OLD]: 1}), 0)
    with kept.store(OLD) as backend:
        assert value(backend, "K") == "value"


def test_it_may_be_stopped_and_begun_again(kept: Kept):
    names = [f"K{number:03}" for number in range(kept.page + 10)]
    with kept.store(OLD) as backend:
        for name in names:
            put(backend, name, f"value of {name}")
    with kept.store(NEW, OLD) as backend:
        first = next(backend.reseal(only_looks=False))
        assert first.renewed == kept.page
        assert through(backend, only_looks=True).counts == Counter({KIDS[NEW]: kept.page, KIDS[OLD]: 10})
        assert [value(backend, name) for name in names] == [f"value of {name}" for name in names]
        assert through(backend).renewed == 10
    with kept.store(NEW) as backend:
        assert [value(backend, name) for name in names] == [f"value of {name}" for name in names]


def test_what_no_key_opens_is_counted_and_left(kept: Kept):
    with kept.store(OLDEST) as backend:
        put(backend, "LOST", "value")
    with kept.store(OLD) as backend:
        put(backend, "K", "value")
    with kept.store(NEW, OLD) as backend:
        tally = through(backend)
        assert (tally.counts, tally.renewed) == (Counter({KIDS[NEW]: 1, UNREADABLE: 1}), 1)
    with kept.store(OLDEST) as backend:
        assert value(backend, "LOST") == "value"


def test_what_others_write_meanwhile_is_not_lost(kept: Kept):
    with kept.store(OLD) as older, kept.store(NEW, OLD) as newer:
        for number in range(20):
            put(older, f"K{number}", "before")
        done = threading.Event()

        def reseal() -> None:
            while not done.is_set():
                through(newer)

        resealing = threading.Thread(target=reseal)
        resealing.start()
        try:
            for number in range(60):
                name, text = f"K{number % 20}", f"written as number {number}"
                put(older if number % 2 else newer, name, text)
                assert value(newer, name) == text
        finally:
            done.set()
            resealing.join()
        through(newer)
    with kept.store(NEW) as newer:
        assert value(newer, "K19") == "written as number 59"


def test_a_document_that_somebody_else_was_faster_with_is_read_again(tmp_path: Path):
    with elasticsearch(tmp_path) as kept, kept.store(OLD) as older, kept.store(NEW, OLD) as newer:
        put(older, "K", "before")
        put(older, "GONE", "before")
        answer, interrupted = kept.fake.answer, threading.Event()

        def others_are_faster(method, path, said, body):
            found = answer(method, path, said, body)
            if path.endswith("/_search") and not interrupted.is_set():
                interrupted.set()
                put(older, "K", "after")
                older.delete(at("a.b", "GONE"))
            return found

        kept.fake.answer = others_are_faster
        tally = through(newer)
        assert interrupted.is_set()
        assert (tally.counts, tally.renewed) == (Counter({KIDS[NEW]: 1}), 1)
        assert value(newer, "K") == "after"


def test_a_read_only_store_is_counted_and_not_sealed_anew(kept: Kept):
    with kept.store(OLD) as backend:
        put(backend, "K", "value")
    with kept.store(NEW, OLD, read_only=True) as backend:
        assert through(backend, only_looks=True).counts == Counter({KIDS[OLD]: 1})
        with pytest.raises(BackendFailed, match="read-only"):
            through(backend)


def test_where_nothing_is_there_is_nothing_to_seal(kept: Kept):
    with kept.store(NEW, OLD) as backend:
        assert through(backend) == Tally()


def test_a_former_secret_that_is_too_short_is_refused_without_being_quoted(kept: Kept):
    with pytest.raises(InvalidOptions, match="at least 32 characters") as refused, kept.store(NEW, "hunter2"):
        pass
    assert "hunter2" not in str(refused.value)
    assert "former-secrets" in str(refused.value)
