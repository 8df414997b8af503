"""Guessing credentials gets slow, for the one who guesses only."""

import pytest

from casemate.api.throttle import GUESSES, SECONDS, Throttle


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def guess(throttle, address, count, begin=0):
    """How many of so many different wrong guesses are looked at."""
    looked_at = 0
    for number in range(begin, begin + count):
        if not throttle.wait(address, f"guess {number}"):
            throttle.missed(address, f"guess {number}")
            looked_at += 1
    return looked_at


def test_an_address_has_some_guesses_and_gets_them_back_one_by_one(throttle, clock):
    assert guess(throttle, "192.0.2.1", 1000) == GUESSES
    assert throttle.wait("192.0.2.1", "one more") == SECONDS
    clock.now += SECONDS
    assert guess(throttle, "192.0.2.1", 1000, begin=1000) == 1
    clock.now += 1000 * SECONDS
    assert guess(throttle, "192.0.2.1", 1000, begin=2000) == GUESSES


@pytest.mark.parametrize("other", ["192.0.2.2", "127.0.0.1", "2001:db8:0:1::1", ""])
def test_nobody_waits_for_another_address(throttle, other):
    guess(throttle, "192.0.2.1", 1000)
    guess(throttle, "2001:db8::1", 1000)
    assert throttle.wait(other, "right") == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::2")],
)
def test_the_many_addresses_of_one_guesser_count_as_one(throttle, first, second):
    guess(throttle, first, GUESSES)
    assert throttle.wait(second, "another") > 0


def test_loopback_waits_too(throttle):
    assert guess(throttle, "127.0.0.1", 50) == GUESSES


def test_a_program_that_repeats_an_old_password_keeps_nobody_out(throttle):
    for _ in range(1000):
        assert throttle.wait("127.0.0.1", "old") == 0
        throttle.missed("127.0.0.1", "old")
    assert throttle.wait("127.0.0.1", "right") == 0


def test_it_does_not_grow_without_end(throttle):
    for number in range(30_000):
        throttle.missed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "guess")
    assert len(throttle._guessed) == 10_000


def test_guesses_about_one_thing_do_not_count_for_another(throttle):
    for number in range(GUESSES):
        throttle.missed("192.0.2.1", str(number), "flow a")
    assert throttle.wait("192.0.2.1", "x", "flow a") == SECONDS
    assert throttle.wait("192.0.2.1", "x", "flow b") == 0
    assert throttle.wait("192.0.2.1", "x") == 0
