"""Unsafe options: each is refused without a grant, by name and with the key; what was granted passes, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.containers import Rules, network_of, read_options, refusals
from casemate.sandbox import Egress, Limits, Policy

POLICY = Policy(egress=Egress(open=True), limits=Limits(memory=1 << 30, cpu=2))
OWN = "unix:///var/run/docker.sock"


def refused(told, *grants, policy=POLICY, **rules):
    return list(refusals(read_options(told), Rules(grants=grants, **rules), policy, OWN))


UNSAFE = [
    ({"privileged": True}, "privileged", "privileged"),
    ({"networkMode": "host"}, "networkMode", "networkMode:host"),
    ({"networkMode": "bridge"}, "networkMode", "networkMode:bridge"),
    ({"networkMode": "container:abc"}, "networkMode", "networkMode:container:abc"),
    ({"volumes": ["/srv:/srv"]}, "volumes", "volumes:/srv"),
    ({"volumes": ["data:/srv"]}, "volumes", "volumes:data"),
    ({"host": "tcp://other:2375"}, "host", "host:tcp://other:2375"),
    ({"deviceRequests": [{"count": -1, "capabilities": [["gpu"]]}]}, "deviceRequests", "deviceRequests"),
    ({"user": "root"}, "user", "user"),
    ({"user": "0:0"}, "user", "user"),
    ({"user": "00"}, "user", "user"),
    ({"user": "+0:1000"}, "user", "user"),
    ({"user": "-0"}, "user", "user"),
    ({"fileHandlingStrategy": "MOUNT"}, "fileHandlingStrategy", "MOUNT"),
    ({"portBindings": ["80:80"]}, "portBindings", "portBindings"),
    ({"wait": False}, "wait", "wait"),
    ({"delete": False}, "delete", "delete"),
]


@pytest.mark.parametrize(("told", "option", "grant"), UNSAFE)
def test_w7_an_unsafe_option_is_refused_by_name_with_the_key_that_grants_it(told, option, grant):
    (words,) = refused(told)
    assert f"`{option}`" in words
    assert f"'{grant}'" in words
    assert "casemate.isolation.docker.grants" in words


@pytest.mark.parametrize(("told", "option", "grant"), UNSAFE)
def test_what_is_granted_passes(told, option, grant):
    assert refused(told, grant) == []


@pytest.mark.parametrize("grant", ["networkMode", "volumes", "host"])
def test_a_grant_without_a_value_means_any(grant):
    told = {"networkMode": "x", "volumes": ["/srv/a:/b"], "host": "tcp://other:1"}
    assert len(refused(told, grant)) == 2


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"user": "65534", "networkMode": "none", "pullPolicy": "NEVER", "killGracePeriod": "PT5S", "resume": False},
        {"host": OWN, "entryPoint": ["/bin/sh"], "extraHosts": ["db:10.0.0.1"], "shmSize": "128MB"},
        {"memory": {"memory": "1GB"}, "cpu": {"cpus": 2}},
    ],
)
def test_what_opens_nothing_needs_no_grant(told):
    assert refused(told) == []


@pytest.mark.parametrize("told", [{"memory": {"memory": "2GB"}}, {"memory": {"memorySwap": "2GB"}}, {"shmSize": "2GB"}])
def test_more_memory_than_the_policy_allows_is_refused(told):
    (words,) = refused(told, "privileged")
    assert "casemate.isolation.limits.memory" in words


def test_more_cores_than_the_policy_allows_are_refused():
    (words,) = refused({"cpu": {"cpus": 2.5}})
    assert "casemate.isolation.limits.cpu" in words


def test_a_folder_that_is_granted_for_reading_is_granted_with_what_lies_in_it_and_no_further(tmp_path: Path):
    shared, secret = tmp_path / "shared", tmp_path / "secret"
    (shared / "deep").mkdir(parents=True)
    secret.mkdir()
    (shared / "link").symlink_to(secret)
    grant = f"volumes:{shared}:ro"
    assert refused({"volumes": [f"{shared}/deep:/a:ro"]}, grant) == []
    for source in (f"{shared}/../secret", f"{shared}/link", f"{shared}-2", str(tmp_path)):
        assert refused({"volumes": [f"{source}:/a:ro"]}, grant), source


@pytest.mark.parametrize("grant", ["/srv/shared", "/srv/shared/"])
def test_below_a_folder_that_tasks_may_write_to_nothing_is_shown_since_they_could_put_a_link_there(grant):
    for source in ("/srv/shared", "/srv/shared/"):
        assert refused({"volumes": [f"{source}:/a", f"{source}:/b:ro"]}, f"volumes:{grant}") == []
    for source in ("/srv/shared/deep:/a", "/srv/shared/deep:/a:ro", "/srv/shared/.:/a", "/:/a"):
        assert refused({"volumes": [source]}, f"volumes:{grant}", "volumes:"), source


def test_a_folder_that_is_granted_for_reading_is_not_for_writing():
    assert refused({"volumes": ["/srv:/a:ro"]}, "volumes:/srv:ro") == []
    assert refused({"volumes": ["/srv:/a"]}, "volumes:/srv:ro")


def test_no_grant_shows_what_belongs_to_the_server_or_is_forbidden():
    private = ("/var/run/docker.sock", "/var/lib/casemate")
    policy = Policy(forbidden=("/etc",))
    for source in ("/var/run/docker.sock", "/var/run", "/", "/var/lib/casemate/storage", "/etc", "/etc/ssl"):
        told = {"volumes": [f"{source}:/a:ro"]}
        (words,) = refused(told, "volumes", private=private, policy=policy)
        assert "never shown to tasks" in words


def test_kestras_switch_for_volumes_is_stricter_than_a_grant():
    (words,) = refused({"volumes": ["/srv:/a"]}, "volumes", volumes=False)
    assert "volume-enabled" in words


def test_containers_join_no_network_but_the_operators():
    assert network_of(read_options({}), Rules(), POLICY) == "none"
    assert network_of(read_options({}), Rules(network="filtered"), POLICY) == "filtered"
    assert refused({"networkMode": "filtered"}, network="filtered") == []
    assert refused({"networkMode": "none"}, network="filtered") == []


def test_where_tasks_have_no_network_no_grant_gives_a_container_one():
    closed = Policy(egress=Egress(open=False))
    assert network_of(read_options({}), Rules(network="filtered"), closed) == "none"
    (words,) = refused({"networkMode": "bridge"}, "networkMode", policy=closed)
    assert "casemate.isolation.egress.open" in words
