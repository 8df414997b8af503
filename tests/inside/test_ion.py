"""Rows of ION text, from friends and from enemies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from casemate.inside.ion import DEPTH, LONGEST, NotIon, rows
from casemate.inside.ion_writing import Timestamp, ion_text


def read(folder: Path, text: str) -> list[object]:
    path = folder / "rows.ion"
    path.write_text(text, encoding="utf-8", newline="")
    return [row.value for row in rows(path)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("null.string", None),
        ("true", True),
        ("42", 42),
        ("-1_000", -1000),
        ("0xFf", 255),
        ("1.1230000257492065e0", 1.1230000257492065),
        ("1.5d2", 150.0),
        ("1e999", "1e999"),
        ("nan", "nan"),
        ('"text \\"quoted\\" \\u00e9\\x41\\n"', 'text "quoted" éA\n'),
        ("'''long ''' '''text'''", "long text"),
        ("symbol", "symbol"),
        ("'a b'", "a b"),
        ("2024-04-21T23:00:00.000Z", "2024-04-21T23:00:00.000Z"),
        ("2024-04-21", "2024-04-21"),
        ('ZonedDateTime::"2013-09-08T16:19:00+02:00[Europe/Paris]"', "2013-09-08T16:19:00+02:00[Europe/Paris]"),
        ("{a:1,'b c':[x,2],\"d\":{e:null},}", {"a": 1, "b c": ["x", 2], "d": {"e": None}}),
        ("{a:2024-04-21T23:00:00Z,b:1}", {"a": "2024-04-21T23:00:00Z", "b": 1}),
        ("(a b 1)", ["a", "b", 1]),
        ("{{ aGVsbG8= }}", "aGVsbG8="),
        ("{a:b::c::1}", {"a": 1}),
    ],
)
def test_a_value_is_read(tmp_path: Path, text: str, value: object):
    assert read(tmp_path, text) == [value]


def test_rows_stand_on_lines_or_beside_each_other_with_comments_between(tmp_path: Path):
    text = '$ion_1_0\n{a:1} // first\n{"a":2}/* second */{a:\n3\n}\r\n  4 5\n'
    assert read(tmp_path, text) == [{"a": 1}, {"a": 2}, {"a": 3}, 4, 5]


def test_a_row_is_kept_as_it_was_written(tmp_path: Path):
    path = tmp_path / "rows.ion"
    path.write_text('{b: 1 , d:2024-04-21T}\n{"a":null}\n')
    assert [row.text for row in rows(path)] == ["{b: 1 , d:2024-04-21T}", '{"a":null}']


def test_values_longer_than_one_piece_are_read_whole(tmp_path: Path):
    long = "x" * 200_000
    assert read(tmp_path, f'{{a:"{long}"}}\n123456\n') == [{"a": long}, 123456]


def test_no_rows(tmp_path: Path):
    assert read(tmp_path, "") == []
    assert read(tmp_path, " \n// nothing\n") == []


@pytest.mark.parametrize(
    "text",
    ["{a:1", '"text', "[1,2", "{a}", "{a:}", "[1 2]", "{1:2}", "}", "a:1", "/* no end", "'''x", "{{ x", "1/2", "+"],
)
def test_what_is_no_ion_is_refused(tmp_path: Path, text: str):
    with pytest.raises(NotIon):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 1_000_000,
        "{a:" * 100_000,
        '"' + "\\" * 999_999,
        "1" * 500_000 + "x",
        "a::" * 200_000,
        "'''a'''" * 100_000 + "'",
        "/*" * 400_000,
        "{a:[" + "1," * 50_000,
        "9" * 10_000,
        '"' + "x" * (2 * LONGEST) + '"',
    ],
)
def test_a_bomb_does_not_go_off(tmp_path: Path, bomb: str):
    before = time.monotonic()
    with pytest.raises(ValueError):
        read(tmp_path, bomb)
    assert time.monotonic() - before < 10


def test_the_deepest_value_can_be_read(tmp_path: Path):
    deep = "[" * (DEPTH - 1) + "1" + "]" * (DEPTH - 1)
    assert len(read(tmp_path, deep)) == 1
    with pytest.raises(NotIon, match="nested deeper"):
        read(tmp_path, f"[[{deep}]]")


def test_values_are_written_as_ion(tmp_path: Path):
    value = {"a": None, "b c": [True, 1, 1.5, 2.0], "null": 'x"\n\x01é', "at": Timestamp("2024-04-21T23:00:00.000Z")}
    text = ion_text(value)
    assert text == "{a:null,'b c':[true,1,1.5e0,2e0],'null':\"x\\\"\\n\\x01é\",at:2024-04-21T23:00:00.000Z}"
    assert read(tmp_path, text) == [value]
