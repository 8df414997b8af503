"""Numbers: how they print, are read from text, and are formatted."""

import pytest

PRINTED = {
    "{{ 1.0 }}": "1.0",
    "{{ 1.50 }}": "1.5",
    "{{ 12345678.9 }}": "1.23456789E7",
    "{{ 0.0001 }}": "1.0E-4",
    "{{ 0.001 }}": "0.001",
    "{{ 100.0 * 100000 }}": "1.0E7",
    "{{ '1.1' | number }}": "1.1",
    "{{ '0.1' | number + 0.2 }}": "0.30000000149011613",
    "{{ '1.10' | number('BIGDECIMAL') }}": "1.10",
    "{{ '1e3' | number('BIGDECIMAL') }}": "1000",
}


@pytest.mark.parametrize(("template", "expected"), PRINTED.items(), ids=PRINTED)
def test_numbers_print_as_in_java(shown, template, expected):
    assert shown(template) == expected


READ = {
    ("12", ""): ("12", "Integer"),
    ("-2147483649", ""): ("-2147483649", "Long"),
    ("0x1f", ""): ("31", "Integer"),
    ("017", ""): ("15", "Integer"),
    ("12L", ""): ("12", "Long"),
    ("1.5", ""): ("1.5", "Float"),
    ("1.5d", ""): ("1.5", "Double"),
    ("123456789.5", ""): ("1.234567895E8", "Double"),
    ("1e2", ""): ("100.0", "Float"),
    ("7", "LONG"): ("7", "Long"),
    ("7", "DOUBLE"): ("7.0", "Double"),
    ("7", "FLOAT"): ("7.0", "Float"),
    ("7", "INT"): ("7", "Integer"),
}


@pytest.mark.parametrize(("text", "kind"), READ, ids=str)
def test_a_text_becomes_the_smallest_number_that_holds_it(shown, text, kind):
    printed, name = READ[text, kind]
    argument = f"('{kind}')" if kind else ""
    assert shown(f"{{{{ t | number{argument} }}}}", {"t": text}) == printed
    assert shown(f"{{{{ t | number{argument} | className }}}}", {"t": text}) == f"java.lang.{name}"


@pytest.mark.parametrize(("kind", "name"), [("BIGINTEGER", "BigInteger"), ("BIGDECIMAL", "BigDecimal")])
def test_a_text_becomes_a_number_without_bounds_where_one_is_asked_for(shown, kind, name):
    assert shown(f"{{{{ '12' | number('{kind}') }}}}") == "12"
    assert shown(f"{{{{ '12' | number('{kind}') | className }}}}") == f"java.math.{name}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ 'abc' | number }}", "abc is not a valid number."),
        ("{{ '' | number }}", "A blank string is not a valid number"),
        ("{{ '1.5' | number('INT') }}", 'For input string: "1.5"'),
        ("{{ '2147483648' | number('INT') }}", 'For input string: "2147483648"'),
        ("{{ 5 | number }}", "'number' filter can only be applied to String. Actual type was: java.lang.Long"),
        ("{{ 'x' | abs }}", "The 'abs' filter does require as input a number."),
        ("{{ null | abs }}", 'Can not pass null value to "abs" filter.'),
        ("{{ 'a' | numberFormat }}", "The input for the 'NumberFormat' filter has to be a number."),
        ("{{ 1 | numberFormat('0.0.0') }}", 'Multiple decimal separators in pattern "0.0.0"'),
    ],
)
def test_what_is_no_number_is_refused(refusal, template, message):
    assert message in refusal(template)


FORMATTED = {
    ("1234567.891", "#,##0.00"): "1,234,567.89",
    ("1234.5", None): "1,234.5",
    ("0.125", "0.00"): "0.12",
    ("0.375", "0.00"): "0.38",
    ("2.5", "0"): "2",
    ("3.5", "0"): "4",
    ("5", "000"): "005",
    ("0.5", "#.##"): "0.5",
    ("0.5", ".00"): ".50",
    ("0.256", "0.0%"): "25.6%",
    ("0.5", "0\u2030"): "500\u2030",
    ("-3", "0;(0)"): "(3)",
    ("-3", "#,##0.0"): "-3.0",
    ("1234", "0.###E0"): "1.234E3",
    ("0.00012", "##0.##E0"): "120E-6",
    ("9", "'#'0 'km'"): "#9 km",
    ("12", "$0.00"): "$12.00",
    ("1234567", "#,####"): "123,4567",
}


@pytest.mark.parametrize(("number", "pattern"), FORMATTED, ids=str)
def test_numbers_are_formatted_by_javas_patterns(shown, number, pattern):
    argument = f'("{pattern}")' if pattern else ""
    assert shown(f"{{{{ {number} | numberFormat{argument} }}}}") == FORMATTED[number, pattern]


CLASSES = {
    "{{ 1 }}": "java.lang.Long",
    "{{ given }}": "java.lang.Integer",
    "{{ (given + 1) }}": "java.lang.Long",
    "{{ big }}": "java.lang.Long",
    "{{ 1.5 }}": "java.lang.Double",
    "{{ 'a' }}": "java.lang.String",
    "{{ true }}": "java.lang.Boolean",
    "{{ [] }}": "java.util.ArrayList",
    "{{ {} }}": "java.util.HashMap",
    "{{ map }}": "java.util.LinkedHashMap",
}


@pytest.mark.parametrize(("template", "name"), CLASSES.items(), ids=CLASSES)
def test_values_tell_the_class_they_have_in_kestra(shown, template, name):
    variables = {"given": 1, "big": 2**40, "map": {}}
    assert shown(template.replace(" }}", " | className }}", 1), variables) == name
