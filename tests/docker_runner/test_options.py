"""Properties of the runner, from what a flow says to what is meant: each means something, or is refused in words."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from casemate.containers import OptionRefused, image_of, read_options
from casemate.containers.credentials import header, registry_of
from casemate.containers.options import Memory, Port, Volume
from casemate.secret import Secret


def test_without_any_option_it_is_kestras_defaults():
    options = read_options({"type": "x"})
    assert (options.pull_policy, options.files, options.entry_point) == ("IF_NOT_PRESENT", "VOLUME", ("",))
    assert (options.delete, options.wait, options.resume, options.privileged) == (True, True, True, False)
    assert options.grace == timedelta()


def test_everything_can_come_as_the_text_that_a_template_gave():
    options = read_options(
        {
            "privileged": "true",
            "wait": "False",
            "cpu": {"cpus": "1.5"},
            "memory": {"memory": "512mb", "memorySwap": "1 GB", "memorySwappiness": "10", "oomKillDisable": "false"},
            "shmSize": "64MB",
            "volumes": '["/a:/b:ro", "data:/c"]',
            "portBindings": ["127.0.0.1:80:8080/udp", "81:81"],
            "killGracePeriod": "PT5S",
        }
    )
    assert options.privileged
    assert not options.wait
    assert options.cpus == 1.5
    assert options.memory == Memory(memory=512 << 20, swap=1 << 30, swappiness=10)
    assert options.shared_memory == 64 << 20
    assert options.volumes == (
        Volume(source="/a", target="/b", read_only=True),
        Volume(source="data", target="/c", read_only=False),
    )
    assert options.ports == (
        Port(ip="127.0.0.1", host="80", inner="8080/udp"),
        Port(ip="", host="81", inner="81/tcp"),
    )
    assert options.grace == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"memory": {"memory": "lots"}}, "Invalid size with value 'lots'"),
        ({"memory": {"kernelMemory": "1MB"}}, "kernelMemory"),
        ({"memory": {"oomKillDisable": True}}, "oomKillDisable"),
        ({"memory": {"memorySwappiness": 101}}, "memorySwappiness"),
        ({"memory": {"mem": "1MB"}}, "'mem'"),
        ({"cpu": {"cpus": "-1"}}, "cpu.cpus"),
        ({"volumes": ["/a"]}, "volumes"),
        ({"volumes": ["/a:/b:rw,z"]}, "volumes"),
        ({"portBindings": ["80"]}, "portBindings"),
        ({"pullPolicy": "SOMETIMES"}, "pullPolicy"),
        ({"privileged": "perhaps"}, "privileged"),
        ({"killGracePeriod": "soon"}, "killGracePeriod"),
        ({"killGracePeriod": "P1D"}, "a kill waits for it"),
        ({"capAdd": ["SYS_ADMIN"]}, "no property 'capAdd'"),
        ({"deviceRequests": [{"gpu": 1}]}, "'gpu'"),
        ({"config": {"credHelpers": {"a": "b"}}}, "credential helper"),
        ({"config": {"proxies": {}}}, "'proxies'"),
        ({"config": "no map"}, "config"),
        ({"credentials": {"auth": "?"}}, "auth"),
        ({"credentials": {"token": "x"}}, "'token'"),
    ],
)
def test_what_means_nothing_is_refused(given, words):
    with pytest.raises(OptionRefused, match=words.replace("(", r"\(")):
        read_options(given)


@pytest.mark.parametrize(
    ("written", "image", "registry"),
    [
        ("ubuntu", "ubuntu:latest", "https://index.docker.io/v1/"),
        ("docker.io/library/ubuntu:24.04", "docker.io/library/ubuntu:24.04", "https://index.docker.io/v1/"),
        ("ghcr.io/a/b", "ghcr.io/a/b:latest", "ghcr.io"),
        ("localhost:5000/a", "localhost:5000/a:latest", "localhost:5000"),
        ("a/b@sha256:" + "0" * 64, "a/b@sha256:" + "0" * 64, "https://index.docker.io/v1/"),
    ],
)
def test_an_image_has_a_tag_and_a_registry(written, image, registry):
    assert image_of(written) == image
    assert registry_of(image) == registry


@pytest.mark.parametrize("written", ["", "../containers/x", "a/../b", "a b", "a?tag=b", "A", "a:b:c", "x" * 600])
def test_what_is_no_image_is_refused(written):
    with pytest.raises(OptionRefused):
        image_of(written)


def told(secret: Secret | None) -> dict[str, str]:
    assert secret is not None
    return dict(json.loads(base64.urlsafe_b64decode(secret.reveal())))


def test_credentials_go_to_their_own_registry_only():
    options = read_options({"credentials": {"registry": "https://ghcr.io", "username": "ada", "password": "pw"}})
    assert told(header(options.credentials, "ghcr.io/a/b:1"))["password"] == "pw"
    assert header(options.credentials, "evil.example/a:1") is None


def test_credentials_without_a_registry_are_for_that_of_the_image():
    options = read_options({"credentials": {"username": "ada", "password": "pw"}})
    assert told(header(options.credentials, "quay.io/a:1"))["serveraddress"] == "quay.io"


def test_a_clients_configuration_may_come_as_text():
    auth = base64.b64encode(b"ada:pass:word").decode()
    options = read_options({"config": json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}})})
    assert told(header(options.credentials, "ubuntu:latest"))["password"] == "pass:word"


def test_no_credential_is_shown_by_a_repr():
    options = read_options({"credentials": {"username": "ada", "password": "topsecret", "identityToken": "tok-en"}})
    assert "topsecret" not in repr(options)
    assert "tok-en" not in repr(options)
