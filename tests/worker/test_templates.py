"""What is rendered on the spot: only what no template is in, and no more than takes no time."""

import pytest

from casemate.worker.templates import are_plain


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("just words", None, 3, 1.5, True),
        ({"commands": ["echo one", "echo two"], "env": {"NAME": "value"}},),
        ({"deep": [{"deeper": ({"deepest": "words"},)}]},),
    ],
)
def test_few_values_without_a_template_are_plain(values):
    assert are_plain(*values)


@pytest.mark.parametrize(
    "values",
    [
        ("{{ inputs.name }}",),
        ("words", "{% if true %}{% endif %}"),
        ({"{{ inputs.name }}": "the key is one"},),
        ({"deep": [{"deeper": ({"deepest": "{{ now() }}"},)}]},),
        ({"set": {"{{ now() }}"}},),
    ],
)
def test_a_template_is_found_wherever_it_is(values):
    assert not are_plain(*values)


@pytest.mark.parametrize(
    "values",
    [
        (["words"] * 1000,),
        ({str(number): "words" for number in range(1000)},),
        ([["words"] * 60] * 60,),
    ],
    ids=["list", "map", "lists in a list"],
)
def test_many_values_are_not_gone_through(values):
    assert not are_plain(*values)
