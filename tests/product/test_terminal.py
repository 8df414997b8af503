"""What `casemate run` says of an execution that moves faster than it is looked at."""

from __future__ import annotations

import io

from tests.executions.driver import House, flow, flowable, work

from casemate.cli.terminal import Terminal


def test_a_task_run_begins_and_ends_in_the_story_even_if_nobody_looked_between():
    each = flowable("ForEach", "each", work("log"), properties={"values": ["1", "2"], "concurrencyLimit": 0})
    house, out = House.of(flow(each)).begin(), io.StringIO()
    terminal = Terminal(out)
    for _ in range(2):
        terminal.begin(house.execution)
        terminal.show(house.execution)
        house.run()
    said = [" ".join(line.split()[1:4]) for line in out.getvalue().splitlines()]
    assert said == [
        "each RUNNING",
        "log [2] RUNNING",
        "log [1] RUNNING",
        "each SUCCESS in",
        "log [2] SUCCESS",
        "log [1] SUCCESS",
    ]
