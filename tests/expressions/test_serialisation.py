"""Values as JSON, YAML and ION, and back."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

JSON = {
    "nulls of maps are dropped, those of lists kept": ({"a": None, "b": [None]}, '{"b":[null]}'),
    "keys keep their order": ({"z": 1, "a": 2}, '{"z":1,"a":2}'),
    "other alphabets stay": ({"é": "日本"}, '{"é":"日本"}'),
    "control characters are escaped": (['a"\n'], '["a\\"\\n"]'),
    "decimals as Java prints them": ([1.0, 1e-5, Decimal("1.10")], "[1.0,1.0E-5,1.10]"),
    "what JSON has no number for is a text": ([float("nan"), float("inf")], '["NaN","Infinity"]'),
    "sets are lists": ([{"x"}], '[["x"]]'),
}


@pytest.mark.parametrize(("value", "expected"), JSON.values(), ids=JSON)
def test_values_print_as_compact_json(shown, value, expected):
    assert shown("{{ v }}", {"v": value}) == expected
    assert shown("{{ v | toJson }}", {"v": value}) == expected


def test_a_scalar_in_json_is_quoted_only_if_it_is_text(shown):
    assert shown("{{ 'a' | json }}{{ 1 | json }}{{ true | json }}{{ null | json }}") == '"a"1truenull'


YAML = {
    "a list": (["a", 1], " - a\n - 1\n"),
    "a map": ({"a": 1, "b": [1]}, "a: 1\nb:\n - 1\n"),
    "maps in lists": ([{"a": 1, "b": {"c": 2}}], " -\n  a: 1\n  b:\n    c: 2\n"),
    "lists in lists": ([[1], []], " -\n   - 1\n - []\n"),
    "a number as text": ("1", "1\n"),
    "reserved words": ({"a": "yes", "no": "~"}, 'a: "yes"\n"no": "~"\n'),
    "marks of YAML": ({"a": "x: y", "b": "- x", "c": "#x"}, 'a: "x: y"\nb: \'- x\'\nc: "#x"\n'),
    "keys that look like numbers": ({"1": 1}, '"1": 1\n'),
    "several lines": ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
    "several lines without an end": (["x\ny"], " - |-\n  x\n  y\n"),
    "blanks at the end of a line": ("x \ny", '"x \\ny"\n'),
    "a tab": ("x\ty", '"x\\ty"\n'),
    "nothing": ("", '--- ""\n'),
    "null": ({"a": None}, "a: null\n"),
}


@pytest.mark.parametrize(("value", "expected"), YAML.values(), ids=YAML)
def test_values_are_written_as_yaml_with_few_quotes(shown, value, expected):
    assert shown("{{ v | yaml }}", {"v": value}) == expected


ION = {
    "a map with nulls": ({"a": None, "b c": [1]}, "{a:null,'b c':[1]}"),
    "words of ION": ({"null": 1, "nan": 2}, "{'null':1,'nan':2}"),
    "decimals": ([1.0, 1.5, 1e-7], "[1e0,1.5e0,1.0E-7]"),
    "texts": (['a"b\x01\n'], '["a\\"b\\x01\\n"]'),
    "instants": (datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00.000Z"),
    "days": (date(2024, 1, 2), "2024-01-02"),
    "dates in a zone": (
        datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        'ZonedDateTime::"2024-01-02T03:00:00+01:00"',
    ),
    "durations": (timedelta(seconds=1.5), "1.500000000"),
}


@pytest.mark.parametrize(("value", "expected"), ION.values(), ids=ION)
def test_values_are_written_as_ion(shown, value, expected):
    assert shown("{{ v | toIon }}", {"v": value}) == expected


READ = {
    "{{ fromJson('{\"a\": [1, null]}') }}": '{"a":[1,null]}',
    "{{ fromJson('1 and more') }}": "1",
    "{{ json('\"x\"') }}": "x",
    "[{{ fromJson(null) }}]": "[]",
    "{{ yaml('a: 012\nb: yes\nc: 1_000\nd: 2024-01-01\ne:\nf: \"1\"\ng: 0x1F') }}": (
        '{"a":10,"b":true,"c":1000,"d":"2024-01-01","f":"1","g":31}'
    ),
    "{{ yaml('a: &x [1]\nb: *x') }}": '{"a":[1],"b":"x"}',
    "{{ yaml('- 1.5\n- .5\n- \"a\"\n- !!str 5') }}": '[1.5,0.5,"a","5"]',
    "{{ fromIon('{a: 1, b: 2.50, c: sym, d: [null, true], e: \"t\"} 2') }}": (
        '{"a":1,"b":2.50,"c":"sym","d":[null,true],"e":"t"}'
    ),
    "{{ fromIon('2024-01-01T10:00:00Z') }} {{ fromIon('2024-01-01') }}": "2024-01-01T10:00:00Z 2024-01-01",
}


@pytest.mark.parametrize(("template", "expected"), READ.items(), ids=READ)
def test_texts_are_read_to_values(shown, template, expected):
    assert shown(template) == expected


REFUSED = {
    "{{ fromJson() }}": "The 'fromJson' function expects an argument 'json'.",
    "{{ fromJson(1) }}": "The 'fromJson' function expects an argument 'json' with type string.",
    "{{ fromJson('{') }}": "Invalid json: ",
    "{{ fromJson('[NaN]') }}": "Invalid json: ",
    "{{ yaml() }}": "The 'yaml' function expects an argument 'yaml'.",
    "{{ yaml('[') }}": "Invalid yaml: ",
    "{{ yaml('') }}": "Invalid yaml: No content to map due to end-of-input",
    "{{ yaml('a: .inf') }}": "Invalid yaml: Malformed numeric value '.inf'",
    "{{ yaml('? [a]\n: 1') }}": "Invalid yaml: ",
    "{{ fromIon(5) }}": "The 'fromIon' function expects an argument 'ion' with type string.",
    "{{ fromIon('{') }}": "Invalid ion: ",
    "{{ {null: 1} }}": "Null key for a Map not allowed in JSON",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_texts_that_say_nothing_are_refused(refusal, template, message):
    assert message in refusal(template)
