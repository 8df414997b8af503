"""A script in a container of an engine, against a bare `docker run` of the same image, in turn in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from curve import Line

from product import Server, server

ROUNDS = 15
_IMAGE = "casemate-bench-programs:1"
_FLOW = f"""
id: containers
namespace: bench
tasks:
  - id: run
    type: io.kestra.plugin.scripts.shell.Commands
    containerImage: {_IMAGE}
    taskRunner: {{type: io.kestra.plugin.scripts.runner.docker.Docker}}
    commands: ["true"]
"""


def containers() -> Iterator[Line | str]:
    """Bare against tasks, on an engine of its own; a text says why there is none."""
    # The engine and the image are those of the tests, so that no registry is needed here either.
    sys.path.append(str(Path(__file__).parent.parent))
    from tests.docker import NoEngine, engine_running

    try:
        with engine_running() as engine:
            engine.load_programs(_IMAGE)
            os.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
            with server() as running:
                yield from _in_turn(running)
    except NoEngine as why:
        yield f"not measured: {why}"


def _in_turn(running: Server) -> Iterator[Line]:
    running.save(_FLOW)
    _bare(), running.run("bench", "containers")  # once unmeasured: the image and all programs are in memory then
    rounds = [(_seconds(_bare), _seconds(lambda: running.run("bench", "containers"))) for _ in range(ROUNDS)]
    bare, task = (statistics.median(spent) for spent in zip(*rounds, strict=True))
    yield f"docker run, median of {ROUNDS}", bare * 1000, "ms"
    yield "a task in such a container, with its execution", task * 1000, "ms"
    yield "  ratio, task to bare", task / bare, "x"


def _bare() -> None:
    command = ("docker", "run", "--rm", "--network", "none", "--read-only", _IMAGE, "/bin/sh", "-c", "true")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
