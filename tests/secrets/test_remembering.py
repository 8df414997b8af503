"""The memory of secrets: how large, how long, how often their store is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from structlog.testing import capture_logs
from tests.secrets.shelf import Shelf, at

from casemate.secret import Secret
from casemate.secrets import Address, BackendFailed, Counters, Entry, Found, Remembering
from casemate.settings import SecretCache

PLACE = at("a", "K")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({("a", "K"): "old", **{("a", f"K{n}"): str(n) for n in range(4)}})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(shelf: Shelf, clock: Clock) -> Remembering:
    return Remembering(shelf, SecretCache(size=3, lifetime=timedelta(seconds=60)), clock)


def value(found: Found | None) -> str | None:
    return None if found is None else found.value.reveal()


def test_a_secret_is_asked_for_once_in_its_lifetime_however_often_it_is_used(shelf, clock, memory):
    for _ in range(7):
        assert value(memory.read(PLACE)) == "old"
        clock.now += 8
    assert len(shelf.asked) == 1
    clock.now += 8
    memory.read(PLACE)
    assert len(shelf.asked) == 2
    assert memory.counters == Counters(hits=6, misses=2)


def test_what_is_not_there_is_looked_for_again_soon(shelf, clock, memory):
    place = at("a", "NEW")
    assert memory.read(place) is None
    clock.now += 4
    shelf.write(Entry(address=place), Secret("made elsewhere"))
    assert memory.read(place) is None
    clock.now += 1
    assert value(memory.read(place)) == "made elsewhere"


def test_the_one_used_longest_ago_makes_room(shelf, memory):
    for name in ("K0", "K1", "K2", "K0", "K3"):
        memory.read(at("a", name))
    assert memory.counters.evicted == 1
    shelf.asked.clear()
    for name in ("K0", "K2", "K3"):
        memory.read(at("a", name))
    assert shelf.asked == []
    memory.read(at("a", "K1"))
    assert shelf.asked == [at("a", "K1")]


def test_a_change_is_seen_at_once(memory):
    memory.read(PLACE)
    memory.write(Entry(address=PLACE), Secret("new"))
    assert value(memory.read(PLACE)) == "new"
    memory.delete(PLACE)
    assert memory.read(PLACE) is None


def test_what_the_memory_did_is_told_when_it_is_closed(memory):
    memory.read(PLACE)
    memory.read(PLACE)
    with capture_logs() as told:
        memory.close()
    counted = {"event": "secret_cache.closed", "log_level": "info", "hits": 1, "misses": 1, "shared": 0, "evicted": 0}
    assert told == [counted]


def test_failures_are_not_remembered(shelf, memory):
    shelf.failing = [BackendFailed("away")]
    with pytest.raises(BackendFailed):
        memory.read(PLACE)
    assert value(memory.read(PLACE)) == "old"


class Slow(Shelf):
    """A store that answers with what was there when it was asked, once it may."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.entered, self.may = Event(), Event()

    def read(self, address: Address) -> Found | None:
        found = super().read(address)
        self.entered.set()
        assert self.may.wait(10)
        return found


def test_many_who_want_one_secret_at_once_make_one_question(clock):
    slow = Slow({("a", "K"): "old"})
    memory = Remembering(slow, SecretCache(size=3, lifetime=timedelta(seconds=60)), clock)
    with ThreadPoolExecutor(8) as threads:
        readers = [threads.submit(memory.read, PLACE) for _ in range(8)]
        while sum((memory.counters.misses, memory.counters.shared)) < 8:
            assert slow.entered.wait(10)
        slow.may.set()
        assert {value(reader.result(10)) for reader in readers} == {"old"}
    assert len(slow.asked) == 1
    assert memory.counters == Counters(misses=1, shared=7)


def test_what_was_on_its_way_during_a_change_is_not_remembered(clock):
    slow = Slow({("a", "K"): "old"})
    memory = Remembering(slow, SecretCache(size=3, lifetime=timedelta(seconds=60)), clock)
    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(memory.read, PLACE)
        assert slow.entered.wait(10)
        memory.write(Entry(address=PLACE), Secret("new"))
        slow.may.set()
        assert value(reader.result(10)) == "old"
    assert value(memory.read(PLACE)) == "new"
