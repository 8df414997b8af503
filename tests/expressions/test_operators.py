"""What operators do with their operands, Java's rules of numbers included."""

from datetime import UTC, datetime

import pytest

RESULTS = {
    "{{ 7 / 2 }}": "3",
    "{{ -7 / 2 }}": "-3",
    "{{ -7 % 3 }}": "-1",
    "{{ 7 / 2.0 }}": "3.5",
    "{{ 1.0 / 0 }}": "Infinity",
    "{{ 0.0 / 0 }}": "NaN",
    "{{ 5.5 % 2 }}": "1.5",
    "{{ 0.1 + 0.2 }}": "0.30000000000000004",
    "{{ 9223372036854775807 + 1 }}": "-9223372036854775808",
    "{{ 'a' + 1 }}": "a1",
    "{{ 1 + 'a' }}": "1a",
    "{{ 'a' + null }}": "anull",
    "{{ 'a' ~ null }}": "a",
    "{{ 'l:' ~ [1, 'b'] }}": "l:[1, b]",
    "{{ 'm:' ~ {'k': 1.0} }}": "m:{k=1.0}",
    "{{ [1] + 2 }}": "[1,2]",
    "{{ [1] + [2, 3] }}": "[1,2,3]",
    "{{ [1, 2, 3] - 2 }}": "[1,3]",
    "{{ [1, 2, 3] - [1, 3] }}": "[2]",
    "{{ 1 == 1.0 }}": "true",
    "{{ 1 == '1' }}": "false",
    "{{ true == 1 }}": "false",
    "{{ true equals true }}": "true",
    "{{ null == null }}": "true",
    "{{ [1, {'a': 2}] == [1, {'a': 2}] }}": "true",
    "{{ {'a': 1} == {'a': 1, 'b': 2} }}": "false",
    "{{ [true] == [1] }}": "false",
    "{{ null < 1 }}": "false",
    "{{ 2 >= 2.0 }}": "true",
    "{{ 'a' and 1 }}": "true",
    "{{ 'false' and true }}": "true",
    "{{ 0 or '' }}": "false",
    "{{ not 0 }}": "true",
    "{{ not 'x' }}": "false",
    "{{ [1, 2] contains 2 }}": "true",
    "{{ [1, 2] contains [2, 1] }}": "true",
    "{{ [1, 2] contains [2, 3] }}": "false",
    "{{ {'a': 1} contains 'a' }}": "true",
    "{{ 'abc' contains 'bc' }}": "true",
    "{{ null contains 1 }}": "false",
    "{{ 1..4 }}": "[1,2,3,4]",
    "{{ 4..1 }}": "[]",
    "{{ 'a'..'c' }}": '["a","b","c"]',
    "{{ 0 ? 'y' : 'n' }}": "n",
    "{{ null ? 'y' : 'n' }}": "n",
    "{{ +5 - -5 }}": "10",
}


@pytest.mark.parametrize(("template", "expected"), RESULTS.items(), ids=RESULTS)
def test_operators_compute_as_in_java(shown, template, expected):
    assert shown(template) == expected


REFUSED = {
    "{{ 1 / 0 }}": "Could not perform division",
    "{{ null + 1 }}": "Could not perform addition",
    "{{ 'a' > 'b' }}": "Could not perform greater than comparison",
    "{{ 'a' - 1 }}": "Could not perform subtraction",
    "{{ -'a' }}": "invalid operands for mathematical operation [MULTIPLICATION]",
    "{{ null and true }}": "null value used in and operator and strict variables is set to true",
    "{{ false or null }}": "null value used in or operator and strict variables is set to true",
    "{{ not null }}": "null value given to not() and strict variables is set to true",
    "{{ not [] }}": 'Unsupported value type ArrayList. Expected Boolean, String, Number in "if" statement',
    "{{ [] and true }}": "class java.util.ArrayList cannot be cast to class java.lang.Boolean",
    "{{ 5 contains 5 }}": "on Collections, Maps and arrays. Actual type was: java.lang.Long",
    "{% for i in 5 %}{% endfor %}": "Not an iterable object. Value = [5]",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_operands_that_do_not_fit_are_refused(refusal, template, message):
    assert message in refusal(template)


def test_an_added_list_leaves_the_first_as_it_was(shown):
    variables = {"l": [1]}
    assert shown("{{ l + 2 }}{{ l }}", variables) == "[1,2][1]"
    assert variables == {"l": [1]}


TESTS = {
    "{{ '' is empty }}": "true",
    "{{ ' \t' is empty }}": "true",
    "{{ {} is empty }}": "true",
    "{{ 0 is empty }}": "false",
    "{{ null is null }}": "true",
    "{{ 4 is even }}": "true",
    "{{ -3 is odd }}": "true",
    "{{ [] is iterable }}": "true",
    "{{ {} is iterable }}": "false",
    "{{ 'a' is iterable }}": "false",
    "{{ {} is map }}": "true",
    "{{ '{\"a\": 1}' is json }}": "true",
    "{{ '{\"a\"' is json }}": "false",
    "{{ '5 apples' is json }}": "true",
    "{{ '' is json }}": "true",
}


@pytest.mark.parametrize(("template", "expected"), TESTS.items(), ids=TESTS)
def test_tests_tell_what_a_value_is(shown, template, expected):
    assert shown(template) == expected


def test_dates_are_equal_only_to_the_same_kind_and_moment(shown):
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    assert shown("{{ a == b }}{{ a == c }}", {"a": moment, "b": moment, "c": "2024-01-01T00:00:00Z"}) == "truefalse"
