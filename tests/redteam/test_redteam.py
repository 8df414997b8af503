"""`casemate redteam` on this machine, as root and as an ordinary user: all is blocked, and the payloads are alive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from tests.attacks.workers import NOBODY, python_for_everybody, sources_for_everybody

from casemate.core import catalog
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.redteam import manifests

IDENTITIES = ["root", "user"] if os.geteuid() == 0 else ["user"]


def redteam(home: Path, *arguments: str, as_user: bool) -> tuple[int, list[dict[str, Any]], str]:
    """Its exit status, what it says of each attack, and what it complains about."""
    changed = as_user and os.geteuid() == 0
    packages = str(Path(sqlalchemy.__file__).parent.parent)
    done = subprocess.run(
        [python_for_everybody() if changed else sys.executable, "-m", "casemate", "redteam", "--json", *arguments],
        env={
            "PATH": os.environ["PATH"] if not changed else os.defpath,
            "HOME": str(home),
            "PYTHONPATH": os.pathsep.join((sources_for_everybody(), packages)),
            "TMPDIR": str(home),
        },
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
        **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if changed else {}),
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(params=IDENTITIES)
def home(request: pytest.FixtureRequest) -> Iterator[tuple[Path, bool]]:
    """A home that a policy may show, and whether it is to be an ordinary user's."""
    as_user = request.param == "user"
    place = "/var/lib" if os.access("/var/lib", os.W_OK) else os.path.expanduser("~")
    with tempfile.TemporaryDirectory(prefix="casemate-test-", dir=place) as name:
        folder = Path(name)
        folder.chmod(0o755)
        if as_user and os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder, as_user


@pytest.mark.slow
def test_every_attack_is_blocked_and_what_is_allowed_works(home):
    folder, as_user = home
    status, results, complaints = redteam(folder, as_user=as_user)
    assert len(results) > 200, complaints
    not_held = [each for each in results if each["inside"] == "not held"]
    assert [each for each in results if each["inside"] not in ("blocked", "works") and each not in not_held] == []
    assert not [each for each in not_held if "control groups (memory" in each["limits"]]
    assert status == 0
    dead = [each for each in results if not each["control"]["alive"] and not each["control"]["needs"]]
    assert dead == []
    alive = sum(each["control"]["alive"] for each in results)
    assert alive > (180 if not as_user else 150)


def test_a_policy_that_shows_too_much_is_found_out(home):
    folder, as_user = home
    open_wide = folder / "open.yml"
    rules = {"visible-paths": [str(folder)], "egress": {"allow": ["169.254.169.254/32"]}}
    open_wide.write_text(json.dumps({"casemate": {"isolation": rules}}))
    (status, results, complaints), (_, network, _) = (
        redteam(folder, "-c", str(open_wide), "--only", only, as_user=as_user) for only in ("fs01", "nt01")
    )
    assert [each["inside"] for each in results] == ["GOT THROUGH"], complaints
    assert [each["inside"] for each in network] == ["GOT THROUGH"]
    assert status == 1


def test_what_is_neither_an_attack_nor_a_class_is_refused(tmp_path: Path):
    status, results, complaints = redteam(tmp_path, "--only", "everything", as_user=False)
    assert (status, results) == (2, [])
    assert complaints.startswith("casemate: everything is neither the id of an attack nor a class: files, processes")


def test_no_flow_of_a_user_can_run_a_payload_in_the_process_of_a_plugin():
    (payload,) = manifests()
    assert catalog().find(payload.type) is None
    flow = read_flow(f"id: f\nnamespace: n\ntasks: [{{id: t, type: {payload.type}, code: x}}]", catalog(), MAIN)
    assert not isinstance(flow, Flow)
