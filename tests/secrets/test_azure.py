"""Azure Key Vault, on a fake of its wire: identities, deletions that wait, and what others wrote there."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fakes.key_vault import ASSERTION, CLIENT, SECRET, TENANT, TOKEN, key_vault
from tests.secrets.contract.stores.azure import open_vault

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Entry
from casemate.secrets.errors import BackendFailed, InvalidOptions
from casemate.secrets.kinds import opened
from casemate.secrets.naming import stored_name

AT = "kestra.secret.azure-key-vault"
KEY = Address(tenant=MAIN, namespace=Namespace("company.team"), name="KEY")


@pytest.fixture
def fake():
    with key_vault() as running:
        yield running


@pytest.fixture
def vault(fake):
    with contextlib.ExitStack() as held:
        yield lambda **options: held.enter_context(contextlib.closing(open_vault(fake, **options)))


def value(backend, address=KEY):
    found = backend.read(address)
    return found and found.value.reveal()


def kept(fake, name, text, **tags):
    attributes = {"enabled": tags.pop("enabled", True)}
    identity = f"https://{fake.host}/secrets/{name}"
    fake.kept[name.lower()] = {"id": identity, "value": text, "tags": tags, "attributes": attributes}


def test_a_secret_is_under_its_prefix_and_a_hash_and_its_tags_say_what_it_is(fake, vault):
    vault(prefix="flows").write(Entry(address=KEY, description="words"), Secret("written"))
    (bundle,) = fake.kept.values()
    assert bundle["id"].endswith("/secrets/" + stored_name("flows", KEY))
    said = {"namespace": "company.team", "tenant": "main", "key": "KEY", "prefix": "flows"}
    assert bundle["tags"] == {**said, "casemate-description": "words"}


def test_without_a_prefix_the_hash_alone_is_its_name(fake, vault):
    backend = vault()
    backend.write(Entry(address=KEY), Secret("written"))
    assert set(fake.kept) == {stored_name("", KEY)}
    assert [entry.address for entry in backend.entries(MAIN, None)] == [KEY]


@pytest.mark.parametrize("where", ["of the secret", "of the instance"])
def test_an_instance_without_a_prefix_does_not_write_into_one_that_has_one(fake, vault, where):
    forged = {"prefix": "theirs", "casemate-description": "not mine"}
    ours = vault(tags=forged) if where == "of the instance" else vault()
    ours.write(Entry(address=KEY, tags=forged if where == "of the secret" else {}), Secret("forged"))
    theirs = vault(prefix="theirs", read_only=True)
    assert theirs.read(KEY) is None
    assert theirs.entries(MAIN, None) == []
    assert ours.entries(MAIN, None) == [Entry(address=KEY)]


def test_what_is_deleted_is_purged(fake, vault):
    backend = vault()
    backend.write(Entry(address=KEY), Secret("x"))
    assert backend.delete(KEY)
    assert not fake.kept
    assert not fake.deleted


def test_where_purging_is_forbidden_a_deleted_secret_comes_back_when_it_is_written(fake, vault):
    fake.protected = True
    backend = vault()
    backend.write(Entry(address=KEY), Secret("old"))
    assert backend.delete(KEY) is True
    assert fake.deleted
    assert backend.read(KEY) is None
    assert backend.delete(KEY) is False
    backend.write(Entry(address=KEY), Secret("new"))
    assert value(backend) == "new"


def test_a_disabled_secret_is_told_and_not_listed(fake, vault):
    kept(fake, stored_name("", KEY), "x", enabled=False, namespace="company.team", key="KEY", tenant="main")
    with pytest.raises(BackendFailed) as failed:
        vault().read(KEY)
    assert failed.value.passing is False
    assert not vault().entries(MAIN, None)


def test_too_many_tags_change_nothing(fake, vault):
    backend = vault()
    backend.write(Entry(address=KEY), Secret("old"))
    with pytest.raises(BackendFailed):
        backend.write(Entry(address=KEY, tags={f"t{number}": "x" for number in range(15)}), Secret("new"))
    assert value(backend) == "old"


# What people tagged by hand


def test_secrets_tagged_by_hand_are_read(fake, vault):
    kept(fake, "db-password", "by hand", namespace="company.team", key="KEY")
    kept(fake, "of-others", "x", namespace="company.team", key="OTHER", prefix="theirs")
    kept(fake, "of-a-tenant", "x", namespace="company.team", key="KEY", tenant="other")
    backend = vault(read_only=True)
    assert value(backend) == "by hand"
    assert [entry.address.name for entry in backend.entries(MAIN, Namespace("company.team"))] == ["KEY"]
    assert vault(read_only=True, prefix="theirs").read(KEY) is None


@pytest.mark.parametrize(("keep", "name"), [(False, "PASSWORD"), (True, "app-PASSWORD")])
def test_with_a_filter_on_a_prefix_the_name_is_the_key(fake, vault, keep, name):
    kept(fake, "app-PASSWORD", "by name")
    kept(fake, "PASSWORD", "not by name")
    backend = vault(read_only=True, filter_on_prefix={"prefix": "app-", "keep-prefix": keep})
    address = Address(tenant=MAIN, namespace=ANYWHERE, name=name)
    assert value(backend, address) == "by name"
    assert [entry.address for entry in backend.entries(MAIN, None)] == [address]


# Identities


def test_a_service_principal_of_another_tenant_is_not_shown_to_it_unless_allowed(fake, vault):
    fake.challenge_tenant = "99999999-2222-3333-4444-555555555555"
    with pytest.raises(BackendFailed) as failed:
        vault().read(KEY)
    assert failed.value.passing is False
    assert vault(additionally_allowed_tenants=["*"]).read(KEY) is None
    assert vault(additionally_allowed_tenants=[fake.challenge_tenant]).read(KEY) is None


def test_one_token_is_asked_for(fake, vault):
    backend = vault()
    for _ in range(3):
        backend.read(KEY)
    assert fake.tokens == 1


def test_a_pod_shows_the_token_of_its_service_account(fake, vault, monkeypatch, tmp_path):
    (tmp_path / "token").write_text(ASSERTION)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    assert vault(client_secret=None, workload_identity_client_id=CLIENT).read(KEY) is None
    assert fake.tokens == 1


def test_without_its_variables_there_is_no_workload_identity(vault, monkeypatch):
    monkeypatch.delenv("AZURE_TENANT_ID", raising=False)
    with pytest.raises(InvalidOptions, match="AZURE_TENANT_ID"):
        vault(client_secret=None, workload_identity_client_id=CLIENT)


@contextlib.contextmanager
def identity_endpoint():
    """What App Service gives its programs: tokens of managed identities ("How to use managed identities", REST)."""
    asked = []

    class Tokens(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})
            told = {"access_token": TOKEN, "expires_on": "4000000000", "token_type": "Bearer", "resource": "r"}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/token", asked
        server.shutdown()


@pytest.mark.parametrize(
    ("option", "asked_for"),
    [("managed_identity_client_id", "client_id"), ("managed_identity_resource_id", "mi_res_id")],
)
def test_a_managed_identity_is_asked_for_by_its_name(vault, monkeypatch, option, asked_for):
    with identity_endpoint() as (endpoint, asked):
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        assert vault(client_secret=None, authority_host=None, **{option: "the-identity"}).read(KEY) is None
    assert asked[0][asked_for] == "the-identity"


def test_credentials_of_the_environment_are_taken_only_in_words(vault, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    with pytest.raises(InvalidOptions, match="exactly one"):
        vault(client_secret=None)
    assert vault(client_secret=None, ambient=True).read(KEY) is None


def test_a_certificate_of_nobody_known_is_refused_for_good(vault):
    with pytest.raises(BackendFailed, match="certificate") as failed:
        vault(ca_cert=None).read(KEY)
    assert failed.value.passing is False


LOGIN = {"client-secret": {"tenant-id": "t", "client-id": "c", "client-secret": "hunter2"}}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"vault-name": "v"}, "exactly one of client-secret"),
        ({"vault-name": "v", **LOGIN, "ambient": True}, "client-secret and ambient"),
        ({"vault-name": "v", "managed-identity-client-id": "a", "managed-identity-resource-id": "b"}, "exactly one"),
        ({"vault-name": "v", "managed-identity-client-id": "a", "authority-host": "b"}, "no effect on managed"),
        ({"vault-name": "v/../w", **LOGIN}, "vault-name is of letters"),
        ({"vault-name": "", **LOGIN}, "vault-name is of letters"),
        ({"key-vault-uri": "http://127.0.0.1", **LOGIN}, "no URL such as https://"),
        ({"key-vault-uri": "https://u:hunter2@v", **LOGIN}, "no URL such as https://"),
        ({"vault-name": "v", "authority-host": "https://login/x", **LOGIN}, "authority-host"),
        ({"vault-name": "v", "prefix": "a_b", **LOGIN}, "prefix is of letters"),
        ({"vault-name": "v", "filter-on-prefix": {"prefix": "x"}, **LOGIN}, "read-only"),
        ({"vault-name": "v", "client-secret": {"tenant-id": "t", "client-id": "c"}}, "client-secret.client-secret"),
        ({"vault-name": "v", "ca-cert": "/none.pem", **LOGIN}, "ca-cert"),
    ],
)
def test_options_that_cannot_be_are_refused(written, told):
    with pytest.raises(InvalidOptions) as refused:
        opened("azure-key-vault", written, read_only=False, at=AT)
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_where_no_vault_is_named_there_are_no_secrets_and_it_is_said_why():
    backend = opened("azure-key-vault", LOGIN, read_only=False, at=AT)
    for call in (
        lambda: backend.read(KEY),
        lambda: backend.entries(MAIN, None),
        lambda: backend.write(Entry(address=KEY), Secret("x")),
        lambda: backend.delete(KEY),
    ):
        with pytest.raises(BackendFailed, match="vault-name or key-vault-uri is needed") as failed:
            call()
        assert failed.value.passing is False
    backend.close()


def test_the_uri_of_a_vault_wins_over_its_name(fake, vault):
    assert vault(vault_name="other").read(KEY) is None
    assert fake.tokens == 1
