"""Templates that want too much: every way to loop, grow or nest without end is stopped."""

import pytest

from casemate.expressions import Budget, BudgetExceeded, ExpressionError, render, render_typed

DOUBLED = "{% set x = 'ab' %}{% for i in 1..60 %}{% set x = x ~ x %}{% endfor %}"
SHARED = (
    "{% set x = ['a'] %}{% set y = ['a'] %}{% for i in 1..60 %}{% set x = [x, x] %}{% set y = [y, y] %}{% endfor %}"
)
DEEP = "{% set x = [] %}{% for i in 1..5000 %}{% set x = [x] %}{% endfor %}"

GREEDY = {
    "loops in loops": "{% for a in 1..900 %}{% for b in 1..900 %}{% for c in 1..900 %}" + "{% endfor %}" * 3,
    "a text doubled": DOUBLED,
    "a list doubled": "{% set x = [1] %}{% for i in 1..60 %}{% set x = x + x %}{% endfor %}",
    "a map held twice by the next": "{% set x = 1 %}{% for i in 1..60 %}{% set x = {1: x, 2: x} %}{% endfor %}{{ x }}",
    "a long range": "{{ 1..100000000000 }}",
    "a wide indent": "{{ 'a\n' | indent(100000000000) }}",
    "a replacement that grows": "{{ s | replace({'a': 'aaaaaaaaaa'}) }}",
    "shared values printed": SHARED + "{{ x }}",
    "shared values as text": SHARED + "{{ x ~ '' }}",
    "shared values as YAML": SHARED + "{{ x | yaml }}",
    "shared values as ION": SHARED + "{{ x | toIon }}",
    "shared values compared": SHARED + "{{ x == y }}",
    "shared values replaced in": SHARED + "{{ x | replace({'a': 'b'}) }}",
    "deep values printed": DEEP + "{{ x }}",
    "deep values compared": DEEP + "{{ x == [x] }}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a block that prints itself": "{% block b %}{{ block('b') }}{% endblock %}",
    "a text that renders itself": "{{ render(t) }}",
    "a pattern that looks ahead at every letter": "{{ s ~ s | replace({'(?s)a.*b|a': 'a'}, regexp=true) }}",
    "a pattern that splits and looks ahead": "{{ s | split('(?s)a.*b|a') }}",
    "a separator between many": "{{ range(1, 100000) | join(s) }}",
}


@pytest.mark.parametrize("template", GREEDY.values(), ids=GREEDY)
def test_a_greedy_template_is_stopped(nowhere, template):
    variables = {"t": "{{ render(t) }}", "s": "a" * 90_000}
    budget = Budget(steps=20_000, characters=500_000)
    with pytest.raises(BudgetExceeded):
        render(template, variables, nowhere, budget=budget)


def test_typed_values_cost_as_much(nowhere):
    with pytest.raises(BudgetExceeded, match="more than 20000 steps"):
        render_typed(SHARED + "{{ x }}", {}, nowhere, budget=Budget(steps=20_000))


def test_each_limit_names_itself(nowhere):
    with pytest.raises(BudgetExceeded, match=r"^The expression takes more than 10 steps$"):
        render("{% for i in 1..99 %}{{ i }}{% endfor %}", {}, nowhere, budget=Budget(steps=10))
    with pytest.raises(BudgetExceeded, match=r"^The expression handles more than 9 characters$"):
        render("{{ 'aaaaa' ~ 'bbbbb' }}", {}, nowhere, budget=Budget(characters=9))
    with pytest.raises(BudgetExceeded, match=r"^The rendered text is larger than 5 bytes$"):
        render("ééé{{ '' }}", {}, nowhere, budget=Budget(output=5))
    with pytest.raises(BudgetExceeded, match=r"^The expression takes longer than its deadline allows$"):
        render("{% for i in 1..5000 %}{% endfor %}", {}, nowhere, budget=Budget(expired=lambda: True))


def test_one_budget_covers_everything_that_one_call_renders(nowhere):
    texts = ["{{ 1 + 1 }}"] * 20
    with pytest.raises(BudgetExceeded):
        render(texts, {}, nowhere, budget=Budget(steps=30))
    assert render(texts, {}, nowhere, budget=Budget(steps=60)) == ["2"] * 20


TOO_DEEP = {
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "lists": "{{ " + "[" * 5000 + "]" * 5000 + " }}",
    "maps": "{{ " + "{'a':" * 5000 + "1" + "}" * 5000 + " }}",
    "negations": "{{ " + "not " * 5000 + "1 }}",
    "choices": "{{ " + "1 ? 1 : " * 5000 + "1 }}",
    "sums": "{{ " + "1 + " * 5000 + "1 }}",
    "attributes": "{{ a" + ".b" * 5000 + " }}",
    "filters": "{{ 1" + " | abs" * 5000 + " }}",
    "tags": "{% if true %}" * 5000 + "{% endif %}" * 5000,
}


@pytest.mark.parametrize("template", TOO_DEEP.values(), ids=TOO_DEEP)
def test_a_template_that_nests_too_deeply_is_refused(refusal, template):
    assert "ParserException: The " in refusal(template)


DEEP_TEXTS = {
    "JSON": ("{{ fromJson(t) }}", "[" * 100_000, "Invalid json"),
    "YAML": ("{{ yaml(t) }}", "[" * 10_000, "Invalid yaml"),
    "ION": ("{{ fromIon(t) }}", "[" * 100_000, "Invalid ion"),
}


@pytest.mark.parametrize(("template", "text", "message"), DEEP_TEXTS.values(), ids=DEEP_TEXTS)
def test_texts_that_nest_too_deeply_are_refused(refusal, template, text, message):
    assert message in refusal(template, {"t": text})


def test_ordinary_depth_is_fine_even_far_down_the_stack(nowhere):
    def far_down(levels: int, template: str) -> object:
        return render(template, {}, nowhere) if levels == 0 else far_down(levels - 1, template)

    assert far_down(150, "{{ " + "[" * 90 + "]" * 90 + " }}") == "[" * 90 + "]" * 90
    assert far_down(150, "{{ " + " ~ ".join(["1"] * 180) + " }}") == "1" * 180


def test_numbers_do_not_grow_without_end(shown):
    assert len(str(shown("{% set x = 7 %}{% for i in 1..1000 %}{% set x = x * x %}{% endfor %}{{ x }}"))) < 25


def test_thousands_of_raw_beginnings_without_an_end_are_quickly_refused(nowhere):
    with pytest.raises(ExpressionError):
        render("{% raw %}" * 20_000, {}, nowhere)


@pytest.mark.parametrize("call", ["replace({'(a|aa|b?){500}c': ''}, regexp=true)", "split('(a|aa|b?){500}c')"])
def test_a_pattern_too_large_for_the_text_is_refused_before_it_begins(nowhere, call):
    with pytest.raises(ExpressionError, match="it would take too long on a text of 90000 characters"):
        render("{{ s | " + call + " }}", {"s": "a" * 90_000}, nowhere)
