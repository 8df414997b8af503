"""Filters of text, of encodings, and what they refuse."""

import pytest

RESULTS = {
    "{{ 'straße' | upper }}": "STRASSE",
    "{{ 'ÀB' | lower }}": "àb",
    "{{ 5 | upper }}": "5",
    "{{ 'two words' | title }}": "Two Words",
    "{{ '  lead' | capitalize }}": "  Lead",
    "{{ ' \tx ' | trim }}": "x",
    "{{ 'a long text' | abbreviate(7) }}": "a lo...",
    "{{ 'short' | abbreviate(9) }}": "short",
    "{{ 'short' | abbreviate(2) }}": "sh",
    "{{ 'abcdef' | slice(2) }}": "cdef",
    "{{ 'abcdef' | slice(toIndex=2) }}": "ab",
    "{{ [1, 2, 3] | slice(1, 2) }}": "[2]",
    "{{ 'a1b22c' | split('[0-9]+') }}": '["a","b","c"]',
    "{{ 'a.b' | split('\\.') }}": '["a","b"]',
    "{{ 'a,b,,' | split(',') }}": '["a","b"]',
    "{{ 'a,b,c' | split(',', 2) }}": '["a","b,c"]',
    "{{ 'a,b,,' | split(',', -1) }}": '["a","b","",""]',
    "{{ 'abc' | split('') }}": '["a","b","c"]',
    "{{ '' | split(',') }}": '[""]',
    "{{ 'k=v=w' | substringBefore('=') }}": "k",
    "{{ 'k=v=w' | substringAfter('=') }}": "v=w",
    "{{ 'k=v=w' | substringBeforeLast('=') }}": "k=v",
    "{{ 'k=v=w' | substringAfterLast('=') }}": "w",
    "{{ 'kvw' | substringBefore('=') }}|{{ 'kvw' | substringAfterLast('=') }}": "kvw|",
    "{{ 'abc' | startsWith('ab') }}{{ 'abc' | endsWith('ab') }}": "truefalse",
    "{{ 'Ça va_bien -- ok!' | slugify }}": "ca-va-bien-ok",
    "{{ 'é&=?/ ~*' | urlencode }}": "%C3%A9%26%3D%3F%2F+%7E*",
    "{{ 'a%20b+c' | urldecode }}": "a b c",
    "{{ 'häh' | base64encode }}": "aMOkaA==",
    "{{ 'aMOkaA==' | base64decode }}": "häh",
    "{{ 'x' | md5 }}": "9dd4e461268c8034f5c8564e155c67a6",
    "{{ 'x' | sha1 }}": "11f6ad8ec52a2984abaafd7c3b516503785c2072",
    "{{ 'x' | sha256 }}": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    "{{ 'x' | sha512 | length }}": "128",
    "{{ \"don't\" | escapeChar('single') }}": "don\\'t",
    "{{ 'say \"x\"' | escapeChar('DOUBLE') }}": 'say \\"x\\"',
    "{{ \"don't\" | escapeChar('shell') }}": "don'\\''t",
    "{{ ['a\"', {'k': 'b\"'}] | escapeChar('double') | toJson }}": '["a\\\\\\"",{"k":"b\\\\\\""}]',
    "{{ 'a\nb' | indent(2) }}": "a\n  b",
    "{{ 'a\nb' | indent(1, '> ') }}": "a\n> b",
    "{{ 'a\nb' | nindent(2) }}": "\n  a\n  b",
    "{{ 'a.b.c' | replace({'.': '-'}) }}": "a-b-c",
    "{{ 'abc' | replace({'a': 'b', 'b': 'c'}) }}": "ccc",
    "{{ 'a1b2' | replace({'([a-z])([0-9])': '$2$1'}, regexp=true) }}": "1a2b",
    "{{ 'x' | replace({'(?<l>x)': '[${l}]'}, true) }}": "[x]",
    "{{ 'x' | replace({'x': '\\$1'}, true) }}": "$1",
    "{{ {'k': ['aa', 1]} | replace({'a': 'b', '1': '2'}) }}": '{"k":["bb","2"]}',
    "{{ null | upper }}{{ null | split(',') }}{{ null | indent(2) }}": "",
}


@pytest.mark.parametrize(("template", "expected"), RESULTS.items(), ids=RESULTS)
def test_text_filters_change_text_as_kestras_do(shown, template, expected):
    assert shown(template) == expected


REFUSED = {
    "{{ [1] | trim }}": "class java.util.ArrayList cannot be cast to class java.lang.String",
    "{{ 'a' | abbreviate(-1) }}": "Invalid argument to abbreviate filter; must be greater than zero",
    "{{ 'abc' | slice(-1) }}": "fromIndex must be greater than 0",
    "{{ 'abc' | slice(0, 9) }}": "toIndex must be smaller than input size: 3",
    "{{ 'abc' | slice(2, 1) }}": "toIndex must be greater than fromIndex",
    "{{ 'abc' | slice('x') }}": "Argument fromIndex must be a number. Actual type: java.lang.String",
    "{{ 5 | slice }}": "applied to String, List and array inputs. Actual type was: java.lang.Long",
    "{{ 'a' | split }}": "missing delimiter parameter in split filter",
    "{{ 'a' | substringAfter }}": "The 'substringAfter' filter expects an argument 'separator'.",
    "{{ 'a' | replace }}": "The argument 'replace_pairs' is required.",
    "{{ 'a' | escapeChar }}": "The 'escapeChar' filter expects an argument 'type'.",
    "{{ 'a' | escapeChar('html') }}": "to be either 'single', 'double', or 'shell'.",
    "{{ 'a' | indent }}": "The 'indent' filter expects an integer as argument 'amount'.",
    "{{ 'a' | nindent(-1) }}": "The 'nindent' filter expects a positive integer >=0 as argument 'amount'.",
    "{{ 5 | md5 }}": "Need a string to hash",
    "{{ '!!!' | base64decode }}": "Please provide a correctly Base64 encoded string containing an UTF-8 string",
    "{{ '%zz' | urldecode }}": "URLDecoder: Illegal hex characters in escape (%) pattern",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_unfit_values_and_arguments_are_refused(refusal, template, message):
    assert message in refusal(template)


def test_a_pattern_that_needs_backtracking_is_refused_with_its_reason(refusal):
    message = refusal("{{ 'a' | replace({'(?=a)': 'b'}, true) }}")
    assert "The regular expression '(?=a)' is refused: invalid perl operator: (?=" in message


def test_a_pattern_that_explodes_elsewhere_is_harmless(shown):
    assert shown("{{ s | replace({'^(a+)+$': 'x'}, true) | length }}", {"s": "a" * 5000 + "b"}) == "5001"


@pytest.mark.parametrize("replacement", ["$7", "${none}", "$", "\\"])
def test_a_reference_to_no_group_is_refused(refusal, replacement):
    template = "{{ 'a' | replace({'a': r}, true) }}"
    assert "PebbleException" in refusal(template, {"r": replacement})
