"""What a template makes of a secret is covered as the secret is."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from casemate.expressions import BudgetExceeded, ExpressionError, Unanswerable, function_parameters, render
from casemate.masking import Mask
from casemate.secret import Secret

SECRET = "hunter2-opensesame"
JSON = '{"user": "bob", "pass": "swordfish", "deep": [{"key": "open sesame"}]}'


@dataclass
class Telling:
    """A world with two secrets and nothing else."""

    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    zone = UTC
    mask: Mask = field(default_factory=Mask)

    def secret(self, key, namespace, subkey, inherit):
        value = {"S": SECRET, "JSON": JSON, "PIN": "ab"}[key]
        self.mask.add(Secret(value))
        return value


def shown(template: str, **variables: object) -> tuple[str, str]:
    """What the template prints, and what a log shows of it."""
    world = Telling()
    printed = str(render(template, variables, world))
    return printed, world.mask.cover(printed)


MADE = [
    "secret('S') | upper",
    "secret('S') | capitalize",
    "secret('S').toUpperCase()",
    "secret('S') | replace({'-': '_'})",
    "secret('S') | slice(0, 7)",
    "secret('S') | substringBefore('-')",
    "secret('S') | substringAfter('-')",
    "secret('S') | split('-') | first",
    "secret('S') | split('') | join('-')",
    "(secret('S') | split(''))[0] ~ '.' ~ (secret('S') | split(''))[1] ~ '.' ~ (secret('S') | split(''))[2]",
    "secret('S') | split('') | sort | join('')",
    "secret('S') | split('') | reverse | join('')",
    "secret('S') | sha256",
    "secret('S') | sha256 | upper",
    "secret('S') | base64encode | lower",
    "secret('S') | urlencode | replace({'e': 'E'})",
    "('user:' ~ secret('S')) | base64encode | upper",
    "('user:' + secret('S')) | sha1",
    "{'a': [secret('S')]} | toJson | upper",
    "fromJson(secret('JSON')).deep[0].key",
    "fromJson(secret('JSON')).pass | upper",
    "render('x{{ secret(\"S\") }}x') | upper",
    "renderOnce('{{ secret(\"S\") }}') | title",
    "secret('PIN') ~ secret('PIN') | upper",
    "secret('S') | abbreviate(12)",
]


@pytest.mark.parametrize("expression", MADE)
def test_what_an_expression_makes_of_a_secret_is_covered(expression):
    printed, covered = shown(f"{{{{ {expression} }}}}")
    assert printed
    assert covered == "********"


@pytest.mark.parametrize(
    "template",
    [
        "{% filter upper %}{{ secret('S') }}{% endfilter %}",
        "{% set it = secret('S') %}{{ it | lower | upper }}",
        "{% for one in secret('S') | split('-') %}{{ one | upper }}{% endfor %}",
        "{% macro loud(what) %}{{ what | upper }}{% endmacro %}{{ loud(secret('S')) }}",
        "{% macro same(what) %}{{ what }}{% endmacro %}{{ same(secret('S')) | upper }}",
    ],
)
def test_statements_lose_no_track_of_a_secret(template):
    printed, covered = shown(template)
    assert printed.upper() == printed
    assert covered == "********"


@pytest.mark.parametrize(
    ("template", "covered"),
    [
        ("Bearer {{ secret('S') }}", "Bearer ********"),
        ("{{ 'Bearer ' ~ secret('S') }}", "Bearer ********"),
        ("{{ ('Bearer ' ~ secret('S')) | slice(0, 6) }}", "Bearer"),
        ("{{ ('Bearer ' ~ secret('S')) | split(' ') | first }}", "Bearer"),
        ("{{ 'bearer' | upper }} {{ secret('S') | length }}", "BEARER 18"),
        ("{{ {'a': secret('S')} | keys | first }}", "a"),
        ("{{ secret('S') == 'x' ? 'yes' : 'no' }}", "no"),
        ("{{ ('first\nx ' ~ secret('S')) | replace({'x': 'y'}) }} x y first", "first\n******** x y first"),
        ("{{ secret('S') | split('-') | join(' + ') }}", "******** + ********"),
        ("{{ fromJson(secret('JSON')).deep | toJson }}", '[{"key":"********"}]'),
        ("{{ fromJson(secret('JSON')) | keys | join(' ') }}", "user pass deep"),
    ],
)
def test_what_is_no_secret_stays_readable(template, covered):
    assert shown(template)[1] == covered


def test_a_value_that_a_template_names_is_covered():
    printed, covered = shown("{{ mask(token) }} {{ token | upper }} {{ mask(number) }}", token="s3same", number=123456)
    assert printed == "s3same S3SAME 123456"
    assert covered == "******** ******** ********"


def test_a_masked_value_keeps_its_type():
    assert shown("{{ mask({'a': [list]}).a[0] | join(',') }}", list=["one-two", "three"])[0] == "one-two,three"


def test_a_template_must_say_what_to_mask():
    with pytest.raises(ExpressionError, match="The 'mask' function expects an argument 'value'"):
        render("{{ mask() }}", {}, Unanswerable(now=datetime.now(UTC)))
    assert function_parameters()["mask"] == ("value",)


def test_more_than_can_be_covered_is_refused():
    template = "{% for i in range(1, 100000) %}{{ secret('S') ~ i | upper }}{% endfor %}"
    begun = time.process_time()
    with pytest.raises(BudgetExceeded, match="more of secrets than can be covered"):
        render(template, {}, Telling())
    assert time.process_time() - begun < 10


def test_templates_without_secrets_pay_nothing():
    world = Unanswerable(now=datetime.now(UTC))
    render("{{ 'a' | upper ~ 'b' }}", {}, world)
    assert not world.mask
