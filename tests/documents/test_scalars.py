"""The scalar table: what is written, and what an untyped place makes of it."""

import pytest

from casemate.documents import examine, plain, read

MEANINGS = {
    "true": True,
    "True": True,
    "YES": True,
    "on": True,
    "Off": False,
    "no": False,
    "y": "y",
    "N": "N",
    "null": None,
    "NULL": None,
    "~": None,
    "": "",
    "12": 12,
    "-12": -12,
    "+1": 1,
    "-0": 0,
    "1_000": 1000,
    "012": 10,
    "-012": -10,
    "0777": 511,
    "08": "08",
    "0o12": "0o12",
    "0x1F": 31,
    "0b11": 3,
    "123456789012345678901234567890": 123456789012345678901234567890,
    "1.50": 1.5,
    ".5": 0.5,
    "1.": 1.0,
    "1e3": 1000.0,
    "1E+3": 1000.0,
    "1_0.5": 10.5,
    "+1.5": 1.5,
    "1e": "1e",
    "-": "-",
    "1.2.3": "1.2.3",
    "2024-01-01": "2024-01-01",
    "2024-01-01T10:00:00Z": "2024-01-01T10:00:00Z",
    "1:30": "1:30",
    "12:30:45": "12:30:45",
    "'12'": "12",
    '"yes"': "yes",
    "!!str 12": "12",
    '!!int "12"': 12,
    '!!bool "yes"': True,
    "!foo bar": "bar",
    "&anchor x": "x",
    "*alias": "alias",
}


@pytest.mark.parametrize(
    ("written", "meant"), [(written, meant) for written, meant in MEANINGS.items() if written != "-"]
)
def test_a_scalar_means_what_kestra_reads(written, meant):
    value = plain(read(f"k: {written}\n").root)
    assert value == {"k": meant}
    assert type(value["k"]) is type(meant)


@pytest.mark.parametrize("written", [".inf", "-.INF", ".nan", "1e999", '!!int "x"', "9" * 1001])
def test_a_number_that_json_cannot_carry_is_refused(written):
    (problem,) = examine(f"k: {written}\n").problems
    assert problem.code == "yaml-scalar"
    assert (problem.path, problem.line, problem.column) == ("k", 1, 4)


def test_what_was_written_is_kept_beside_what_it_means():
    (entry,) = read("k: 1_000\n").root.entries
    assert (entry.value.text, entry.value.value) == ("1_000", 1000)


def test_keys_are_always_text():
    assert plain(read("yes: 1\n012: 2\n~: 3\n<<: 4\n").root) == {"yes": 1, "012": 2, "~": 3, "<<": 4}
