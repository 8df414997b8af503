"""Kill switches, quotas, banners and maintenance on a real server, by Kestra's own client, and across kill -9."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .running import Server

pytest.importorskip("regex", reason="kestrapy needs the package regex, which its own metadata forgets")
kestrapy = pytest.importorskip("kestrapy")

TENANT, NAMESPACE = "main", "company.pay"
LONG = """
id: long
namespace: company.pay
tasks:
  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: "{{ labels.nap ?? 'PT1S' }}"}
  - {id: after, type: io.kestra.plugin.core.log.Log, message: went on}
"""
QUICK = "id: quick\nnamespace: company.pay\ntasks:\n  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}\n"
COUNTED = QUICK.replace("id: quick", "id: counted") + "quotas: [{duration: P1D, limit: 3, behavior: CANCEL}]\n"
FAILING = QUICK.replace("id: quick", "id: failing") + "quotas: [{duration: P1D, limit: 1, behavior: FAIL}]\n"
IGNORED = QUICK.replace("id: quick", "id: ignored") + "quotas: [{duration: P1D, limit: 2, behavior: CANCEL}]\n"
CONFIGURATION = "casemate: {quotas: [{namespace: company, duration: P1D, limit: 1000, behavior: FAIL}]}\n"


class Again:
    """A server that is killed and started again on the same state."""

    def __init__(self, folder: Path) -> None:
        self.state, self.configuration = folder / "state", folder / "kestra.yml"
        self.configuration.write_text(CONFIGURATION)
        self._start()

    def _start(self) -> None:
        self.server = Server(self.state, "-c", str(self.configuration))
        self.client = kestrapy.KestraClient(host=self.server.url, timeout=60)

    def kill(self) -> None:
        self.server.kill()
        self._start()


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    running = Again(tmp_path_factory.mktemp("governing"))
    try:
        for source in (LONG, QUICK, COUNTED, FAILING, IGNORED):
            assert running.server.save(source).ok
        yield running
    finally:
        running.server.stop()


def until(true: Callable[[], bool], limit: float = 40) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def state_of(again: Again, execution: str) -> str:
    return str(again.server.execution(execution)["state"]["current"])


def runs_of(again: Again, execution: str) -> dict[str, str]:
    found = again.server.execution(execution).get("taskRunList") or []
    return {run["taskId"]: run["state"]["current"] for run in found}


def at_work(again: Again, nap: str) -> str:
    identifier = str(again.server.start(NAMESPACE, "long", labels=f"nap:{nap}")["id"])
    until(lambda: runs_of(again, identifier).get("nap") == "RUNNING")
    return identifier


def switch(again: Again, evaluation: str, **more: Any) -> Any:
    wanted = kestrapy.KillSwitch(
        name=f"stop-{evaluation.lower()}",
        tenantId=TENANT,
        namespace=NAMESPACE,
        startDate=datetime.now(UTC) - timedelta(minutes=1),
        evaluationType=evaluation,
        **more,
    )
    return again.client.kill_switches.create_kill_switch(wanted)


def labels_of(again: Again, execution: str) -> dict[str, str]:
    return {label["key"]: label["value"] for label in again.server.execution(execution)["labels"]}


def test_cancel_lets_what_is_at_work_end_and_blocks_what_is_new(again):
    running = at_work(again, "PT2S")
    made = switch(again, "CANCEL")
    blocked = again.server.start(NAMESPACE, "quick")["id"]
    assert state_of(again, blocked) == "CANCELLED"
    assert again.server.until_ended(running)["state"]["current"] == "CANCELLED"
    assert runs_of(again, running) == {"nap": "SUCCESS"}
    assert labels_of(again, running)["system.killSwitch"] == labels_of(again, blocked)["system.killSwitch"] == made.name
    again.client.kill_switches.delete_kill_switch(made.id)
    assert again.server.until_ended(again.server.start(NAMESPACE, "quick")["id"])["state"]["current"] == "SUCCESS"


def test_an_immediate_kill_stops_what_is_at_work_and_a_restart_forgets_nothing(again):
    running = at_work(again, "PT10M")
    made = switch(again, "KILL", enabled=False)
    again.server.start(NAMESPACE, "quick")
    again.kill()
    assert state_of(again, running) == "RUNNING"
    made.enabled = True
    made.additional_properties["immediate"] = True
    again.client.kill_switches.update_kill_switch(made.id, made)
    assert again.server.until_ended(running)["state"]["current"] == "KILLED"
    again.kill()
    assert [one.name for one in again.client.kill_switches.search_kill_switches()] == ["stop-kill"]
    assert state_of(again, again.server.start(NAMESPACE, "quick")["id"]) == "KILLED"
    restarted = again.client.executions.replay_execution(running, TENANT)
    assert again.server.until_ended(restarted.id)["state"]["current"] == "KILLED"
    again.client.kill_switches.delete_kill_switch(made.id)


def test_what_was_committed_before_a_crash_is_obeyed_after_it(again):
    running = at_work(again, "PT10M")
    made = switch(again, "KILL")
    again.kill()
    assert again.server.until_ended(running)["state"]["current"] == "KILLED"
    again.client.kill_switches.delete_kill_switch(made.id)


def test_what_is_ignored_stands_still_and_goes_on_afterwards(again):
    made = switch(again, "IGNORE")
    waiting = again.server.start(NAMESPACE, "quick")["id"]
    again.kill()
    time.sleep(1)
    assert state_of(again, waiting) == "CREATED"
    with pytest.raises(kestrapy.ApiException) as refused:
        again.client.executions.kill_execution(waiting, TENANT)
    assert refused.value.status == 409
    again.client.kill_switches.delete_kill_switch(made.id)
    assert again.server.until_ended(waiting)["state"]["current"] == "SUCCESS"


def test_what_is_ignored_counts_like_everything_that_is_created(again):
    made = switch(again, "IGNORE")
    states = started_at_once(again, "ignored", 3)
    assert sorted(states) == ["CANCELLED", "CREATED", "CREATED"]
    again.client.kill_switches.delete_kill_switch(made.id)


def test_a_switch_tells_of_itself_in_a_banner_that_nobody_hides(again):
    made = switch(again, "CANCEL")
    (banner,) = again.client.banners.search_banners()
    assert banner.active
    assert banner.message == "Kill switch 'stop-cancel': executions in the namespace company.pay are cancelled."
    with pytest.raises(kestrapy.ApiException, match="comes, changes and goes with its kill switch"):
        again.client.banners.delete_banner(banner.id)
    again.kill()
    assert again.client.banners.search_banners() == [banner]
    again.client.kill_switches.delete_kill_switch(made.id)
    assert again.client.banners.search_banners() == []


def test_a_switch_whose_time_comes_later_is_obeyed_then(again):
    running = at_work(again, "PT10M")
    made = switch(again, "PASS")
    made.evaluation_type, made.start_date = "KILL", datetime.now(UTC) + timedelta(seconds=1)
    made.additional_properties["immediate"] = True
    again.client.kill_switches.update_kill_switch(made.id, made)
    assert again.server.until_ended(running)["state"]["current"] == "KILLED"
    again.client.kill_switches.delete_kill_switch(made.id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tenantId": None}, "a namespace needs a tenantId"),
        ({"flowId": "f", "namespace": None}, "a flowId needs a tenantId and a namespace"),
        ({"endDate": datetime(2020, 1, 1, tzinfo=UTC)}, "endDate must be after startDate"),
        ({"startDate": datetime(9999, 12, 31, tzinfo=UTC)}, "startDate"),
        ({"additional_properties": {"flow": "misspelt"}}, "flow"),
    ],
)
def test_a_switch_that_cannot_be_meant_is_refused(again, wrong, message):
    given = {"name": "x", "tenantId": TENANT, "namespace": NAMESPACE, "startDate": datetime.now(UTC), **wrong}
    with pytest.raises(kestrapy.ApiException, match=message):
        again.client.kill_switches.create_kill_switch(kestrapy.KillSwitch(evaluationType="KILL", **given))
    with pytest.raises(kestrapy.ApiException) as unknown:
        again.client.kill_switches.delete_kill_switch("nowhere")
    assert unknown.value.status == 404


def started_at_once(again: Again, flow: str, count: int) -> list[str]:
    with ThreadPoolExecutor(count) as pool:
        made = pool.map(lambda _: again.server.start(NAMESPACE, flow), range(count))
        return [state_of(again, one["id"]) for one in made]


def counter(again: Again, **place: str | None) -> Any:
    found = again.client.quotas.search_quota_limits(TENANT)
    return next(one for one in found if all(getattr(one, name) == value for name, value in place.items()))


def test_of_many_that_come_at_once_only_so_many_are_created(again):
    states = started_at_once(again, "counted", 6)
    assert states.count("CANCELLED") == 3
    assert counter(again, flow_id="counted").count == 3
    again.kill()
    late = again.server.start(NAMESPACE, "counted")["id"]
    assert state_of(again, late) == "CANCELLED"
    told = [entry.message for entry in again.client.logs.list_logs_from_execution(late, TENANT)]
    assert told == ["Flow is CANCELLED due to quota exceeded: 3 execution(s) in PT24H for flow company.pay.counted"]
    request = kestrapy.QuotaLimitControllerApiQuotaLimitResetRequest
    again.client.quotas.reset_quota_limit(TENANT, request(namespace=NAMESPACE, flowId="counted", id="P1D"))
    assert counter(again, flow_id="counted").count == 0
    assert again.server.until_ended(again.server.start(NAMESPACE, "counted")["id"])["state"]["current"] == "SUCCESS"
    with pytest.raises(kestrapy.ApiException, match="Quota limit not found"):
        again.client.quotas.reset_quota_limit(TENANT, request(id="P1D"))


def test_a_quota_that_fails_and_one_of_the_namespace_above(again):
    assert sorted(started_at_once(again, "failing", 2))[0] == "FAILED"
    good = again.client.executions.search_executions(TENANT, filters=[])["results"]
    (first,) = [one for one in good if one["flowId"] == "failing" and one["state"]["current"] != "FAILED"]
    ended = again.server.until_ended(first["id"])
    run = ended["taskRunList"][0]["id"]
    copied = again.client.executions.replay_execution(first["id"], TENANT, task_run_id=run)
    assert again.server.until_ended(copied.id)["state"]["current"] == "FAILED"
    before = counter(again, namespace="company", flow_id=None).count
    again.server.start(NAMESPACE, "failing")
    assert counter(again, namespace="company", flow_id=None).count == before
    again.server.start(NAMESPACE, "quick")
    assert counter(again, namespace="company", flow_id=None).count == before + 1


def test_banners_are_made_shown_in_their_time_and_taken_away(again):
    now = datetime.now(UTC)
    shown = again.client.banners.create_banner(kestrapy.Banner(message="We move tonight", type="WARNING"))
    later = again.client.banners.create_banner(kestrapy.Banner(message="later", startDate=now + timedelta(hours=1)))
    again.kill()
    found = {banner.message: banner.active for banner in again.client.banners.search_banners()}
    assert found == {"We move tonight": True, "later": False}
    later.start_date = now - timedelta(hours=1)
    assert again.client.banners.update_banner(later.id, later).active
    for banner in (shown, later):
        again.client.banners.delete_banner(banner.id)
    assert again.client.banners.search_banners() == []
    with pytest.raises(kestrapy.ApiException) as unknown:
        again.client.banners.delete_banner(shown.id)
    assert unknown.value.status == 404


def test_in_maintenance_nothing_begins_what_is_at_work_ends_and_a_restart_changes_nothing(again):
    instance = again.client.instance
    running = at_work(again, "PT2S")
    instance.enter_maintenance()
    status = instance.maintenance_status()
    assert (status.maintenance, status.ready, status.services.worker.in_maintenance) == (True, False, 0)
    states = started_at_once(again, "quick", 2)
    assert states == ["CREATED", "CREATED"]
    until(lambda: instance.maintenance_status().ready)
    assert runs_of(again, running) == {"nap": "SUCCESS", "after": "CREATED"}
    again.kill()
    instance = again.client.instance
    waiting = again.server.start(NAMESPACE, "quick")["id"]
    time.sleep(1)
    assert (state_of(again, waiting), runs_of(again, running)["after"]) == ("CREATED", "CREATED")
    assert not again.client.instance.exit_maintenance()["maintenance"]
    for execution in (waiting, running):
        assert again.server.until_ended(execution)["state"]["current"] == "SUCCESS"
