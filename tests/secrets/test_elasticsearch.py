"""Secrets in Elasticsearch beyond the contract: what lies in the index, what cannot be done there, what is refused."""

from __future__ import annotations

import base64
import json
import logging
import threading
from contextlib import closing

import pytest
from tests.authority import Authority
from tests.fakes.elasticsearch import fake_elasticsearch
from tests.website import website

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets.backend import Address, Entry
from casemate.secrets.errors import BackendFailed, InvalidOptions
from casemate.secrets.kinds import opened

SEAL = "the text that secrets of the tests are sealed with"
CANARY = Secret("canary-9920-of-a-value")
INDEX = "kestra_casemate_secrets"


def at(name, namespace="company.team"):
    return Address(tenant=MAIN, namespace=Namespace(namespace), name=name)


def store(address, *, read_only=False, client=None, **written):
    options = {"secret": SEAL, "client": {"http-hosts": address, **(client or {})}}
    options |= {name.replace("_", "-"): value for name, value in written.items()}
    return closing(opened("elasticsearch", options, read_only=read_only, at="kestra.secret.elasticsearch"))


@pytest.fixture
def node():
    with fake_elasticsearch() as (address, fake):
        yield address, fake


def documents(fake):
    return fake.indices[INDEX].documents


def test_nothing_of_a_value_lies_in_the_index(node):
    address, fake = node
    with store(address) as backend:
        backend.write(Entry(address=at("KEY"), tags={"team": "payments"}), CANARY)
    ((identifier, document),) = documents(fake).items()
    raw = base64.b64decode(document["value"])
    assert len(raw) == 12 + len(CANARY.reveal()) + 16
    assert CANARY.reveal() not in json.dumps(document)
    assert CANARY.reveal().encode() not in raw
    assert document["kid"]
    assert "KEY" not in identifier


def test_a_document_that_is_moved_to_another_name_does_not_open(node):
    address, fake = node
    with store(address) as backend:
        for name in ("MINE", "THEIRS"):
            backend.write(Entry(address=at(name)), Secret(f"value of {name}"))
        kept = {document["key"]: document for document in documents(fake).values()}
        kept["MINE"]["value"] = kept["THEIRS"]["value"]
        with pytest.raises(BackendFailed, match="does not open") as failed:
            backend.read(at("MINE"))
    assert failed.value.passing is False


def test_another_sealing_secret_opens_nothing_and_says_which_keys_differ(node):
    address, fake = node
    with store(address) as backend:
        backend.write(Entry(address=at("KEY")), CANARY)
    other = base64.b64encode(bytes(range(32))).decode()
    with store(address, secret=other) as backend:
        with pytest.raises(BackendFailed, match="was sealed with key") as failed:
            backend.read(at("KEY"))
        assert [entry.address.name for entry in backend.entries(MAIN, None)] == ["KEY"]
    (document,) = documents(fake).values()
    assert document["kid"] in str(failed.value)
    assert other not in str(failed.value)


@pytest.mark.parametrize("damaged", [{"value": None}, {"kid": None}, {"value": "AAAA"}, {"tags": None}])
def test_a_damaged_document_does_not_open(node, damaged):
    address, fake = node
    with store(address) as backend:
        backend.write(Entry(address=at("KEY")), CANARY)
        (document,) = documents(fake).values()
        document.update(damaged)
        if "tags" in damaged:
            assert backend.read(at("KEY")) is not None
            return
        with pytest.raises(BackendFailed):
            backend.read(at("KEY"))


def test_the_index_is_made_with_the_first_secret_even_by_many_at_once(node):
    address, fake = node
    with store(address) as backend:
        assert backend.read(at("KEY")) is None
        assert backend.entries(MAIN, None) == []
        assert not fake.indices
    failures = []

    def write(number):
        try:
            with store(address) as backend:
                backend.write(Entry(address=at(f"KEY{number}")), CANARY)
        except BackendFailed as failed:
            failures.append(failed)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(documents(fake)) == 8


