"""From what someone submits to the inputs of an execution, and from rendered values to its outputs."""

from __future__ import annotations

import pytest
from tests.executions.driver import NOW, House, flow, work

from casemate.errors import Refused
from casemate.executions import Context, Inputs, State, resolve_each, resolve_inputs, resolve_outputs
from casemate.expressions import Unanswerable
from casemate.flows import Input, Output
from casemate.sealed import Sealed

WORLD = Unanswerable(now=NOW)


def upper(clear):
    return Sealed(clear.upper())


def resolve(submitted, *inputs, seal=None):
    return resolve_inputs(flow(work("a"), inputs=inputs), submitted, WORLD, seal)


def one(kind, raw, seal=upper, **properties):
    """The stored value of one input, or the text of its problem."""
    resolved = resolve({"x": raw}, Input(id="x", type=kind, properties=properties), seal=seal)
    return resolved.values["x"] if isinstance(resolved, Inputs) else resolved[0].message


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("STRING", "text", "text"),
        ("STRING", 12, "12"),
        ("STRING", {"a": [1]}, '{"a":[1]}'),
        ("STRING", "", ""),
        ("SECRET", "clear", "CLEAR"),
        ("INT", "42", 42),
        ("INT", -7, -7),
        ("FLOAT", "42.42", 42.42),
        ("FLOAT", 1, 1.0),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", "yes", False),
        ("BOOLEAN", False, False),
        ("BOOL", "true", True),
        ("DATETIME", "2019-10-06T18:27:49Z", "2019-10-06T18:27:49Z"),
        ("DATETIME", "2019-10-06T20:27:49+02:00", "2019-10-06T18:27:49Z"),
        ("DATE", "2019-10-06", "2019-10-06"),
        ("TIME", "18:27", "18:27:00"),
        ("DURATION", "PT5M6S", "PT5M6S"),
        ("DURATION", "P1D", "PT24H"),
        ("FILE", "kestra:///a/b.txt", "kestra:///a/b.txt"),
        ("JSON", '{"a": [1, null]}', {"a": [1, None]}),
        ("JSON", [1], [1]),
        ("YAML", "a: [1, yes]", {"a": [1, True]}),
        ("YAML", {"a": 1}, {"a": 1}),
        ("URI", "https://www.google.com", "https://www.google.com"),
        ("EMAIL", "", ""),
        ("EMAIL", "me@home.org", "me@home.org"),
    ],
)
def test_values_are_read_by_their_type(kind, raw, stored):
    assert one(kind, raw) == stored


@pytest.mark.parametrize(
    ("kind", "raw", "cause"),
    [
        ("INT", "abc", 'For input string: "abc"'),
        ("INT", "1.0", 'For input string: "1.0"'),
        ("INT", " 5", 'For input string: " 5"'),
        ("INT", "1_000", 'For input string: "1_000"'),
        ("FLOAT", "NaN", 'For input string: "NaN"'),
        ("FLOAT", "Infinity", 'For input string: "Infinity"'),
        ("FLOAT", "1e999", 'Value out of range. Value:"1e999"'),
        ("DATE", "20191006", "Text '20191006' could not be parsed"),
        ("DATE", "2019-W01-1", "Text '2019-W01-1' could not be parsed"),
        ("DATE", "2019-13-01", "Text '2019-13-01' could not be parsed"),
        ("TIME", "18", "Text '18' could not be parsed"),
        ("TIME", "18:27:49+02:00", "Text '18:27:49+02:00' could not be parsed"),
        ("DATETIME", "2019-10-06", "Text '2019-10-06' could not be parsed"),
        ("DATETIME", "2019-10-06T18:27:49", "Text '2019-10-06T18:27:49' could not be parsed"),
        ("DATETIME", "20191006T182749Z", "Text '20191006T182749Z' could not be parsed"),
        ("JSON", "[1e999]", "1e999 is more than a number can hold"),
        ("JSON", "NaN", "NaN is no JSON"),
    ],
)
def test_what_is_written_otherwise_is_refused_with_the_cause(kind, raw, cause):
    message = one(kind, raw)
    assert message.startswith(
        f"Invalid input for `x`, Expected `{kind}` but received `{raw}` with errors:\n```\n{cause}"
    )


