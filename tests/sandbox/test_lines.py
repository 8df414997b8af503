"""Lines out of pieces."""

from hypothesis import given
from hypothesis import strategies as some

from casemate.sandbox.lines import Lines


def split(pieces, limit=1000):
    lines = Lines(limit)
    return [line for piece in pieces for line in lines.feed(piece)] + lines.rest()


@given(some.lists(some.binary(max_size=30)))
def test_pieces_make_no_difference(pieces):
    whole = b"".join(pieces)
    assert split(pieces) == split([whole])


@given(some.binary(max_size=200), some.integers(min_value=1, max_value=20))
def test_no_line_is_longer_than_the_limit(text, limit):
    lines = split([text], limit)
    assert all(len(line) <= limit for line in lines)
    assert len(lines) == text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


def test_ends_of_lines_are_taken_off():
    assert split([b"a\r\nb\n\nc"]) == [b"a", b"b", b"", b"c"]


def test_what_is_beyond_the_limit_is_dropped_up_to_the_next_line():
    assert split([b"abcdef", b"ghi\nnext\n"], limit=4) == [b"abcd", b"next"]
