"""What an attempt writes shows no secret: markers of scripts, short ones, lines that were cut, what templates make."""

from pathlib import Path

import pytest
from tests.worker.conftest import CORE, SCRIPTS
from tests.worker.plane import Plane

from casemate.secret import Secret

pytestmark = pytest.mark.anyio

SHELL = f"{SCRIPTS}.shell.Commands"
PYTHON = f"{SCRIPTS}.python.Script"


def everything(plane: Plane, end) -> str:
    """All that the control plane was told and people may read."""
    return repr((plane.messages(), plane.metrics, end.isolation))


async def test_a_script_names_values_that_its_log_does_not_show(plane: Plane, worker: Path):
    commands = [
        "token=$(printf made-%s here)",
        'printf \'::{"mask":"%s"}::\\n\' $token',
        "echo token is $token, in Base64 $(printf $token | base64)",
        """echo '::{"mask":["first-one","second-one",987654]}::'""",
        "echo first-one second-one 987654",
        """printf '::{"metrics":[{"name":"m","type":"counter","value":1,"tags":{"%s":"%s"}}]}::\\n' $token $token""",
        'echo "$token fails" >&2; exit 3',
    ]
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": commands}))
    assert plane.messages("INFO") == ["token is ********, in Base64 ********", "******** ******** ********"]
    assert "made-here" not in everything(plane, end)
    assert [metric.tags for metric in plane.metrics] == [{"********": "********"}]


@pytest.mark.parametrize("value", ["ab", "true", "12"])
async def test_a_value_that_stands_everywhere_is_not_masked_and_the_log_says_so(plane: Plane, worker: Path, value):
    commands = [f"""echo '::{{"mask":"{value}"}}::'"""]
    await plane.end_of(await plane.give(SHELL, properties={"commands": commands}))
    (warning,) = plane.messages("WARN")
    assert warning.startswith("A value that the task wants masked can not be masked in logs")
    assert value not in warning.split()


@pytest.mark.parametrize("marker", ['{"mask":{"a":1}}', '{"mask":true}', '{"mask":[["x"]]}'])
async def test_what_is_no_value_to_mask_is_not_understood(plane: Plane, worker: Path, marker):
    await plane.end_of(await plane.give(SHELL, properties={"commands": [f"echo '::{marker}::'"]}))
    assert plane.messages("WARN") == ["Invalid outputs '`mask` is not a text'"]


async def test_a_secret_that_is_too_short_is_named_and_not_shown(plane: Plane, worker: Path):
    properties = {"message": "{{ secret('PIN') }} {{ secret('PIN') }} {{ secret('LONG') }}"}
    secrets = {"PIN": "73", "LONG": "long enough"}
    await plane.end_of(await plane.give(f"{CORE}.log.Log", properties=properties, secrets=secrets))
    (warning,) = plane.messages("WARN")
    assert warning.startswith("The secret 'PIN' can not be masked in logs")
    assert "73" not in warning


async def test_a_secret_input_that_is_too_short_is_named_by_its_id(plane: Plane, worker: Path):
    opened = [Secret("73"), Secret("long enough"), Secret("ab")]
    variables = {"inputs": {"nested": {"pin": "73"}, "key": "long enough", "free": "x"}}
    job = await plane.give(
        f"{CORE}.log.Log", properties={"message": "{{ inputs.nested.pin }}"}, variables=variables, opened=opened
    )
    await plane.end_of(job)
    assert [warning.partition(" can not")[0] for warning in plane.messages("WARN")] == [
        "The SECRET input 'nested.pin'",
        "An encrypted output",
    ]


async def test_what_templates_make_of_secrets_is_masked_in_what_scripts_print(plane: Plane, worker: Path):
    properties = {
        "commands": ["echo $DIGEST; echo $LOUD; echo $LOUDER"],
        "env": {
            "DIGEST": "{{ secret('TOKEN') | sha256 }}",
            "LOUD": "{{ inputs.key | upper }}",
            "LOUDER": "{{ mask(inputs.plain) | upper }}",
        },
    }
    variables = {"inputs": {"key": "opensesame", "plain": "not so secret"}}
    job = await plane.give(
        SHELL,
        properties=properties,
        secrets={"TOKEN": "hunter2secret"},
        variables=variables,
        opened=[Secret("opensesame")],
    )
    await plane.end_of(job)
    assert plane.messages("INFO") == ["********"] * 3


@pytest.mark.parametrize("shown", range(1, 14))
async def test_a_line_that_is_cut_within_a_secret_shows_no_part_of_it(plane: Plane, worker: Path, shown):
    limit = 1 << 20
    script = f"print('x' * {limit - shown} + {{{{ secret('TOKEN') | toJson }}}})"
    await plane.end_of(await plane.give(PYTHON, properties={"script": script}, secrets={"TOKEN": "hunter2secret"}))
    written = "".join(plane.messages("INFO"))
    assert written == "x" * (limit - shown) + "********"


async def test_nothing_of_a_secret_is_kept_once_its_attempt_is_over(plane: Plane, worker: Path):
    import gc

    from casemate.masking import Mask

    before = {id(one) for one in gc.get_objects() if isinstance(one, Mask)}
    await plane.end_of(
        await plane.give(f"{CORE}.log.Log", properties={"message": "{{ secret('T') }}"}, secrets={"T": "hunter2secret"})
    )
    left = [one for one in gc.get_objects() if isinstance(one, Mask) and id(one) not in before]
    assert not any(left)