@pytest.mark.parametrize(
    ("kind", "raw", "properties", "stored"),
    [
        ("STRING", "A12", {"validator": r"A\d+"}, "A12"),
        ("ENUM", "B", {"values": ["A", "B"]}, "B"),
        ("SELECT", "1", {"values": [1, 2]}, "1"),
        ("SELECT", "other", {"values": ["A"], "allowCustomValue": True}, "other"),
        ("MULTISELECT", '["A", "B"]', {"values": ["A", "B", "C"]}, ["A", "B"]),
        ("MULTISELECT", ["1"], {"options": ["1"], "itemType": "INT"}, [1]),
        ("ARRAY", '["1", 2]', {"itemType": "INT"}, [1, 2]),
        ("ARRAY", ["2020-01-01"], {"itemType": "DATE"}, ["2020-01-01"]),
        ("INT", 10, {"min": 10, "max": 10}, 10),
        ("TIME", "01:00", {"after": "01:00:00"}, "01:00:00"),
        ("DURATION", "PT10S", {"min": "PT10S"}, "PT10S"),
    ],
)
def test_bounds_and_choices_let_pass_what_fits(kind, raw, properties, stored):
    assert one(kind, raw, **properties) == stored


@pytest.mark.parametrize(
    ("kind", "raw", "properties", "message"),
    [
        ("STRING", "B", {"validator": r"A\d+"}, r"it must match the pattern `A\d+`"),
        ("INT", 21, {"max": 20}, "it must be less than `20`"),
        ("INT", "9", {"min": 10}, "it must be more than `10`"),
        ("FLOAT", "0.6", {"max": 0.5}, "it must be less than `0.5`"),
        ("DATE", "2022-01-01", {"after": "2023-01-01"}, "it must be after `2023-01-01`"),
        ("TIME", "00:00:01", {"after": "01:00:00"}, "it must be after `01:00`"),
        ("DURATION", "PT30S", {"max": "PT20S"}, "It must be less than `PT20S`"),
        ("DURATION", "PT1S", {"min": "PT10S"}, "It must be more than `PT10S`"),
        ("ENUM", "X", {"values": ["A", "B"]}, "it must match the values `[A, B]`"),
        ("EMAIL", "nobody", {}, "The input must be a valid email"),
        ("URI", "http:/bla", {}, "Expected `URI` but received `http:/bla`"),
        ("MULTISELECT", ["A"], {"values": ["A"], "options": ["A"]}, "you can't define both `values` and `options`"),
        ("STRING", "a" * 90_000, {"validator": "(a|aa|b?){500}c"}, "its validator `(a|aa|b?){500}c` is not a"),
        ("STRING", "x", {"validator": "("}, "its validator `(` is not a regular expression that can be used:"),
    ],
)
def test_what_does_not_fit_is_refused_in_kestras_words(kind, raw, properties, message):
    shown = raw if isinstance(raw, str) else '["A"]' if isinstance(raw, list) else raw

    assert one(kind, raw, **properties).startswith(f"Invalid input for `x`, {message}")
    assert one(kind, raw, **properties).endswith(f", but received `{shown}`")


def test_the_offending_element_of_a_list_is_named():
    assert one("MULTISELECT", ["A", "X"], values=["A"]) == (
        "Invalid input for `x`, it must match the values `[A]`, but received `X`"
    )
    assert one("ARRAY", ["1", "s1"], itemType="INT").startswith(
        "Invalid input for `x`, Unable to parse array element as `INT` on `s1`"
    )


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("INT", "1.5"),
        ("INT", "true"),
        ("INT", True),
        ("INT", "1_000"),
        ("INT", 1 << 31),
        ("FLOAT", "x"),
        ("DATETIME", "2019-10-06"),
        ("DATETIME", "2019-10-06T18:27:49"),
        ("DATE", "06.10.2019"),
        ("TIME", "25:00"),
        ("DURATION", "soon"),
        ("FILE", "/etc/passwd"),
        ("JSON", "{"),
        ("YAML", "a: [1"),
        ("ARRAY", "12"),
        ("ARRAY", {"a": 1}),
    ],
)
def test_what_cannot_be_read_says_why(kind, raw):
    assert one(kind, raw).startswith(f"Invalid input for `x`, Expected `{kind}` but received `")
    assert "with errors:\n```\n" in one(kind, raw)


def test_a_missing_required_input_is_a_problem():
    (problem,) = resolve({"x": None}, Input(id="x", type="STRING"))

    assert problem.printed() == "x: Invalid input for `x`, missing required input, but received `null`"


