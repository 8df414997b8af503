"""Google Secret Manager, on a fake of its wire: labels and annotations, credentials, and what others wrote there."""

from __future__ import annotations

import contextlib

import pytest
from google.cloud import secretmanager_v1 as api
from tests.fakes.secret_manager import PROJECT, secret_manager
from tests.secrets.contract.stores.google import open_project

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Entry
from casemate.secrets.errors import BackendFailed, InvalidOptions
from casemate.secrets.kinds import opened
from casemate.secrets.naming import stored_name

AT = "kestra.secret.google-secret-manager"
KEY = Address(tenant=MAIN, namespace=Namespace("company.team"), name="KEY")
PATH = f"projects/{PROJECT}/secrets/{stored_name('kestra', KEY)}"


@pytest.fixture
def fake():
    with secret_manager() as running:
        yield running


@pytest.fixture
def project(fake):
    with contextlib.ExitStack() as held:
        yield lambda **options: held.enter_context(contextlib.closing(open_project(fake, **options)))


def value(backend, address=KEY):
    found = backend.read(address)
    return found and found.value.reveal()


def kept(fake, name, text, annotations=None, **labels):
    path = f"projects/{PROJECT}/secrets/{name}"
    fake.kept[path] = api.Secret(name=path, labels=labels, annotations=annotations or {})
    fake.versions[path] = [text]


def test_all_tags_are_annotations_and_some_are_labels(fake, project):
    tags = {"stage": "live", "Team": "A B"}
    project().write(Entry(address=KEY, tags=tags, description="words"), Secret("written"))
    said = {"namespace": "company.team", "tenant": "main", "key": "KEY", "prefix": "kestra"}
    assert dict(fake.kept[PATH].annotations) == {**said, **tags, "casemate-description": "words"}
    assert dict(fake.kept[PATH].labels) == {
        "stage": "live",
        "tenant": "main",
        "prefix": "kestra",
        "casemate-description": "words",
    }


def test_a_replaced_value_is_the_latest_version(fake, project):
    backend = project()
    for text in ("old", "new"):
        backend.write(Entry(address=KEY), Secret(text))
    assert fake.versions[PATH] == [b"old", b"new"]
    assert value(backend) == "new"


def test_what_has_no_version_yet_is_not_found(fake, project):
    backend = project()
    backend.write(Entry(address=KEY), Secret("x"))
    fake.versions[PATH].clear()
    assert backend.read(KEY) is None


def test_a_disabled_version_is_told(fake, project):
    backend = project()
    backend.write(Entry(address=KEY), Secret("x"))
    fake.versions[PATH].append(None)
    with pytest.raises(BackendFailed, match="disabled") as failed:
        backend.read(KEY)
    assert failed.value.passing is False


def test_bytes_that_are_no_text_are_told(fake, project):
    backend = project()
    backend.write(Entry(address=KEY), Secret("x"))
    fake.versions[PATH].append(b"\xff\xfe")
    with pytest.raises(BackendFailed, match="bytes"):
        backend.read(KEY)


def test_secrets_marked_by_hand_are_read(fake, project):
    by_hand = {"namespace": "company.team", "key": "KEY"}
    kept(fake, "db-password", b"by hand", by_hand, prefix="kestra")
    kept(fake, "of-others", b"x", {**by_hand, "key": "OTHER"}, prefix="theirs")
    kept(fake, "of-a-tenant", b"x", by_hand, prefix="kestra", tenant="other")
    kept(fake, "by-labels", b"labelled", prefix="kestra", namespace="flat", key="key")
    backend = project(read_only=True)
    assert value(backend) == "by hand"
    assert value(backend, Address(tenant=MAIN, namespace=Namespace("flat"), name="key")) == "labelled"
    assert [entry.address.name for entry in backend.entries(MAIN, Namespace("company.team"))] == ["KEY"]


@pytest.mark.parametrize(("keep", "name"), [(False, "PASSWORD"), (True, "app_PASSWORD")])
def test_with_a_filter_on_a_prefix_the_name_is_the_key(fake, project, keep, name):
    kept(fake, "app_PASSWORD", b"by name")
    kept(fake, "PASSWORD", b"not by name")
    backend = project(read_only=True, filter_on_prefix={"prefix": "app_", "keep-prefix": keep})
    address = Address(tenant=MAIN, namespace=ANYWHERE, name=name)
    assert value(backend, address) == "by name"
    assert [entry.address for entry in backend.entries(MAIN, None)] == [address]


def test_a_filter_on_a_prefix_is_for_reading_only(project):
    with pytest.raises(InvalidOptions, match="read-only"):
        project(filter_on_prefix={"prefix": "app_"})


def test_credentials_of_the_environment_are_taken_only_in_words(fake, project, monkeypatch, tmp_path):
    (tmp_path / "key.json").write_text(fake.account())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(InvalidOptions, match="exactly one"):
        project(service_account=None)
    assert project(service_account=None, ambient=True).read(KEY) is None


def test_a_certificate_of_nobody_known_is_refused(project):
    with pytest.raises(BackendFailed):
        project(ca_cert=None, read_timeout="3s").read(KEY)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"service-account": "hunter2"}, "project"),
        ({"project": "p"}, "exactly one of service-account"),
        ({"project": "p", "service-account": "hunter2", "ambient": True}, "exactly one of service-account"),
        ({"project": "p", "service-account": "hunter2"}, "JSON text"),
        ({"project": "p", "service-account": '{"private_key": "hunter2"}'}, "JSON text"),
        ({"project": "p/x", "service-account": "hunter2"}, "project has characters"),
        ({"project": "p", "service-account": "hunter2", "prefix": "a.b"}, "prefix has characters"),
        ({"project": "p", "service-account": "hunter2", "endpoint": "http://x"}, "endpoint has characters"),
        ({"project": "p", "service-account": "hunter2", "location": "eu"}, "location"),
        ({"project": "p", "service-account": "hunter2", "ca-cert": "/none.pem"}, "ca-cert"),
    ],
)
def test_options_that_cannot_be_are_refused(written, told):
    with pytest.raises(InvalidOptions) as refused:
        opened("google-secret-manager", written, read_only=False, at=AT)
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)
