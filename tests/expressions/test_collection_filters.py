"""Filters of lists and maps."""

import pytest

RESULTS = {
    "{{ [3, 1] | first }}{{ [3, 1] | last }}{{ 'xyz' | first }}{{ 'xyz' | last }}": "31xz",
    "[{{ [] | first }}]": "[]",
    "{{ 'abc' | length }}{{ [1, 2] | length }}{{ {'a': 1} | length }}{{ null | length }}{{ 5 | length }}": "32100",
    "{{ [1, true, 'a', null] | join('-') }}": "1-true-a-null",
    "{{ ['b', 'a'] | sort }}{{ [1, 3, 2] | rsort }}": '["a","b"][3,2,1]',
    "{{ [1, 2.5, -1] | sort }}": "[-1,1,2.5]",
    "{{ [1, 2] | reverse }}": "[2,1]",
    "{{ [1] | merge([2]) }}{{ {'a': 1} | merge({'a': 2, 'b': 3}) }}": '[1,2]{"a":2,"b":3}',
    "{{ {'a': 1} | merge(['z']) }}{{ [1] | merge({'k': 2}) }}": '{"a":1,"z":"z"}[1,{"k":2}]',
    "{{ null | merge([1]) }}{{ [1] | merge(null) }}": "[1][1]",
    "{{ [1, 2, 3] | chunk(2) }}": "[[1,2],[3]]",
    "{{ [1, [2, [3]]] | flatten }}": "[1,2,[3]]",
    "{{ {'a': 1, 'b': 2} | keys }}{{ ['x', 'y'] | keys }}{{ {'a': 1} | values }}": '["a","b"][0,1][1]',
    "{{ false | default('d') }}{{ 0 | default('d') }}{{ '' | default('d') }}": "false0d",
    "{{ max(2, 5, 3) }}{{ min(2, 5.5, null) }}": "52",
    "{{ range(1, 9, 3) }}{{ range(3, 1, -1) }}{{ range('a', 'e', 2) }}": '[1,4,7][3,2,1]["a","c","e"]',
}


@pytest.mark.parametrize(("template", "expected"), RESULTS.items(), ids=RESULTS)
def test_collection_filters_do_as_kestras_do(shown, template, expected):
    assert shown(template) == expected


REFUSED = {
    "{{ '' | first }}": "Index 0 out of bounds for length 0",
    "{{ {} | first }}": "cannot be cast to class java.util.Collection",
    "{{ 5 | join }}": "The 'join' filter expects that the input is either a collection or an array.",
    "{{ 'a' | sort }}": "Unsupported input type for sort filter",
    "{{ [1, 'a'] | sort }}": "class java.lang.String cannot be cast to class java.lang.Long",
    "{{ [{}] | sort }}": "cannot be cast to class java.lang.Comparable",
    "{{ 5 | merge([1]) }}": "The object being filtered is not a Map/List/Array",
    "{{ null | merge(null) }}": "The two arguments to be merged are null",
    "{{ 5 | chunk(2) }}": "'chunk' filter can only be applied to List. Actual type was: java.lang.Long",
    "{{ [1] | chunk }}": "'chunk' filter expects an argument 'size'.",
    "{{ 5 | flatten }}": "The 'flatten' filter can only be applied to lists.",
    "{{ 5 | keys }}": "'keys' filter can only be applied to List, Map, Array. Actual type was: java.lang.Long",
    "{{ [] | values }}": "'values' filter can only be applied to Map. Actual type was: java.util.ArrayList",
    "{{ max('a', 'b') }}": "invalid operands for mathematical comparison",
    "{{ range(1, 5, 0) }}": "The increment of the range function must be different than 0",
    "{{ range('ab', 'c') }}": "Arguments of range function must be of type Number or String with a length of 1",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_unfit_values_are_refused(refusal, template, message):
    assert message in refusal(template)


def test_filters_leave_the_given_lists_as_they_are(shown):
    given = {"l": [3, 1, 2]}
    assert shown("{{ l | sort }}{{ l | reverse }}{{ l }}", given) == "[1,2,3][2,1,3][3,1,2]"