def test_a_missing_optional_input_is_null():
    assert resolve({}, Input(id="x", type="INT", required=False)).values == {"x": None}


def test_defaults_are_read_like_values():
    assert resolve({}, Input(id="x", type="INT", defaults="7")).values == {"x": 7}
    assert resolve({}, Input(id="x", type="STRING", defaults="")).values == {"x": ""}


def test_every_problem_is_told():
    problems = resolve({"a": "x"}, Input(id="a", type="INT"), Input(id="b", type="INT"))

    assert [problem.path for problem in problems] == ["a", "b"]


def test_names_that_are_no_input_are_ignored():
    assert resolve({"x": "1", "y": "2"}, Input(id="x", type="INT")).values == {"x": 1}


def test_dots_in_ids_make_nesting():
    inputs = [Input(id=name, type="INT") for name in ("a", "n.b", "n.m.c")]

    assert resolve({"a": 1, "n.b": 2, "n.m.c": 3}, *inputs).values == {"a": 1, "n": {"b": 2, "m": {"c": 3}}}


def test_a_value_where_nesting_is_needed_is_a_conflict():
    (problem,) = resolve({"n": 1, "n.b": 2}, Input(id="n", type="INT"), Input(id="n.b", type="INT"))

    assert problem.message == "Conflict at key: n.b"


def test_a_secret_needs_a_key():
    (problem,) = resolve({"x": "clear"}, Input(id="x", type="SECRET"))

    assert "Unable to use a `SECRET` input/output as encryption is not configured" in problem.message


def test_a_secret_is_checked_in_the_clear_and_never_shown():
    assert one("SECRET", "clear", validator="clear") == "CLEAR"
    refusal = one("SECRET", "hidden", validator="clear")
    assert refusal == "Invalid input for `x`, it must match the pattern `clear`, but received `******`"


LIST = {"itemType": "SECRET"}


def test_a_list_of_secrets_is_sealed_element_by_element():
    assert one("ARRAY", ["a", 5], **LIST) == ["A", "5"]
    assert one("ARRAY", '["a"]', **LIST) == ["A"]
    (problem,) = resolve({"x": ["hidden"]}, Input(id="x", type="ARRAY", properties=LIST))
    assert "encryption is not configured" in problem.message
    assert "hidden" not in problem.message


@pytest.mark.parametrize("raw", ["hidden", '["hidden', {"hidden": 1}, '{"hidden": 1}'])
def test_what_is_no_list_of_secrets_is_refused_without_being_shown(raw):
    assert one("ARRAY", raw, **LIST) == (
        "Invalid input for `x`, Expected `ARRAY` but received `******`, but received `******`"
    )


def test_with_several_keys_an_input_says_which_one_it_is_sealed_with():
    value = one("SECRET", "clear", seal=lambda clear: Sealed(clear.upper(), "k1"))
    assert value == {"value": "CLEAR", "type": "io.kestra.datatype:aes_encrypted", "kid": "k1"}


def test_what_a_secret_is_used_for_does_not_show_it_in_errors():
    secret = Input(id="token", type="SECRET")
    choice = Input(
        id="x", type="SELECT", depends_on=("token",), properties={"expression": "{{ fromJson(inputs.token) }}"}
    )
    asked = Input(id="y", type="STRING", depends_on=("token",), condition="{{ inputs.token | date(inputs.token) }}")
    told = resolve_each((secret, choice, asked), {"token": "opensesame", "x": "a"}, WORLD, upper)
    messages = [one.problem.message for one in told if one.problem]
    assert len(messages) == 2
    assert not [message for message in messages if "opensesame" in message]


@pytest.mark.parametrize(
    ("condition", "enabled"),
    [
        ("{{ inputs.a == 'on' }}", True),
        ("{{ inputs.a == 'off' }}", False),
        ("{{ 'true' }}", False),
        ("{{ inputs.a == 'on' }} ", None),
        ("{{ inputs.b }}", None),
    ],
)
def test_a_condition_enables_an_input(condition, enabled):
    inputs = (
        Input(id="a", type="STRING"),
        Input(id="b", type="STRING", defaults="not seen"),
        Input(id="c", type="STRING", depends_on=("a",), condition=condition),
    )
    resolved = resolve_each(inputs, {"a": "on", "c": "x"}, WORLD)[2]

    assert resolved.value == "x"
    if enabled is None:
        assert resolved.enabled is False
        assert resolved.problem.message.startswith("Invalid condition: ")
    else:
        assert resolved.enabled is enabled


