"""Executions of many task runs on a real server: does one of ten thousand cost more than one of a thousand?"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from curve import Line

from product import API, Server, server

FEW, MANY = 1_000, 10_000


@dataclass(frozen=True)
class Cost:
    """What one of many task runs cost: seconds on the clock and of processors, bytes of memory and of disk."""

    waited: float
    spent: float
    memory: float
    disk: float


def large(limit: int) -> Iterable[Line]:
    """A ForEach of `Log` with this `concurrencyLimit`, for few values and for many, each on a server of its own."""
    few, many = _cost(FEW, limit), _cost(MANY, limit)
    for count, cost in ((FEW, few), (MANY, many)):
        yield f"ForEach of {count} Log: each", cost.waited * 1000, "ms"
        yield f"  processor time of each of {count}", cost.spent * 1000, "ms"
        yield f"  memory for each of {count}", cost.memory / 1024, "KiB"
        yield f"  database for each of {count}", cost.disk / 1024, "KiB"
    yield f"ratio of {MANY} to {FEW}, time", many.waited / few.waited, "x"
    yield "  processor time", many.spent / few.spent, "x"
    yield "  memory", many.memory / few.memory, "x"
    yield "  database", many.disk / few.disk, "x"


def _cost(count: int, limit: int) -> Cost:
    with server() as running:
        running.save(_flow("warm", 50, limit))
        running.save(_flow("large", count, limit))
        running.run("bench", "warm")  # the first of a kind pays for what all of them use
        spent, memory, disk = running.spent(), running.peak(), running.disk()
        begun = time.perf_counter()
        execution = running.run("bench", "large")
        waited = time.perf_counter() - begun
        cost = Cost(
            waited=waited / count,
            spent=(running.spent() - spent) / count,
            memory=(running.peak() - memory) / count,
            disk=(running.disk() - disk) / count,
        )
        _check(running, execution["id"], execution["taskRunList"], count)
        return cost


def _flow(name: str, count: int, limit: int) -> str:
    return (
        f"id: {name}\nnamespace: bench\ntasks:\n"
        f"  - id: each\n    type: io.kestra.plugin.core.flow.ForEach\n    concurrencyLimit: {limit}\n"
        f"    values: {list(range(count))}\n    tasks:\n"
        "      - id: log\n        type: io.kestra.plugin.core.log.Log\n        message: 'Line {{ taskrun.value }}'\n"
    )


def _check(running: Server, execution: str, runs: list[dict], count: int) -> None:
    """A cost is only one if the work was done."""
    states = {run["state"]["current"] for run in runs}
    lines = running.call("GET", f"{API}/logs/{execution}/download").splitlines()
    said = sum("Line " in line for line in lines)
    if (len(runs), states, said) != (count + 1, {"SUCCESS"}, count):
        raise SystemExit(f"{count} were wanted: {len(runs)} task runs ended as {states} and said {said} lines")


LARGE = {"large": partial(large, 0), "large-in-turn": partial(large, 1)}
