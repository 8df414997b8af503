"""How templates are written: operators and their order, literals, access, tags."""

import pytest

ORDER = {
    "a filter binds tighter than arithmetic": ("{{ 10 - '3' | length }}", "9"),
    "a filter binds looser than concatenation": ("{{ 'x' ~ 'y' | upper }}", "XY"),
    "a filter binds looser than a default": ("{{ gone ?? 'low' | upper }}", "LOW"),
    "concatenation comes before addition": ("{{ 3 + 4 ~ '!' }}", "34!"),
    "multiplication comes before addition": ("{{ 2 + 3 * 4 }}", "14"),
    "comparison comes after arithmetic": ("{{ 2 + 2 == 4 }}", "true"),
    "and comes before or": ("{{ true or false and false }}", "true"),
    "not takes the nearest operand": ("{{ not false and false }}", "false"),
    "minus takes the nearest operand": ("{{ -2 * 3 }}", "-6"),
    "equal operators group to the left": ("{{ 10 - 4 - 3 }}", "3"),
    "a choice within a choice belongs to the right": ("{{ false ? 1 : true ? 2 : 3 }}", "2"),
    "brackets come first": ("{{ (2 + 3) * 4 }}", "20"),
    "a range binds tighter than a filter": ("{{ 1..4 | length }}", "4"),
    "a test may be negated": ("{{ 4 is not odd }}", "true"),
}


@pytest.mark.parametrize(("template", "expected"), ORDER.values(), ids=ORDER)
def test_operators_bind_in_the_order_of_the_language(shown, template, expected):
    assert shown(template) == expected


LITERALS = {
    "a long": ("{{ 7L }}", "7"),
    "a decimal": ("{{ 0.50 }}", "0.5"),
    "booleans in capitals": ("{{ TRUE }}{{ FALSE }}", "truefalse"),
    "null by every name": ("[{{ null }}{{ NULL }}{{ none }}{{ NONE }}]", "[]"),
    "a quote may be escaped": (r"{{ 'it\'s' }}", "it's"),
    "other backslashes stay": (r"{{ 'a\nb' }}", r"a\nb"),
    "double quotes are interpolated": ('{{ "a#{1 + 1}b" }}', "a2b"),
    "single quotes are not": ("{{ 'a#{1}' }}", "a#{1}"),
    "a lone # is text": ('{{ "a # b" }}', "a # b"),
    "an interpolation may stand alone": ('{{ "#{6 * 7}" }}', "42"),
    "an empty text": ("[{{ '' }}{{ \"\" }}]", "[]"),
    "lists and maps nest": ("{{ [1, {'a': [2]}] }}", '[1,{"a":[2]}]'),
    "a map's key may be an expression": ("{{ {'a' ~ 'b': 1} }}", '{"ab":1}'),
}


@pytest.mark.parametrize(("template", "expected"), LITERALS.values(), ids=LITERALS)
def test_literals_mean_themselves(shown, template, expected):
    assert shown(template) == expected


VARIABLES = {
    "m": {"a": {"b": 1}, "x-y": 2, "null": 3, "if": 4},
    "l": ["p", "q"],
    "key": "a",
    "one": 1,
    "été": 7,
    "is_ready": 8,
}
ACCESS = {
    "a key": ("{{ m.a.b }}", "1"),
    "a name in letters of any alphabet": ("{{ été }}", "7"),
    "a name that begins like an operator": ("{{ is_ready }}", "8"),
    "a key in brackets": ("{{ m['x-y'] }}", "2"),
    "a computed key": ("{{ m[key].b }}", "1"),
    "a key named like a constant": ("{{ m.null }}", "3"),
    "a key named like a tag": ("{{ m.if }}", "4"),
    "an index": ("{{ l[1] }}", "q"),
    "an index written as text": ("{{ l['0'] }}", "p"),
    "a computed index": ("{{ l[one - 1] }}", "p"),
    "in a bracketed literal": ("{{ ({'a': 5}).a }}", "5"),
    "in a function's result": ("{{ fromJson('{\"a\": 6}').a }}", "6"),
    "a member that lists have": ("{{ l.size }}", "2"),
    "a member called like a method": ("{{ key.toUpperCase() }}", "A"),
}


@pytest.mark.parametrize(("template", "expected"), ACCESS.values(), ids=ACCESS)
def test_values_are_reached_by_key_and_index(shown, template, expected):
    assert shown(template, VARIABLES) == expected


