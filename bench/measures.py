"""What is measured, one function each; every one returns lines of (what, value, unit)."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from curve import Line

from product import API, Server
from product import server as another

SCRIPTS = 40
LOGS = 500
STARTS = 5
PACED = 100
PACE = 0.1
BURST = 400
CLIENTS = 8

FIBONACCI = "def fibo(n):\n    return n if n < 2 else fibo(n - 1) + fibo(n - 2)\n\nprint(fibo(10))\n"


def starting(server: Server) -> Iterable[Line]:
    """From the start of the process to the first answer, and what the idle server weighs."""
    # The server that is given may have been the first to load these files, so it does not count.
    starts = [_started() for _ in range(STARTS)]
    yield f"start to first answer, median of {STARTS}", statistics.median(ready for ready, _ in starts), "s"
    yield "  the slowest", max(ready for ready, _ in starts), "s"
    yield "  processor time", statistics.median(spent for _, spent in starts), "s"
    time.sleep(2)
    weight = server.weight()
    yield "processes when idle", weight.processes, ""
    yield "memory when idle, PSS", weight.pss / 2**20, "MiB"
    yield "memory when idle, RSS", weight.rss / 2**20, "MiB"


def _started() -> tuple[float, float]:
    with another() as running:
        return running.ready, running.ready_spent


def scripts(server: Server) -> Iterable[Line]:
    """Script tasks one after the other, against the same scripts started bare one after the other."""
    script = "".join(f"      {line}\n" for line in FIBONACCI.splitlines())
    tasks = (
        f"  - id: s{number}\n    type: io.kestra.plugin.scripts.python.Script\n    script: |\n{script}"
        for number in range(SCRIPTS)
    )
    server.save(f"id: scripts\nnamespace: bench\ntasks:\n{''.join(tasks)}")
    server.run("bench", "scripts")  # once unmeasured, so that both sides have their files in the page cache
    bare_before = _bare()
    before = server.spent()
    whole, inside = _timed(lambda: server.run("bench", "scripts"))
    spent = server.spent() - before
    bare = min(bare_before, _bare())
    yield f"{SCRIPTS} scripts, bare", bare, "s"
    yield f"{SCRIPTS} scripts, as tasks", inside, "s"
    yield "  ratio, tasks to bare", inside / bare, "x"
    yield "  with the waiting client", whole, "s"
    yield "  each task takes longer than bare by", (inside - bare) / SCRIPTS * 1000, "ms"
    yield "  processor time of each task", spent / SCRIPTS * 1000, "ms"


def logs(server: Server) -> Iterable[Line]:
    """Log tasks one after the other, each in its own sandbox."""
    tasks = (
        f"  - id: l{number}\n    type: io.kestra.plugin.core.log.Log\n    message: line {number}\n"
        for number in range(LOGS)
    )
    server.save(f"id: logs\nnamespace: bench\ntasks:\n{''.join(tasks)}")
    before = server.spent()
    _, inside = _timed(lambda: server.run("bench", "logs"))
    yield f"{LOGS} Log tasks", inside, "s"
    yield "  task runs", LOGS / inside, "/s"
    yield "  processor time of each", (server.spent() - before) / LOGS * 1000, "ms"


def webhook(server: Server) -> Iterable[Line]:
    """The flow of Kestra's published benchmark: a webhook, `OutputValues`, `Log`."""
    server.save(
        "id: webhook\nnamespace: bench\n"
        "triggers:\n  - id: hook\n    type: io.kestra.plugin.core.trigger.Webhook\n    key: benchmark\n"
        "tasks:\n  - id: values\n    type: io.kestra.plugin.core.output.OutputValues\n    values: {name: webhook}\n"
        "  - id: log\n    type: io.kestra.plugin.core.log.Log\n    message: '{{ outputs.values.values.name }}'\n"
    )
    paced = sorted(_latencies(server, _paced(server)))
    yield f"webhook, one each {PACE * 1000:.0f} ms: p50", statistics.median(paced) * 1000, "ms"
    yield "  p99", paced[int(len(paced) * 0.99)] * 1000, "ms"
    begun, before = time.time(), server.spent()
    burst = _burst(server)
    last = max(end for _, end in _spans(server, burst))
    yield f"webhook, {CLIENTS} clients at once", len(burst) / (last - begun), "executions/s"
    yield "  processor time of each", (server.spent() - before) / len(burst) * 1000, "ms"


def _bare() -> float:
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or "python3"
    begun = time.perf_counter()
    for _ in range(SCRIPTS):
        subprocess.run([python, "-c", FIBONACCI], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _timed(run: Callable[[], dict]) -> tuple[float, float]:
    """Seconds that the client waited, and seconds between start and end of the execution."""
    begun = time.perf_counter()
    execution = run()
    whole = time.perf_counter() - begun
    return whole, _date(execution["state"]["endDate"]) - _date(execution["state"]["startDate"])


def _date(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _hit(server: Server) -> tuple[float, str]:
    sent = time.time()
    answer = server.call("POST", f"{API}/executions/webhook/bench/webhook/benchmark", b"{}")
    return sent, answer["id"]


def _paced(server: Server) -> list[tuple[float, str]]:
    hits = []
    for number in range(PACED):
        begun = time.monotonic()
        hits.append(_hit(server))
        if number + 1 < PACED:
            time.sleep(max(0.0, PACE - (time.monotonic() - begun)))
    return hits


def _burst(server: Server) -> list[tuple[float, str]]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda _: _hit(server), range(BURST)))


def _spans(server: Server, hits: Iterable[tuple[float, str]]) -> list[tuple[float, float]]:
    return [(sent, _date(server.until_ended(identifier)["state"]["endDate"])) for sent, identifier in hits]


def _latencies(server: Server, hits: Iterable[tuple[float, str]]) -> list[float]:
    return [end - sent for sent, end in _spans(server, hits)]


MEASURES: dict[str, Callable[[Server], Iterable[Line]]] = {
    "starting": starting,
    "scripts": scripts,
    "logs": logs,
    "webhook": webhook,
}
