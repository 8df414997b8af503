"""Whole renderings: maps and lists, templates in templates, raw blocks, typed values, truth."""

from collections.abc import Mapping

import pytest

from casemate.expressions import ExpressionError, literal_secrets, printed, render, render_typed, slug, truthy


def test_maps_and_lists_are_rendered_deeply_and_keys_too(shown):
    template = {"{{ k }}": ["{{ v }}", 1, {"deep": "{{ v }}"}], "plain": None}
    assert shown(template, {"k": "key", "v": "x"}) == {"key": ["x", 1, {"deep": "x"}], "plain": None}


def test_of_two_keys_that_render_alike_the_first_wins(shown):
    assert shown({"{{ 'a' }}": 1, "a": 2}) == {"a": 1}


def test_a_variable_set_in_one_text_is_unknown_in_the_next(shown):
    assert shown(["{% set x = 1 %}{{ x }}", "{{ x ?? 'gone' }}"]) == ["1", "gone"]


def test_rendered_values_are_not_rendered_again(shown):
    assert shown("{{ a }}", {"a": "{{ b }}"}) == "{{ b }}"


CHAIN = {"a": "{{ b }}", "b": "{{ c }}", "c": "end", "map": {"{{ c }}": ["{{ a }}"]}, "set": {"{{ c }}"}, "n": 5}
WITHIN = {
    "{{ render(a) }}": "end",
    "{{ render(a, recursive=false) }}": "{{ c }}",
    "{{ renderOnce(a) }}": "{{ c }}",
    "{{ render(map) }}": '{"end":["end"]}',
    "{{ render(set) }}": '["end"]',
    "{{ render(n) }}": "5",
    "{% set c = 'mine' %}{{ render(a) }}": "mine",
    "{{ render('{% set c = 1 %}') }}{{ c }}": "end",
}


@pytest.mark.parametrize(("template", "expected"), WITHIN.items(), ids=WITHIN)
def test_templates_may_render_templates(shown, template, expected):
    assert shown(template, CHAIN) == expected


def test_recursive_rendering_goes_on_until_nothing_changes(shown):
    assert shown("{{ a }}", CHAIN, recursive=True) == "end"
    assert shown({"{{ a }}": "{{ map }}"}, CHAIN, recursive=True) == {"end": '{"end":["end"]}'}


def test_with_recursive_rendering_there_is_no_render_function(refusal):
    for name in ("render", "renderOnce"):
        assert f"Function or Macro [{name}] does not exist" in refusal(f"{{{{ {name}('x') }}}}", recursive=True)


def test_rendering_without_an_end_stops(refusal):
    circle = {"a": "{{ b }}", "b": "{{ a }}"}
    assert "Too many rendering attempts" in refusal("{{ render(a) }}", circle)
    assert "Too many rendering attempts" in refusal("{{ a }}", circle, recursive=True)


def test_an_error_in_a_rendered_text_names_that_text(refusal):
    assert "Unable to find `gone` used in the expression `{{ gone }}` at line 1" in refusal(
        "{{ render('{{ gone }}') }}"
    )


RAW = {
    "{% raw %}{{ x }}{% endraw %}": "{{ x }}",
    "{%- raw -%} {{ x }} {%- endraw -%}": " {{ x }} ",
    "{{ 'a' }}{% raw %}{% if %}{% endraw %}{{ 'b' }}": "a{% if %}b",
    "{% raw %}\n{{ x }}\n{% endraw %}": "\n{{ x }}\n",
    "{{ v }}": "{{ y }}",
    "{{ render(v) }}": "{{ y }}",
    "the raw truth {{ 1 }}": "the raw truth 1",
}


@pytest.mark.parametrize(("template", "expected"), RAW.items(), ids=RAW)
def test_raw_blocks_are_never_rendered(shown, template, expected):
    assert shown(template, {"v": "{% raw %}{{ y }}{% endraw %}"}) == expected


def test_an_error_beside_a_raw_block_shows_the_template_as_written(refusal):
    template = "{% raw %}{{ x }}{% endraw %}{{ gone }}"
    assert f"used in the expression `{template}`" in refusal(template)


