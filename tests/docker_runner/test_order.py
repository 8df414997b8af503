"""The request for a container, that asks for the strictest whatever the engine does by itself; the report of it."""

from __future__ import annotations

from pathlib import Path

from casemate.containers import Order, Rules, labels_of, read_options
from casemate.containers.order import request
from casemate.containers.report import isolation
from casemate.sandbox import Egress, Level, Limits, Policy

ABOUT = {"ServerVersion": "28.0", "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}


def order(options=None, rules=None, policy=None) -> Order:
    return Order(
        image="ubuntu:24.04",
        argv=("/bin/sh", "-c", "true"),
        env={"A": "b"},
        folder=Path("/state/run"),
        options=read_options(options or {}),
        rules=rules or Rules(),
        policy=policy or Policy(egress=Egress(open=True), limits=Limits(memory=1 << 20, processes=9, cpu=0.5)),
        labels=labels_of("a.b", "f", "t", "e", "r", 2),
        home="home",
        life="life",
        wants_files=False,
    )


def host_part(made: Order) -> dict[str, object]:
    part = request(made, init=True)["HostConfig"]
    assert isinstance(part, dict)
    return part


def test_every_wall_is_asked_for():
    walls = host_part(order())
    assert walls["CapDrop"] == ["ALL"]
    assert walls["CapAdd"] == []
    assert walls["SecurityOpt"] == ["no-new-privileges"]
    assert walls["ReadonlyRootfs"] is True
    assert walls["NetworkMode"] == "none"
    assert walls["Privileged"] is False
    assert walls["RestartPolicy"] == {"Name": "no"}
    assert "Binds" not in walls
    assert "Devices" not in walls
    assert "PidMode" not in walls


def test_the_limits_of_the_policy_are_the_containers():
    amounts = host_part(order())
    assert (amounts["Memory"], amounts["MemorySwap"], amounts["PidsLimit"]) == (1 << 20, 1 << 20, 9)
    assert (amounts["CpuQuota"], amounts["CpuPeriod"]) == (50_000, 100_000)


def test_a_core_is_a_core():
    amounts = host_part(order({"cpu": {"cpus": 0.25}}))
    assert (amounts["CpuQuota"], amounts["CpuPeriod"]) == (25_000, 100_000)


def test_next_to_nothing_of_a_core_is_not_all_of_them():
    for asked in ({"cpu": {"cpus": 0.000001}}, {"cpu": {"cpus": "1e-300"}}):
        assert host_part(order(asked))["CpuQuota"] == 1_000


def test_the_image_keeps_neither_entry_point_nor_network():
    made = request(order({"extraHosts": ["db:10.0.0.1"]}), init=False)
    assert made["Entrypoint"] == [""]
    assert made["Env"] == ["A=b"]
    assert host_part(order({"extraHosts": ["db:10.0.0.1"]}))["ExtraHosts"] == ["db:10.0.0.1"]


def test_labels_are_cut_as_kestra_cuts_them():
    labels = labels_of("n" * 62 + ".x", "f", "t-", "e", "r", 1)
    assert labels["kestra.io/namespace"] == "n" * 62
    assert labels["kestra.io/task-id"] == "t"


def test_only_what_runs_once_removes_itself():
    assert host_part(order({"wait": False}))["AutoRemove"] is True
    assert host_part(order({"wait": False, "delete": False}))["AutoRemove"] is False
    assert host_part(order())["AutoRemove"] is False


def test_the_report_never_claims_walls_of_ours():
    report = isolation(order(), ABOUT, limits_hit=(), seconds=1)
    assert report.level is Level.DOCKER
    assert report.level.value == "container (docker)"
    assert report.walls["users"] == "the user of the image, in a user namespace"
    assert report.walls["system calls"].endswith("builtin")


def test_a_privileged_container_is_said_to_be_held_by_nothing():
    made = order({"privileged": True}, Rules(grants=("privileged",)))
    report = isolation(made, ABOUT, limits_hit=(), seconds=1)
    assert report.walls["none"] == "the container is privileged: nothing holds it"
    assert "capabilities" not in report.walls
    assert report.allowed["granted"] == ["privileged"]
