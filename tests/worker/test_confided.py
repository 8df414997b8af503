"""Outputs that a script wants encrypted."""

from pathlib import Path

import pytest
from tests.worker.conftest import SCRIPTS
from tests.worker.plane import Plane

from casemate.dispatch import Reply
from casemate.sealed import Sealed, envelope

pytestmark = pytest.mark.anyio

SHELL = f"{SCRIPTS}.shell.Commands"
MARKER = """printf '::{"encryptedOutputs":{"token":"%s%s","pin":42},"outputs":{"plain":"x"}}::\\n' open sesame"""


async def test_they_are_sealed_by_the_control_plane_and_masked_in_the_log(plane: Plane, worker: Path):
    plane.answers["text.seal"] = lambda arguments: Reply(envelope(Sealed(arguments["text"][::-1], "k1")))
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": [MARKER, "echo opensesame it is"]}))
    assert end.outputs["vars"] == {
        "plain": "x",
        "token": envelope(Sealed("emasesnepo", "k1")),
        "pin": envelope(Sealed("24", "k1")),
    }
    assert plane.messages("INFO") == ["******** it is"]


async def test_without_a_key_the_task_fails_and_shows_nothing(plane: Plane, worker: Path):
    refusal = "Unable to encrypt the output as encryption is not configured"
    plane.answers["text.seal"] = lambda _: Reply(error=refusal)
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": [MARKER]}))
    assert end.state == "FAILED"
    assert refusal in plane.messages("ERROR")
    assert "opensesame" not in repr((end, plane.lines))
