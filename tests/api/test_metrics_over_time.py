"""Measurements of flows over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casemate.identifiers import MAIN
from casemate.store import MetricEntry, metrics

BASE = "/api/v1/main/metrics"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def measured(client, db):
    entries = [
        MetricEntry(
            tenant=MAIN,
            namespace="company.team",
            flow_id="hello",
            execution_id="e",
            task_id=task,
            task_run_id="r",
            attempt=1,
            at=START + timedelta(minutes=number),
            name="length",
            kind="counter",
            value=number,
        )
        for number, task in ((0, "one"), (30, "one"), (90, "two"))
    ]
    client.portal.call(db.transact, metrics.append, entries)
    return client


def test_names_and_tasks_are_listed(measured):
    assert measured.get(f"{BASE}/names/company.team/hello").json() == ["length"]
    assert measured.get(f"{BASE}/names/company.team/hello/three").json() == []
    assert measured.get(f"{BASE}/tasks/company.team/hello").json() == ["one", "two"]


@pytest.mark.parametrize(("how", "values"), [("sum", [30, 90]), ("avg", [15, 90]), ("min", [0, 90]), ("max", [30, 90])])
def test_values_are_put_together(measured, how, values):
    wanted = {"startDate": "2026-05-01T00:00:00Z", "endDate": "2026-05-01T23:00:00Z", "aggregation": how}
    found = measured.get(f"{BASE}/aggregates/company.team/hello/length", params=wanted).json()
    assert found["groupBy"] == "hour"
    assert [one["value"] for one in found["aggregations"]] == values
    assert [one["date"] for one in found["aggregations"]] == ["2026-05-01T12:00:00Z", "2026-05-01T13:00:00Z"]
    of_task = measured.get(f"{BASE}/aggregates/company.team/hello/two/length", params=wanted).json()
    assert [one["value"] for one in of_task["aggregations"]] == [90]


@pytest.mark.parametrize(
    "wrong", [{"aggregation": "all"}, {"startDate": "x"}, {"endDate": "0001-01-01T00:00:00+14:00"}]
)
def test_nonsense_is_refused(client, wrong):
    assert client.get(f"{BASE}/aggregates/a/b/c", params=wrong).status_code == 422