class Lazy(Mapping):
    """Variables that exist only when asked for by name."""

    def __getitem__(self, name):
        if name != "known":
            raise KeyError(name)
        return "value"

    def __iter__(self):
        raise AssertionError("nobody may list them")

    def __len__(self):
        raise AssertionError("nobody may count them")


def test_variables_are_only_asked_for_by_name(shown, refusal):
    assert shown("{{ known }}{% set other = 1 %}{{ other }}{{ gone ?? 'd' }}", Lazy()) == "value1d"
    assert "Unable to find `gone`" in refusal("{{ gone }}", Lazy())


def test_an_error_while_a_variable_is_made_is_the_errors_own(nowhere):
    class Broken(Lazy):
        def __getitem__(self, name):
            raise ExpressionError("the key is gone")

    with pytest.raises(ExpressionError, match="the key is gone"):
        render("{{ x ?? 'd' }}", Broken(), nowhere)


TYPED = {
    "{{ 1 + 1 }}": 2,
    "{{ 1.5 }}": 1.5,
    "{{ true }}": True,
    "{{ null }}": None,
    "{{ [1, {'a': 2}] }}": [1, {"a": 2}],
    "{{ x }}": "v",
    "{{ x }} tail": "v tail",
    "{{ x }}\n": "v\n",
    "just text": "just text",
    "{% if true %}{{ 5 }}{% endif %}": 5,
    "{% set y = 5 %}{{ y }}": 5,
}


@pytest.mark.parametrize(("template", "expected"), TYPED.items(), ids=TYPED)
def test_one_expression_keeps_its_type(nowhere, template, expected):
    value = render_typed(template, {"x": "v"}, nowhere)
    assert value == expected
    assert type(value) is type(expected)


UNTYPED = {
    "a{{ 1 }}": "Tried to add java.lang.Long to java.lang.String",
    "{{ 1 }}{{ 2 }}": "Tried to add java.lang.Long to java.lang.Long",
    "{{ 'a' }}{{ 'b' }}": "Tried to add java.lang.String to java.lang.String",
    "{{ true }} ": "Tried to add java.lang.String to java.lang.Boolean",
}


@pytest.mark.parametrize(("template", "message"), UNTYPED.items(), ids=UNTYPED)
def test_more_than_one_value_has_no_type(nowhere, template, message):
    with pytest.raises(ExpressionError, match=message):
        render_typed(template, {}, nowhere)


def test_a_typed_value_is_made_of_pythons_own_types(nowhere):
    value = render_typed("{{ {'a': [1, 2 + 3, ('1.5' | number)]} }}", {}, nowhere)
    assert value == {"a": [1, 5, 1.5]}
    assert type(value) is dict
    assert [type(item) for item in value["a"]] == [int, int, float]


@pytest.mark.parametrize("value", ["", "false", "0", "-0", None, False])
def test_nothing_false_and_zero_are_not_true(value):
    assert truthy(value) is False


@pytest.mark.parametrize("value", [" ", "0.0", "null", "no", "False", "true", True, "{}"])
def test_every_other_text_is_true(value):
    assert truthy(value) is True


def test_printed_is_how_a_value_shows():
    assert printed(None) == ""
    assert printed(True) == "true"
    assert printed({"a": None, "b": 1.0}) == '{"b":1.0}'
    assert printed("text") == "text"


def test_secrets_named_in_a_template_are_known_before_it_is_rendered():
    template = {
        "env": {"A": "{{ secret('ONE') }}", "B": ["{{ secret(key='TWO') | upper }}"]},
        "later": "{{ render('{{ secret(\"THREE\") }}') }}",
        "computed": "{{ secret('x' ~ 'y') }}{{ secret(name) }}",
        "{{ secret('FOUR') }}": "no template: secret('FIVE')",
        "broken": "{{ secret('SIX') ",
        "number": 7,
    }
    assert literal_secrets(template) == {"ONE", "TWO", "THREE", "FOUR"}


def test_slugs_are_fit_for_paths():
    assert slug("  My_Flow  (é)") == "my-flow-e"
