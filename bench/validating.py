"""What it costs to validate a repository of flows in one run, as continuous integration does."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curve import Line

from product import environment

FLOWS = 1_000
ROUNDS = 3
FLOW = """id: flow-{number}
namespace: bench.team{team}
description: One of many.
labels: {{team: t{team}, stage: prod}}
inputs:
  - {{id: day, type: DATE, defaults: 2026-01-01}}
  - {{id: source, type: URI, defaults: "https://data.example.com/{number}/export.csv"}}
variables:
  bucket: exports-{team}
tasks:
  - id: download
    type: io.kestra.plugin.core.http.Download
    uri: "{{{{ inputs.source }}}}"
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3]
    tasks:
      - {{id: log, type: io.kestra.plugin.core.log.Log, message: "part {{{{ taskrun.value }}}} of {number}"}}
      - {{id: keep, type: io.kestra.plugin.core.kv.Set, key: "part-{number}", value: "{{{{ taskrun.value }}}}"}}
  - id: transform
    type: io.kestra.plugin.scripts.python.Script
    containerImage: python:3.13-slim
    env: {{TOKEN: "{{{{ secret('TOKEN') }}}}"}}
    inputFiles: {{in.csv: "{{{{ outputs.download.uri }}}}"}}
    outputFiles: [out.csv]
    script: |
      import csv
      with open("in.csv") as given, open("out.csv", "w") as made:
          rows = list(csv.reader(given))
          csv.writer(made).writerows(row for row in rows if row[0] != "{number}")
  - id: check
    type: io.kestra.plugin.core.flow.If
    condition: "{{{{ outputs.transform.vars.rows > 0 }}}}"
    then:
      - {{id: good, type: io.kestra.plugin.core.log.Log, message: fine}}
    else:
      - {{id: bad, type: io.kestra.plugin.core.execution.Fail, errorMessage: nothing}}
triggers:
  - {{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 6 * * *"}}
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processor time, and bytes held at most."""

    waited: float
    spent: float
    memory: float


def validating() -> Iterable[Line]:
    """One flow and many, each in a process of its own; the least of some rounds."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FLOWS):
            (Path(folder) / f"flow-{number}.yaml").write_text(FLOW.format(number=number, team=number % 20))
        one, plain, scanned = (
            _least(*arguments)
            for arguments in ((f"{folder}/flow-0.yaml", "--scan", "builtin"), (folder,), (folder, "--scan", "builtin"))
        )
    yield f"{FLOWS} flows with the scan, on the clock", scanned.waited, "s"
    yield "  processor time", scanned.spent, "s"
    yield "  the most memory", scanned.memory / 2**20, "MiB"
    yield f"{FLOWS} flows without the scan, processor time", plain.spent, "s"
    yield "one flow with the scan, processor time", one.spent, "s"
    yield "a flow more", (scanned.spent - one.spent) / (FLOWS - 1) * 1000, "ms"
    yield "the scan, a flow", (scanned.spent - plain.spent) / FLOWS * 1000, "ms"


def _least(*arguments: str) -> Cost:
    """What else the machine does only ever adds to a cost."""
    costs = [_cost(*arguments) for _ in range(ROUNDS)]
    return Cost(*(min(getattr(cost, name) for cost in costs) for name in ("waited", "spent", "memory")))


def _cost(*arguments: str) -> Cost:
    begun = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "casemate", "flow", "validate", *arguments],
        environment(),
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