TAGS = {
    "if": ("{% if x > 1 %}many{% elseif x == 1 %}one{% else %}none{% endif %}", "one"),
    "if without else": ("a{% if x == 9 %}b{% endif %}c", "ac"),
    "for": ("{% for i in [3, 4] %}{{ loop.index }}:{{ i }} {% endfor %}", "0:3 1:4 "),
    "for over a map": ("{% for e in m %}{{ e.key }}={{ e.value }};{% endfor %}", "k=v;"),
    "for over nothing": ("{% for i in [] %}x{% else %}empty{% endfor %}", "empty"),
    "for over null": ("{% for i in null %}x{% else %}empty{% endfor %}", ""),
    "the loop knows its place": (
        "{% for i in 1..3 %}{{ loop.first }} {{ loop.last }} {{ loop.revindex }}/{{ loop.length }};{% endfor %}",
        "true false 2/3;false false 1/3;false true 0/3;",
    ),
    "set": ("{% set y = x + 1 %}{{ y }}", "2"),
    "set changes what exists": ("{% set y = 0 %}{% for i in 1..3 %}{% set y = y + i %}{% endfor %}{{ y }}", "6"),
    "set in a loop stays there": ("{% for i in 1..3 %}{% set y = i %}{% endfor %}{{ y ?? 'gone' }}", "gone"),
    "set hides a given variable": ("{% set x = 5 %}{{ x }}", "5"),
    "block": ("{% block b %}B{% endblock %}{{ block('b') }}", "BB"),
    "macro": (
        "{% macro hi(who, mark='!') %}Hi {{ who }}{{ mark }}{% endmacro %}{{ hi('Ann') }}{{ hi('Bo', mark='?') }}",
        "Hi Ann!Hi Bo?",
    ),
    "a macro sees nothing from outside": ("{% macro m() %}{{ x ?? 'nothing' }}{% endmacro %}{{ m() }}", "nothing"),
    "a macro may be called before it stands": ("{{ m() }}{% macro m() %}late{% endmacro %}", "late"),
    "filter": ("{% filter upper | replace({'A': 'o'}) %}abc{% endfilter %}", "oBC"),
    "verbatim": ("{% verbatim %}{{ x }}{% endverbatim %}", "{{ x }}"),
    "comment": ("a{# {{ gone }} #}b", "ab"),
    "blanks trimmed around print": ("a  {{- x -}}  b".replace("{{-", "{{- "), "a1b"),
    "blanks trimmed around a tag": ("a \n{%- if true -%}\n b{% endif %}", "ab"),
    "line breaks after tags stay": ("a\n{% if true %}\nb\n{% endif %}\n", "a\n\nb\n\n"),
}


@pytest.mark.parametrize(("template", "expected"), TAGS.values(), ids=TAGS)
def test_tags_do_what_they_say(shown, template, expected):
    assert shown(template, {"x": 1, "m": {"k": "v"}}) == expected


def test_text_without_a_brace_is_returned_at_once(shown):
    assert shown("no expression at all }} %}") == "no expression at all }} %}"


def test_a_brace_alone_is_text(shown):
    assert shown("{ a: { } }") == "{ a: { } }"


MALFORMED = {
    "{{ 'open }}": "Unexpected character [']",
    "{{ a | }}": 'Unexpected token of value "}}" and type PRINT_END, expected token of type NAME',
    "{{ a b }}": 'Unexpected token of value "b" and type NAME, expected token of type PRINT_END',
    "{{ }}": 'Unexpected token "PRINT_END" of value "}}"',
    "{{": 'Unexpected token "EOF" of value "null"',
    "{{ (1 }}": 'Unclosed ")"',
    "{{ 1) }}": 'Unexpected ")"',
    "{{ [1, ] }}": 'Unexpected token "PUNCTUATION" of value "]"',
    "{{ a.is }}": 'Unexpected token of value "is" and type OPERATOR, expected token of type NAME',
    "{{ f(a=1, 2) }}": "Positional arguments must be declared before any named arguments.",
    "{{ 99999999999999999999 }}": 'For input string: "99999999999999999999"',
    "{% if true %}": 'Unexpected end of template. Pebble was looking for the "endif" tag',
    "{% for a of b %}": 'Unexpected token of value "of" and type NAME, expected token of type NAME',
    "{% nonsense %}": 'Unexpected tag name "nonsense"',
    "{% include 'x' %}": 'Unexpected tag name "include"',
    "{% 1 %}": "A block must start with a tag name.",
    "{% set null = 1 %}": "Can not assign a value to null",
    "{# open": "Unclosed comment.",
    "{% verbatim %}": "Unclosed verbatim tag.",
    "{% block b %}": "endblock tag should be present with block tag starting line number ",
    "{% macro a() %}{% endmacro %}{% macro a() %}{% endmacro %}": "More than one macro can not share the same name: a",
}


@pytest.mark.parametrize(("template", "message"), MALFORMED.items(), ids=MALFORMED)
def test_what_is_not_of_the_language_is_refused_in_kestras_words(refusal, template, message):
    assert refusal(template) == f"io.pebbletemplates.pebble.error.ParserException: {message} ({template}:1)"


def test_an_error_names_its_line(refusal):
    assert refusal("first\nsecond {{ 1 2 }}").endswith(":2)")
    assert refusal("first\n{{ 'a' }}\n{{ gone }}").endswith("at line 3")