def test_a_condition_that_fails_leaves_its_input_out_and_stops_nothing():
    inputs = (
        Input(id="a", type="STRING"),
        Input(id="b", type="INT", depends_on=("a",), condition="{{ inputs.gone == 1 }}"),
        Input(id="c", type="STRING", depends_on=("b",)),
    )
    assert resolve({"a": "x", "b": "no number", "c": "y"}, *inputs) == Inputs({"a": "x"})


def test_a_disabled_input_disables_those_that_depend_on_it():
    inputs = (
        Input(id="c", type="STRING", depends_on=("b",)),
        Input(id="b", type="STRING", depends_on=("a",), condition="{{ inputs.a }}"),
        Input(id="a", type="BOOLEAN"),
    )

    assert resolve({"a": False, "b": "x", "c": "y"}, *inputs).values == {"a": False}
    assert resolve({"a": True, "b": "x", "c": "y"}, *inputs).values == {"c": "y", "b": "x", "a": True}


def test_inputs_that_depend_on_each_other_do_not_hang():
    inputs = (Input(id="a", type="INT", depends_on=("b",)), Input(id="b", type="INT", depends_on=("a",)))

    assert resolve({"a": 1, "b": 2}, *inputs).values == {"a": 1, "b": 2}


def test_choices_may_come_from_an_expression():
    select = Input(id="s", type="SELECT", properties={"expression": "{{ inputs.list }}"})
    inputs = (Input(id="list", type="JSON"), select)

    assert resolve({"list": "[1, 2]", "s": "2"}, *inputs).values["s"] == "2"
    (problem,) = resolve({"list": "[1, 2]", "s": "3"}, *inputs)
    assert "it must match the values `[1, 2]`" in problem.message
    (problem,) = resolve({"list": '"x"', "s": "3"}, *inputs)
    assert "Invalid expression result. Expected a list of strings, but received java.lang.String" in problem.message


def test_an_expression_that_fails_is_told():
    (problem,) = resolve({"s": "1"}, Input(id="s", type="SELECT", properties={"expression": "{{ inputs.no }}"}))

    assert "Cannot render 'expression'. Cause: Unable to find `no`" in problem.message


# Outputs --------------------------------------------------------------------------------------------------------------


def outputs(kind, rendered, seal=None, **properties):
    tested = flow(work("a"), outputs=(Output(id="o", type=kind, value="?", properties=properties),))
    return resolve_outputs(tested, {"o": rendered}, seal)["o"]


def test_outputs_are_read_like_inputs():
    assert outputs("INT", "12") == 12
    assert outputs("STRING", {"a": 1}) == '{"a":1}'
    assert outputs("ARRAY", ["a", 1]) == ["a", 1]
    assert outputs("JSON", '{"a": 1}') == {"a": 1}


def test_secret_outputs_are_sealed_and_marked():
    assert outputs("SECRET", "clear", upper) == {"value": "CLEAR", "type": "io.kestra.datatype:aes_encrypted"}


def test_an_output_that_does_not_fit_is_refused():
    with pytest.raises(Refused, match="o: Invalid output for `o`, Expected `INT` but received `x`"):
        outputs("INT", "x")


def test_outputs_of_a_flow_are_rendered_at_its_end():
    tested = flow(work("a"), outputs=(Output(id="o", type="ARRAY", value=["{{ outputs.a.value }}", "b"]),))

    assert House.of(tested).run().execution.outputs == {"o": ["a", "b"]}


@pytest.mark.parametrize("value", ["{{ nothing }}", "x"])
def test_outputs_that_cannot_be_made_fail_the_execution(value):
    tested = flow(work("a"), outputs=(Output(id="o", type="INT", value=value),))
    house = House.of(tested).run()

    assert house.state is State.FAILED
    assert house.execution.outputs is None
    assert any(log.startswith("Failed to render output values: ") for log in house.logs)


def test_secret_outputs_of_a_flow_are_sealed():
    tested = flow(work("a"), outputs=(Output(id="o", type="SECRET", value="x"),))
    house = House.of(tested, context=Context(seal=upper)).run()

    assert house.execution.outputs == {"o": {"value": "X", "type": "io.kestra.datatype:aes_encrypted"}}
