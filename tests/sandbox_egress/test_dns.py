"""Messages of the domain name system, from friends and enemies."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from resolver import Zone, answered, query, record, wire

from casemate.sandbox import dns
from casemate.sandbox.dns import Answer, Malformed
from casemate.sandbox.pins import LEAST_SECONDS, MOST_SECONDS, Pins

HEADER = struct.Struct(">HHHHHH")
ZONE = Zone({"a.example": "192.0.2.1 2001:db8::1", "alias.example": ">a.example", "far.example": ">alias.example"})


def response(*records: bytes, name: str = "a.example", count: int | None = None) -> bytes:
    count = len(records) if count is None else count
    return HEADER.pack(7, 0x8180, 1, count, 0, 0) + wire(name) + b"\0\1\0\1" + b"".join(records)


def test_a_question_is_read_and_made_anew_as_it_was():
    wanted = dns.question(query("Www.Example.COM", number=5))
    assert (wanted.id, wanted.host, wanted.kind) == (5, "www.example.com", 1)
    assert dns.asked(wanted, 9) == query("Www.Example.COM", number=9)


def test_of_an_extension_only_size_and_signatures_are_kept():
    extended = query("a.example")[:10] + b"\0\1" + query("a.example")[12:]
    wanted = dns.question(extended + b"\0\0\x29\xff\xff\0\0\x80\0\0\x05\0\x0a\0\1x")
    assert (wanted.size, wanted.extended, wanted.signatures) == (4096, True, True)
    assert dns.asked(wanted, 7) == extended + b"\0\0\x29\x10\0\0\0\x80\0\0\0"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0" * 11,
        query("a.example")[:-1],
        b"\0\7\x81\x80" + query("a.example")[4:],  # an answer
        b"\0\7\x28\0" + query("a.example")[4:],  # an update
        HEADER.pack(7, 0, 2, 0, 0, 0) + (wire("a.example") + b"\0\1\0\1") * 2,
        HEADER.pack(7, 0, 0, 0, 0, 0),
        HEADER.pack(7, 0, 1, 1, 0, 0) + wire("a.example") + b"\0\1\0\1",
        HEADER.pack(7, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1",  # a name that is a pointer to itself
        HEADER.pack(7, 0, 1, 0, 0, 0) + wire("version.bind") + b"\0\x10\0\3",  # another class
        HEADER.pack(7, 0, 1, 0, 0, 0) + b"\x40" + b"a" * 64 + b"\0\0\1\0\1",
        HEADER.pack(7, 0, 1, 0, 0, 0) + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1",
        HEADER.pack(7, 0, 1, 0, 0, 1) + wire("a.example") + b"\0\1\0\1" + b"\0\0\x29\4\xd0\0\0\0\0\xff\xff",
    ],
)
def test_what_is_no_question_is_refused(message):
    with pytest.raises(Malformed):
        dns.question(message)


def test_bytes_that_no_host_has_never_look_like_a_host():
    dotted = HEADER.pack(7, 0, 1, 0, 0, 0) + b"\x09a.example\0\0\1\0\1"
    assert dns.question(dotted).host == "a\\046example"


def test_addresses_are_found_through_aliases():
    answer = dns.answer(answered(ZONE, query("far.example"), streamed=False))
    assert answer == Answer((("192.0.2.1", 60),), ("alias.example", "a.example"))
    assert dns.answer(answered(ZONE, query("a.example", kind=28), streamed=False)).addresses == (("2001:db8::1", 60),)


def test_the_shortest_time_on_the_way_counts():
    records = record("a.example", 5, wire("b.example"), 5), record("b.example", 1, bytes((192, 0, 2, 1)), 500)
    assert dns.answer(response(*records)).addresses == (("192.0.2.1", 5),)


def test_a_mapped_address_is_the_one_it_maps():
    mapped = record("a.example", 28, bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1)), 5)
    assert dns.answer(response(mapped)).addresses == (("192.0.2.1", 5),)


def test_addresses_of_other_names_are_not_taken():
    assert dns.answer(response(record("b.example", 1, bytes(4), 5))) == Answer((), ())
    assert dns.answer(response(record("b.example", 5, wire("a.example"), 5), record("b.example", 1, bytes(4), 5))) == (
        Answer((), ())
    )


def test_aliases_that_lead_in_circles_end():
    circle = record("a.example", 5, wire("b.example"), 5), record("b.example", 5, wire("a.example"), 5)
    assert dns.answer(response(*circle)) == Answer((), ("b.example",))


def test_a_long_way_of_aliases_ends():
    steps = [record(f"n{n}.example", 5, wire(f"n{n + 1}.example"), 5) for n in range(200)]
    answer = dns.answer(response(*steps, record("n200.example", 1, bytes(4), 5), name="n0.example"))
    assert answer.addresses == ()
    assert len(answer.aliases) < 20


@pytest.mark.parametrize("code", [1, 2, 3, 5])
def test_a_failure_has_no_addresses(code):
    message = response(record("a.example", 1, bytes(4), 5))
    assert dns.answer(message[:3] + bytes((0x80 | code,)) + message[4:]) == Answer((), ())


@pytest.mark.parametrize(
    "records",
    [
        b"\xc0\xff\0\1\0\1\0\0\0\5\0\4\1\2\3\4",  # a pointer forwards
        b"\xc0\x1b\0\1\0\1\0\0\0\5\0\4\1\2\3\4",  # a pointer to itself
        record("a.example", 1, bytes(4), 5)[:-1],
        wire("a.example") + struct.pack(">HHIH", 1, 1, 5, 65535) + bytes(4),
        wire("a.example") + struct.pack(">HHIH", 5, 1, 5, 2) + b"\xc0",
    ],
)
def test_a_broken_record_breaks_the_answer(records):
    with pytest.raises(Malformed):
        dns.answer(response(records, count=1))


def test_a_message_of_pointers_to_pointers_costs_little():
    pointers = b"".join((0xC000 | (27 + 2 * max(0, n - 1))).to_bytes(2, "big") for n in range(2000))
    with pytest.raises(Malformed):
        dns.answer(response(pointers, count=65535))


def test_only_an_answer_to_the_very_question_answers_it():
    wanted = dns.question(query("A.example"))
    assert dns.answers(answered(ZONE, query("a.example", number=9), streamed=False), wanted, 9)
    for other in (
        answered(ZONE, query("a.example", number=8), streamed=False),
        answered(ZONE, query("b.example", number=9), streamed=False),
        answered(ZONE, query("a.example", number=9, kind=28), streamed=False),
        query("a.example", number=9),
        b"",
    ):
        assert not dns.answers(other, wanted, 9)


def test_a_failure_and_a_complaint_are_answers():
    wanted = dns.question(query("a.example"))
    assert dns.answers(dns.failure(wanted, dns.NO_SUCH_NAME), wanted, 7)
    assert dns.not_understood(b"\0\7" + bytes(10)) == b"\0\7\x80\1" + bytes(8)
    assert dns.not_understood(b"\0\7\x80" + bytes(9)) is None
    assert dns.not_understood(b"\0\7") is None


MESSAGES = st.one_of(
    st.binary(max_size=600),
    st.tuples(st.binary(min_size=12, max_size=12), st.binary(max_size=300)).map(b"".join),
    st.tuples(st.just(response()), st.lists(st.sampled_from([b"\xc0\x0c", b"\0\1\0\1", b"\0\0\0\5", bytes(4)]))).map(
        lambda parts: response(*parts[1], count=9)
    ),
)


@given(MESSAGES)
@example(b"\0" * 12)
def test_no_bytes_break_the_reader(message):
    for read in (dns.question, dns.answer):
        try:
            read(message)
        except Malformed:
            continue
    dns.answers(message, dns.question(query("a.example")), 7)
    dns.not_understood(message)


@given(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=3))
def test_every_question_that_is_read_goes_out_with_the_same_name(labels):
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    message = HEADER.pack(7, 0x0100, 1, 0, 0, 0) + name + b"\0\1\0\1"
    wanted = dns.question(message)
    assert dns.asked(wanted, 7) == message
    assert not set(wanted.host) - set("abcdefghijklmnopqrstuvwxyz0123456789_-.\\")


def test_a_name_stands_for_an_address_for_its_time():
    pins = Pins()
    pins.remember("a.example", [("192.0.2.1", 0), ("192.0.2.2", 1 << 31)], now=1000)
    assert pins.names_of("192.0.2.1", 1000 + LEAST_SECONDS) == ("a.example",)
    assert pins.names_of("192.0.2.1", 1001 + LEAST_SECONDS) == ()
    assert pins.names_of("192.0.2.2", 1000 + MOST_SECONDS) == ("a.example",)
    assert pins.names_of("192.0.2.2", 1001 + MOST_SECONDS) == ()
    assert pins.names_of("192.0.2.3", 1000) == ()


def test_what_is_remembered_is_bounded_and_the_latest_stays():
    pins = Pins()
    for number in range(10_000):
        pins.remember(f"n{number}.example", [("192.0.2.1", 60), (f"2001:db8::{number:x}", 60)], now=0)
    assert len(pins.names_of("192.0.2.1", 0)) <= 4096
    assert pins.names_of("192.0.2.1", 0)[0] == "n9999.example"
    assert pins.names_of("2001:db8::1", 0) == ()
