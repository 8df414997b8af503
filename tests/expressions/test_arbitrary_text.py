"""Whatever somebody writes, evaluation ends with a value or with an `ExpressionError`."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.expressions import Budget, ExpressionError, Unanswerable, literal_secrets, render, render_typed
from casemate.expressions.filters import FILTERS
from casemate.expressions.functions import FUNCTIONS
from casemate.expressions.predicates import PREDICATES

NOWHERE = Unanswerable(now=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
BUDGET = Budget(steps=20_000, characters=2_000_000)
VARIABLES = {
    "i": 5,
    "f": 2.5,
    "s": "abc",
    "n": None,
    "b": True,
    "l": [3, "x"],
    "m": {"k": {"x": 1}},
    "d": datetime(2024, 2, 29, tzinfo=UTC),
    "day": date(2024, 1, 31),
    "dur": timedelta(seconds=90),
    "nan": float("nan"),
    "huge": 10**30,
    "odd": "\ud800",
}

MARKS = """{{ }} {% %} {# #} #{ ' " ( ) [ ] { } | . .. ?? ? : , ~ - = \\ é 1 1.5 if endif for in set is not raw
verbatim endverbatim macro block"""
PIECES = st.sampled_from([*MARKS.split(), *VARIABLES, " ", "\n", "\x00", "{% raw %}", "{% endraw %}"])
LITERALS = [
    "0",
    "1",
    "-1",
    "1.5",
    "9223372036854775807",
    "'a'",
    "''",
    "true",
    "null",
    "[]",
    "{}",
    "[1, [2]]",
    "{'k': 'v'}",
]
TEXTS = [
    "'2024-01-01'",
    "'yyyy-MM'",
    "'%zz'",
    "'['",
    "'$1'",
    "'DAYS'",
    "'Europe/Paris'",
    "'fr'",
    "'{{ i }}'",
    "'#,##0.0'",
]
SYMBOLS = ["+", "-", "*", "/", "%", "~", "==", "!=", "<", ">=", "and", "or", "contains", "??", "???", ".."]


def _applied(names: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(names))


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        st.tuples(inner, st.sampled_from(SYMBOLS), inner).map(" ".join),
        st.tuples(inner, _applied(list(FILTERS)), arguments).map(lambda p: f"({p[0]}) | {p[1]}({p[2]})"),
        st.tuples(_applied(list(FUNCTIONS)), arguments).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, _applied(list(PREDICATES))).map(lambda p: f"({p[0]}) is {p[1]}"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]}) ? ({p[1]}) : ({p[2]})"),
        st.tuples(inner, inner).map(lambda p: f"{{{p[0]}: [{p[1]}]}}"),
    )


EXPRESSIONS = st.recursive(st.sampled_from([*VARIABLES, *LITERALS, *TEXTS]), _grown, max_leaves=8)


def ends_well(template: str) -> None:
    for evaluate in (render, render_typed):
        with suppress(ExpressionError):
            evaluate(template, VARIABLES, NOWHERE, budget=BUDGET)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_heap_of_marks_ends_with_a_value_or_an_expression_error(template):
    ends_well(template)
    literal_secrets(template)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80).map(lambda text: "{{ " + text + " }}"))
def test_any_text_between_braces_does(template):
    ends_well(template)


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS.map(lambda expression: "{{ " + expression + " }}"))
def test_any_expression_of_the_language_does(template):
    ends_well(template)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_any_tags_around_expressions_do(one, other):
    ends_well(f"{{% for x in {one} %}}{{% if {other} %}}{{{{ x }}}}{{% endif %}}{{% set i = {other} %}}{{% endfor %}}")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_text_without_tags_is_unchanged(text):
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        assert render(text, {}, NOWHERE) == text
