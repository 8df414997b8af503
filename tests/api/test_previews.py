"""What people see of a file."""

from __future__ import annotations

import pytest

from casemate.api.errors import Declined
from casemate.api.previews import preview


def shown(name: str, content: bytes, *, most: int = 100, encoding: str = "UTF-8", whole: bool = True):
    found = preview(f"kestra:///a/{name}", content, most=most, encoding=encoding, whole=whole)
    return found["type"], found["content"], found["truncated"]


def test_rows_are_shown_as_values():
    rows = b'{a:1,d:2024-04-21T23:00:00.000Z}\n{"a":null}\n{broken\n'
    kind, content, truncated = shown("x.ion", rows)
    assert (kind, truncated) == ("LIST", False)
    assert content[0]["a"] == 1
    assert str(content[0]["d"]).startswith("2024-04-21T23:00")
    assert content[1:] == [{"a": None}, "{broken"]


def test_only_the_first_lines_are_shown():
    assert shown("x.txt", b"1\n2\n3\n", most=2) == ("TEXT", "1\n2", True)
    assert shown("x.csv", b"1\n2\nhal", whole=False) == ("TEXT", "1\n2", True)
    assert shown("x.md", b"# a") == ("MARKDOWN", "# a", False)


def test_images_are_shown_whole_or_not_at_all():
    assert shown("x.PNG", b"\x89P") == ("IMAGE", "iVA=", False)
    assert shown("x.png", b"\x89P", whole=False) == ("IMAGE", "", True)


def test_texts_are_decoded_as_asked():
    assert shown("x", "é".encode("latin-1"), encoding="ISO-8859-1")[1] == "é"
    for unknown in ("nothing", "base64", "\x00"):
        with pytest.raises(Declined):
            shown("x", b"x", encoding=unknown)


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b"{a:" * 50_000, b"9" * 100_000, b"'''"])
def test_a_bomb_is_shown_as_it_is(bomb: bytes):
    assert shown("x.ion", bomb)[1] == [bomb.decode()]
