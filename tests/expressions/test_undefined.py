"""Names that lead nowhere: who forgives them, and what is said by those who do not."""

import pytest

FORGIVEN = {
    "{{ gone ?? 'd' }}": "d",
    "{{ gone.a.b ?? 'd' }}": "d",
    "{{ known.a.b ?? 'd' }}": "d",
    "{{ nothing ?? 'd' }}": "d",
    "{{ nothing ??? 'd' }}": "",
    "{{ gone ??? 'd' }}": "d",
    "{{ gone | default('d') }}": "d",
    "{{ nothing | default('d') }}": "d",
    "{{ '  ' | default('d') }}": "d",
    "{{ [] | default('d') }}": "d",
    "{{ gone is defined }}": "false",
    "{{ known.a is not defined }}": "true",
    "{{ nothing is defined }}": "false",
    "{{ list[7] ?? 'd' }}": "d",
    "{{ list[-1] ?? 'd' }}": "d",
    "{{ (gone | upper) ?? 'd' }}": "d",
    "{{ false and gone }}": "false",
    "{{ true or gone }}": "true",
    "{{ true ? 'y' : gone }}": "y",
}


@pytest.mark.parametrize(("template", "expected"), FORGIVEN.items(), ids=FORGIVEN)
def test_some_operators_forgive_what_is_missing(shown, template, expected):
    assert shown(template, {"known": {}, "nothing": None, "list": [1]}) == expected


NAMED = {
    "{{ gone }}": "gone",
    "{{ gone.a }}": "gone",
    "{{ known.a }}": "a",
    "{{ known['a b'] }}": "a b",
    "{{ nothing.a }}": "nothing",
    "{{ known.inner.x }}": "x",
    "{{ text.x }}": "x",
    "{{ list[3] }}": "3",
    "{{ known[true] }}": "true",
    "{{ known[null] }}": "null",
    "{{ gone | upper }}": "gone",
    "{{ gone ~ 'x' }}": "gone",
    "{{ gone contains 'x' }}": "gone",
    "{{ gone is empty }}": "gone",
    "{{ gone is null }}": "gone",
    "{{ not gone }}": "gone",
    "{{ gone ? 1 : 2 }}": "gone",
    "{{ gone ?? also }}": "also",
    "{{ [gone] }}": "gone",
    "{{ max(1, gone) }}": "gone",
    "{% for i in gone %}{% endfor %}": "gone",
    "{% set x = gone %}": "gone",
}


@pytest.mark.parametrize(("template", "name"), NAMED.items(), ids=NAMED)
def test_a_missing_name_is_told_with_its_expression_and_line(refusal, template, name):
    variables = {"known": {"inner": {}}, "nothing": None, "text": "t", "list": [1]}
    assert refusal(template, variables) == f"Unable to find `{name}` used in the expression `{template}` at line 1"


WRAPPED = {
    "{{ gone == 1 }}": "Could not perform equals comparison",
    "{{ gone != 1 }}": "Could not perform not equals comparison",
    "{{ gone > 1 }}": "Could not perform greater than comparison",
    "{{ gone >= 1 }}": "Could not perform greater than or equals comparison",
    "{{ gone < 1 }}": "Could not perform less than comparison",
    "{{ gone <= 1 }}": "Could not perform less than or equals comparison",
    "{{ gone + 1 }}": "Could not perform addition",
    "{{ gone - 1 }}": "Could not perform subtraction",
    "{{ gone * 1 }}": "Could not perform multiplication",
    "{{ gone / 1 }}": "Could not perform division",
    "{{ gone % 1 }}": "Could not perform greater modulus",
    "{{ (gone == 1) ?? 'd' }}": "Could not perform equals comparison",
    "{% if gone %}{% endif %}": "Wrong operand(s) type in conditional expression",
    "{% if null %}{% endif %}": "Wrong operand(s) type in conditional expression",
    "{% if [] %}{% endif %}": "Wrong operand(s) type in conditional expression",
}


@pytest.mark.parametrize(("template", "message"), WRAPPED.items(), ids=WRAPPED)
def test_in_arithmetic_and_conditions_it_is_the_operation_that_fails(refusal, template, message):
    assert refusal(template) == f"io.pebbletemplates.pebble.error.PebbleException: {message} ({template}:1)"


UNKNOWN = {
    "{{ 1 | nofilter }}": "Filter [nofilter] does not exist.",
    "{{ 1 | escape }}": "Filter [escape] does not exist.",
    "{{ 1 | raw }}": "Filter [raw] does not exist.",
    "{{ nofunction() }}": "Function or Macro [nofunction] does not exist.",
    "{{ 1 is notest }}": "Test [notest] does not exist.",
    "{{ 'a' | slice(1, 2, 3) }}": "The argument at position 3 is not allowed. Only 2 argument(s) are allowed.",
    "{{ 'a' | slice(begin=1) }}": "The following named argument does not exist: begin",
    "{{ numbers[1] }}": "type class java.lang.String not supported for key 1",
}


@pytest.mark.parametrize(("template", "message"), UNKNOWN.items(), ids=UNKNOWN)
def test_unknown_words_are_told(refusal, template, message):
    assert message in refusal(template, {"numbers": {"one": 1}})
