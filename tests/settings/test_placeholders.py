"""`${NAME:default}` in configuration files."""

import pytest

from casemate.errors import Refused
from casemate.settings import load


def url(text: str, rest: str = "", **environ: str) -> str | None:
    return load([("kestra.yml", f"kestra:\n  url: '{text}'\n{rest}")], environ).settings.url


def problems(text: str, rest: str = "", **environ: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        url(text, rest, **environ)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${HOST}", "h"),
        ("http://${HOST}:${PORT:80}/", "http://h:80/"),
        ("${NONE:http://default:80}", "http://default:80"),
        ("${NONE:}", ""),
        ("${NONE:${NEITHER:${HOST}}}", "h"),
        ("${NONE:`${not a placeholder`}", "`${not a placeholder`"),
        ("${NONE:`a b`}", "a b"),
        ("$HOST {{ x }} $ {", "$HOST {{ x }} $ {"),
    ],
)
def test_placeholders_are_replaced(text, expected):
    if "not a placeholder" in text:
        assert "not closed" in problems(text, HOST="h")[0]
    else:
        assert url(text, HOST="h") == expected


def test_a_placeholder_may_name_another_key_in_any_spelling():
    rest = "  server:\n    basic-auth: {username: '${WHO}', password: Abcdefg1}\n  ee: {license: {id: L1}}\n"
    assert url("${kestra.server.basicAuth.username}-${kestra.ee.license.id:}", rest, WHO="me") == "me-L1"
    assert url("${my.own}", "my: {own: thing}\n") == "thing"


def test_a_key_that_a_placeholder_uses_is_not_unknown():
    loaded = load([("kestra.yml", "my: {own: thing}\nkestra: {url: '${my.own}'}")], {})
    assert loaded.warnings == ()


def test_an_environment_variable_goes_before_a_key_and_is_taken_literally():
    assert url("${my.own}", "my: {own: thing}\n", **{"my.own": "${X}"}) == "${X}"
    assert load([], {"KESTRA_URL": "a${b}"}).settings.url == "a${b}"


def test_unresolved_placeholders_are_told_all_at_once():
    assert problems("${A} ${B:${C}}") == [
        "could not resolve placeholder ${A}",
        "could not resolve placeholder ${C}",
    ]


def test_a_circle_is_refused():
    (message,) = problems("${a}", "a: ${b}\nb: ${c}\nc: ${a}\n")[:1]
    assert message == "placeholders go round in a circle: a -> b -> c -> a"


def test_a_placeholder_must_be_closed():
    assert problems("${A") == ["has a placeholder that is not closed with }"]


def test_a_file_placeholder_never_becomes_its_own_path():
    (message,) = problems("${file:/run/secrets/x}")
    assert message == "placeholders of the form ${file:...} do not exist yet"


def test_placeholders_reach_into_plugin_defaults_but_templates_are_left_alone():
    text = "kestra: {plugins: {defaults: [{type: a.B, values: {x: '${X}', y: '{{ inputs.z }}', n: 1}}]}}"
    (law,) = load([("kestra.yml", text)], {"X": "1"}).settings.rules.configured
    assert law.rule.values == {"x": "1", "y": "{{ inputs.z }}", "n": 1}


def test_no_problem_ever_shows_a_value():
    text = "kestra: {server: {termination-grace-period: '${GRACE}'}, url: '${MISSING}'}"
    with pytest.raises(Refused) as caught:
        load([("kestra.yml", text)], {"GRACE": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("${A:" * 500 + "x" + "}" * 500, ""),
        ("${k0}" * 10, "".join(f"k{level}: '{f'${{k{level + 1}}}' * 10}'\n" for level in range(9)) + "k9: x\n"),
        ("${A:}" * 20_000, ""),
    ],
)
def test_placeholders_cannot_keep_the_start_busy(text, rest):
    found = problems(text, rest)
    assert found
    assert {message.partition(" more")[0] for message in found} <= {"has placeholders", "could not resolve placeholder"}


def test_placeholders_may_stand_in_each_other():
    assert url("${A:${B:${C:${D:x}}}}") == "x"
    assert url("${A:${B:${C:${D:x}}}}", C="c") == "c"