def test_entries_come_page_by_page(node):
    address, fake = node
    with store(address) as backend:
        backend.write(Entry(address=at("FIRST")), CANARY)
        (document,) = documents(fake).values()
        for number in range(1234):
            documents(fake)[f"{number:05}"] = {**document, "key": f"KEY{number:05}"}
        names = [entry.address.name for entry in backend.entries(MAIN, None)]
    assert names == ["FIRST", *(f"KEY{number:05}" for number in range(1234))]


def test_a_cluster_is_asked_with_tls_and_its_own_authority(tmp_path):
    authority = Authority.made(tmp_path)
    login = {"username": "casemate", "password": "of the tests"}
    with fake_elasticsearch(("casemate", "of the tests"), authority.issued("node", "127.0.0.1")) as (address, _):
        client = {"basic-auth": login, "ca-cert": str(authority.certificate)}
        with store(address, client=client) as backend:
            backend.write(Entry(address=at("KEY")), CANARY)
            assert backend.read(at("KEY")).value == CANARY
        with store(address, client={"basic-auth": login}) as backend:
            with pytest.raises(BackendFailed, match="certificate is not accepted") as failed:
                backend.read(at("KEY"))
            assert failed.value.passing is False


def test_a_cluster_of_two_nodes_is_asked_where_one_is_alive(node):
    address, _ = node
    with store(["http://127.0.0.1:1", address]) as backend:
        outcomes = [outcome(backend) for _ in range(4)]
    assert None in outcomes
    assert all(outcome is None or outcome.passing for outcome in outcomes)


def outcome(backend):
    try:
        return backend.read(at("KEY"))
    except BackendFailed as failed:
        return failed


def test_what_is_no_elasticsearch_is_told():
    with website() as other, store(other.url) as backend:
        with pytest.raises(BackendFailed, match="is not Elasticsearch") as failed:
            backend.read(at("KEY"))
        assert failed.value.passing is False


@pytest.mark.parametrize("status", [400, 404, 406])
def test_an_opensearch_is_told_as_such_and_not_as_a_store_without_secrets(status):
    with fake_elasticsearch(other=status) as (address, _), store(address) as backend:
        for ask in (
            lambda: backend.read(at("KEY")),
            lambda: backend.entries(MAIN, None),
            lambda: backend.write(Entry(address=at("KEY")), CANARY),
        ):
            with pytest.raises(BackendFailed, match="OpenSearch") as failed:
                ask()
            assert failed.value.passing is False


def test_the_log_of_the_client_holds_no_secret(node, caplog):
    with caplog.at_level(logging.DEBUG), store(node[0]) as backend:
        backend.write(Entry(address=at("KEY"), description="canary-9920 words"), CANARY)
        backend.read(at("KEY"))
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"secret": "hunter2"}, "secret: a text of at least 32 characters is needed"),
        ({"client": None}, "kestra.elasticsearch.client.http-hosts is needed"),
        ({"client": {"http-hosts": []}}, "http-hosts is needed"),
        ({"client": {"http-hosts": "hunter2"}}, "http-hosts is no URL"),
        ({"client": {"http-hosts": "http://search.company.example:9200"}}, "would show secrets to the network"),
        ({"client": {"http-hosts": "https://user:hunter2@search"}}, "http-hosts is no URL"),
        ({"client": {"http-hosts": "https://search", "trust-all-ssl": True}}, "give ca-cert instead"),
        ({"client": {"http-hosts": "https://search", "ca-cert": "/nowhere"}}, "ca-cert is no readable file"),
        ({"client": {"http-hosts": "http://127.0.0.1", "ca-cert": "/nowhere"}}, "ca-cert has no effect"),
        ({"client": {"http-hosts": "https://search", "api-key": "hunter2"}}, "client.api-key"),
        ({"indice-prefix": "Upper"}, "indice-prefix is of small letters"),
        ({"read-timeout": "0s"}, "read-timeout: must be more than nothing"),
        ({"prefix": "hunter2"}, "at.prefix"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_words(written, told):
    options = {"secret": SEAL, "client": {"http-hosts": "https://search"}, **written}
    with pytest.raises(InvalidOptions) as refused:
        opened("elasticsearch", options, read_only=False, at="at")
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)
