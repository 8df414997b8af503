"""Vault, on a real OpenBao: ways to log in, tokens that end, TLS, namespaces, paths, and what others wrote there."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.openbao import ROOT, openbao_running

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import Address, Entry
from casemate.secrets.backends.vault_login import Session, by_password
from casemate.secrets.backends.vault_wire import Line, connected
from casemate.secrets.errors import BackendFailed, InvalidOptions, ReadOnly
from casemate.secrets.kinds import opened

AT = "kestra.secret.vault"
KEY = Address(tenant=TenantId("main"), namespace=Namespace("company.team"), name="KEY")
PATH = "main/company/team/KEY"


@pytest.fixture(scope="module")
def server():
    with openbao_running() as running:
        running.engine("plain", 1)
        running.policy("flows", "secret")
        yield running


@pytest.fixture
def root(server):
    return server.client()


@pytest.fixture
def vault(server):
    """Opens a Vault; closes it in the end."""
    with contextlib.ExitStack() as held:

        def opening(read_only=False, **written):
            written = {"address": server.address} | {name.replace("_", "-"): value for name, value in written.items()}
            if not any(way in written for way in ("password", "app-role", "kubernetes")):
                written.setdefault("token", {"token": ROOT})
            return held.enter_context(contextlib.closing(opened("vault", written, read_only=read_only, at=AT)))

        yield opening


def value(backend, address=KEY):
    found = backend.read(address)
    return found and found.value.reveal()


def put(client, fields, path=PATH, mount="secret"):
    client.secrets.kv.v2.create_or_update_secret(path, fields, mount_point=mount)


# Ways to log in


@pytest.fixture
def user(root):
    with contextlib.suppress(Exception):
        root.sys.enable_auth_method("userpass")
    root.auth.userpass.create_or_update_user("ada", "correct-horse", ["flows"])
    return {"user": "ada", "password": "correct-horse"}


def role_of(root, path="approle", **settings):
    with contextlib.suppress(Exception):
        root.sys.enable_auth_method("approle", path=path)
    root.auth.approle.create_or_update_approle("orchestrator", token_policies=["flows"], mount_point=path, **settings)
    role = root.auth.approle.read_role_id("orchestrator", mount_point=path)["data"]["role_id"]
    secret = root.auth.approle.generate_secret_id("orchestrator", mount_point=path)["data"]["secret_id"]
    return {"role-id": role, "secret-id": secret}


def test_a_user_with_a_password_logs_in(vault, root, user):
    put(root, {"value": "by password"})
    assert value(vault(password=user)) == "by password"


def test_a_role_with_a_secret_id_logs_in(vault, root):
    put(root, {"value": "by role"})
    assert value(vault(app_role=role_of(root))) == "by role"


def test_a_role_may_be_of_a_method_at_another_path(vault, root):
    put(root, {"value": "elsewhere"})
    assert value(vault(app_role={**role_of(root, "robots/approle"), "path": "robots/approle"})) == "elsewhere"


@pytest.mark.parametrize("above", [True, False])
def test_a_pod_logs_in_with_the_token_of_its_service_account(server, vault, root, tmp_path, above):
    put(root, {"value": "by pod"})
    (tmp_path / "token").write_text(POD + "\n")
    with kubernetes() as host:
        root.sys.enable_auth_method("kubernetes", path=f"cluster-{above}")
        root.write_data(
            f"auth/cluster-{above}/config",
            data={
                "kubernetes_host": host,
                "kubernetes_ca_cert": server.authority.certificate.read_text(),
                "disable_local_ca_jwt": True,
                "token_reviewer_jwt": "reviewer",
            },
        )
        names = {"bound_service_account_names": "casemate", "bound_service_account_namespaces": "flows"}
        root.write_data(
            f"auth/cluster-{above}/role/worker", data={**names, "audience": "vault", "token_policies": "flows"}
        )
        pod = {"path": f"cluster-{above}", "token-file": str(tmp_path / "token")}
        backend = vault(kubernetes=pod, role="worker") if above else vault(kubernetes={**pod, "role": "worker"})
        assert value(backend) == "by pod"


def test_without_the_file_of_its_token_a_pod_cannot_log_in(vault, tmp_path):
    with pytest.raises(BackendFailed, match="service account"):
        vault(kubernetes={"role": "worker", "token-file": str(tmp_path / "none")}).read(KEY)


def jwt(claims):
    parts = (json.dumps({"alg": "ES256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), b"signed" * 11)
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


POD = jwt(
    {
        "iss": "https://kubernetes.example",
        "sub": "system:serviceaccount:flows:casemate",
        "aud": ["vault"],
        "iat": 1_700_000_000,
        "nbf": 1_700_000_000,
        "exp": 4_000_000_000,
        "kubernetes.io": {"namespace": "flows", "serviceaccount": {"name": "casemate", "uid": "1"}},
    }
)
"""Whether its signature is right is for the cluster to say."""


@contextlib.contextmanager
def kubernetes():
    """What Vault asks of a cluster: whether a token is a service account's (authentication.k8s.io/v1, TokenReview)."""

    class Review(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/apis/authentication.k8s.io/v1/tokenreviews"
            user = {"username": "system:serviceaccount:flows:casemate", "uid": "1"}
            known = asked["spec"]["token"] == POD
            self._answer({**asked, "status": {"authenticated": known, "user": user, "audiences": ["vault"]}})

        def _answer(self, told):
            body = json.dumps(told).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Review) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_wrong_password_is_refused_for_good(vault, user):
    backend = vault(password={**user, "password": "wrong-horse"})
    with pytest.raises(BackendFailed) as failed:
        backend.read(KEY)
    assert failed.value.passing is False
    assert "wrong-horse" not in str(failed.value)


def test_many_threads_log_in_once(vault, root, user):
    put(root, {"value": "x"})
    backend = vault(password=user)
    before = len(root.list("auth/token/accessors")["data"]["keys"])
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: value(backend), range(16))) == ["x"] * 16
    assert len(root.list("auth/token/accessors")["data"]["keys"]) == before + 1


def test_neither_variables_nor_files_give_a_token(server, monkeypatch, tmp_path):
    monkeypatch.setenv("VAULT_TOKEN", ROOT)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vault-token").write_text(ROOT)
    client = connected(line(server))
    assert not client.token
    client.adapter.close()


# Tokens that end


def line(server):
    return Line(
        address=server.address,
        namespace=None,
        connect_timeout=5,
        read_timeout=5,
        verify=True,
        certificate=None,
        server_name=None,
    )


def test_a_token_that_was_revoked_is_replaced(vault, root):
    put(root, {"value": "still there"})
    backend = vault(app_role=role_of(root))
    assert value(backend) == "still there"
    root.sys.revoke_prefix("auth/approle/login")
    assert value(backend) == "still there"


def test_a_configured_token_that_was_revoked_is_refused(vault, root):
    token = root.auth.token.create(policies=["flows"])["auth"]["client_token"]
    put(root, {"value": "x"})
    backend = vault(token={"token": token})
    assert value(backend) == "x"
    root.auth.token.revoke(token)
    with pytest.raises(BackendFailed) as failed:
        backend.read(KEY)
    assert failed.value.passing is False


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def session(server, user):
    clock = Clock()
    client = connected(line(server))
    with contextlib.closing(Session(client, by_password("ada", Secret("correct-horse"), "userpass"), clock)) as opened:
        yield opened, client, clock


def told(session):
    return session.ask(lambda client: client.auth.token.lookup_self())["data"]


def test_a_token_is_renewed_before_it_ends(root, session):
    root.auth.userpass.create_or_update_user("ada", "correct-horse", ["flows"], token_ttl="10m", token_max_ttl="20m")
    opened, _, clock = session
    first = told(opened)
    clock.now = 300.0
    assert told(opened).get("last_renewal_time") is None
    clock.now = 401.0
    again = told(opened)
    assert again["id"] == first["id"]
    assert again["last_renewal_time"]


def test_a_token_that_cannot_be_renewed_is_replaced_before_it_ends(root, session):
    root.auth.userpass.create_or_update_user("ada", "correct-horse", ["flows"], token_ttl="10m", token_type="batch")
    opened, client, clock = session
    told(opened)
    first = client.token
    clock.now = 401.0
    told(opened)
    assert client.token != first


def test_a_configured_token_is_renewed_while_nobody_asks(server, root, vault):
    token = root.auth.token.create(policies=["flows"], ttl="2s", renewable=True)["auth"]["client_token"]
    put(root, {"value": "x"})
    backend = vault(token={"token": token})
    assert value(backend) == "x"
    until = threading.Event()
    while not root.auth.token.lookup(token)["data"].get("last_renewal_time"):
        until.wait(0.05)
    assert value(backend) == "x"


def test_a_policy_that_refuses_does_not_make_a_login_of_every_call(root, session):
    opened, client, _ = session
    tokens = set()
    for _ in range(4):
        with pytest.raises(BackendFailed):
            opened.ask(lambda client: client.sys.list_policies())
        tokens.add(client.token)
    assert len(tokens) == 1


# The wire


def test_tls_trusts_the_named_authority_and_shows_the_clients_certificate(server, vault, root):
    put(root, {"value": "over TLS"})
    certificate, key = server.authority.issued("client")
    tls = {"ca-cert": str(server.authority.certificate), "client-cert": str(certificate), "client-key": str(key)}
    assert value(vault(address=server.tls_address, tls=tls)) == "over TLS"
    assert value(vault(address=server.tls_address, tls={**tls, "server-name": "vault.example"})) == "over TLS"
    for wrong in ({**tls, "server-name": "other.example"}, {"ca-cert": tls["ca-cert"]}, {**tls, "ca-cert": None}):
        with pytest.raises(BackendFailed, match=r"reached|certificate"):
            vault(address=server.tls_address, tls=wrong).read(KEY)
    unverified = {"verify": False, "client-cert": str(certificate), "client-key": str(key)}
    assert value(vault(address=server.tls_address, tls=unverified)) == "over TLS"


def test_a_certificate_of_nobody_known_is_refused_for_good(server, vault):
    certificate, key = server.authority.issued("client")
    tls = {"client-cert": str(certificate), "client-key": str(key)}
    with pytest.raises(BackendFailed) as failed:
        vault(address=server.tls_address, tls=tls).read(KEY)
    assert failed.value.passing is False


@contextlib.contextmanager
def answering(*pieces, pause=0.0):
    """A server that answers any request with these pieces, whatever it speaks."""

    class Piecewise(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                if done.wait(pause):
                    return

        def log_message(self, *_):
            pass

    done = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Piecewise) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        done.set()
        server.shutdown()


def response(status, body, *headers):
    lines = (b"HTTP/1.1 %d Status" % status, b"Content-Length: %d" % len(body), b"Connection: close", *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_a_server_that_sends_byte_after_byte_is_not_waited_for(vault):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    trickle = answering(head, *[b" "] * 200, pause=0.05)
    with trickle as address, pytest.raises(BackendFailed, match="in time") as failed:
        vault(address=address, read_timeout="500ms").read(KEY)
    assert failed.value.passing is True


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b"[]", b'{"data": null}', b'{"data": {"data": "x", "metadata": {}}}', b'{"data": 5}', b""],
)
def test_what_does_not_speak_as_vault_does_is_told(vault, body):
    with answering(response(200, body)) as address, pytest.raises(BackendFailed) as failed:
        vault(address=address).read(KEY)
    assert failed.value.passing is False


def test_a_redirection_is_not_followed(server, vault):
    there = f"{server.address}/v1/secret/data/{PATH}".encode()
    with (
        answering(response(307, b"", b"Location: " + there)) as address,
        pytest.raises(BackendFailed, match="elsewhere"),
    ):
        vault(address=address).read(KEY)


@pytest.mark.parametrize(
    ("status", "passing", "of_one"),
    [
        (400, False, False),
        (412, True, True),
        (418, False, False),
        (429, True, False),
        (500, True, True),
        (503, True, False),
    ],
)
def test_refusals_say_whether_they_may_pass_and_nothing_the_server_said(vault, status, passing, of_one):
    said = b'{"errors": ["hunter2"]}'
    with answering(response(status, said)) as address, pytest.raises(BackendFailed) as failed:
        vault(address=address).read(KEY)
    assert (failed.value.passing, failed.value.of_one) == (passing, of_one)
    assert "hunter2" not in str(failed.value)


# Places


def test_a_secret_is_at_the_documented_path(vault, root):
    vault().write(Entry(address=KEY, tags={"team": "a"}), Secret("written"))
    kept = root.secrets.kv.v2.read_secret_version(PATH, raise_on_deleted_version=True)["data"]
    assert kept["data"] == {"value": "written"}
    said = {"namespace": "company.team", "tenant": "main", "key": "KEY", "team": "a"}
    assert kept["metadata"]["custom_metadata"] == said


def test_prefixes_stand_before_the_tenant(vault, root):
    backend = vault(prefix="one/two", secret_path_prefix="/three/")
    backend.write(Entry(address=KEY), Secret("prefixed"))
    kept = root.secrets.kv.v2.read_secret_version(f"three/one/two/{PATH}", raise_on_deleted_version=True)["data"]
    assert kept["data"] == {"value": "prefixed"}
    assert kept["metadata"]["custom_metadata"]["prefix"] == "one/two"


@pytest.mark.parametrize("longer_first", [True, False])
def test_where_one_prefix_begins_another_the_same_path_is_of_one_instance_only(vault, longer_first):
    without, with_prefix = vault(), vault(prefix="main")
    same_path = Address(tenant=TenantId("company"), namespace=Namespace("team"), name="SHARED")
    ours, at = (with_prefix, same_path) if longer_first else (without, replace(KEY, name="SHARED"))
    others, seen_there = (without, replace(KEY, name="SHARED")) if longer_first else (with_prefix, same_path)
    ours.write(Entry(address=at), Secret("ours"))
    assert others.read(seen_there) is None
    assert seen_there not in [entry.address for entry in others.entries(seen_there.tenant, seen_there.namespace)]
    assert others.delete(seen_there) is False
    with pytest.raises(BackendFailed, match="another instance"):
        others.write(Entry(address=seen_there), Secret("theirs"))
    assert value(ours, at) == "ours"
    assert ours.delete(at) is True


def test_an_engine_may_be_mounted_anywhere(vault, server):
    backend = vault(root_engine=server.engine("teams/kv", 2))
    backend.write(Entry(address=KEY), Secret("there"))
    assert value(backend) == "there"


def test_an_engine_that_is_not_there_takes_nothing(vault):
    with pytest.raises(BackendFailed) as failed:
        vault(root_engine="nowhere").write(Entry(address=KEY), Secret("lost"))
    assert failed.value.passing is False


@pytest.mark.parametrize("version", [1, 2])
def test_the_wrong_version_of_an_engine_takes_nothing(vault, version):
    backend = vault(root_engine="secret" if version == 1 else "plain", engine_version=version)
    with pytest.raises(BackendFailed):
        backend.write(Entry(address=KEY), Secret("lost"))


def test_a_namespace_of_vault_is_its_own_world(server, root, vault):
    root.write_data("sys/namespaces/team-a", data={})
    inner = server.client("team-a")
    inner.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    put(root, {"value": "outer"})
    assert vault(namespace="team-a").read(KEY) is None
    vault(namespace="team-a").write(Entry(address=KEY), Secret("inner"))
    assert value(vault(namespace="team-a")) == "inner"
    assert value(vault()) == "outer"


def test_a_deleted_secret_leaves_no_older_version(vault, root):
    backend = vault()
    for text in ("old", "new"):
        backend.write(Entry(address=KEY), Secret(text))
    assert backend.delete(KEY)
    assert root.read(f"secret/metadata/{PATH}") is None


def test_what_was_deleted_in_vault_is_gone_here(vault, root):
    put(root, {"value": "x"})
    root.secrets.kv.v2.delete_latest_version_of_secret(PATH)
    backend = vault()
    assert backend.read(KEY) is None
    assert not backend.entries(KEY.tenant, KEY.namespace)
    assert backend.delete(KEY) is False


# What others wrote


@pytest.mark.parametrize(
    ("fields", "read", "beside"),
    [
        ({"value": "v"}, "v", {}),
        ({"password": "p"}, "p", {}),
        ({"value": "v", "user": "ada"}, "v", {"user": "ada"}),
        ({"user": "ada", "port": 5432}, '{"port": 5432, "user": "ada"}', {"user": "ada", "port": "5432"}),
        ({"value": {"a": [1, "ü"]}}, '{"a": [1, "ü"]}', {}),
        ({"value": True}, "true", {}),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_records_of_others_are_read(vault, root, version, fields, read, beside):
    mount = "secret" if version == 2 else "plain"
    root.write_data(
        f"{mount}/data/{PATH}" if version == 2 else f"{mount}/{PATH}", data={"data": fields} if version == 2 else fields
    )
    found = vault(engine_version=version, root_engine=mount, read_only=True).read(KEY)
    assert found.value.reveal() == read
    assert {name: text.reveal() for name, text in found.fields.items()} == beside


def test_read_only_may_stand_with_the_options_of_vault():
    written = {"address": "http://127.0.0.1:1", "token": {"token": "t"}, "read-only": True}
    with contextlib.closing(opened("vault", written, read_only=False, at=AT)) as backend, pytest.raises(ReadOnly):
        backend.delete(KEY)


# Options


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"address": "https://v:8200"}, "exactly one of password, token, app-role, kubernetes"),
        (
            {"address": "https://v", "token": {"token": "hunter2"}, "password": {"user": "u", "password": "hunter2"}},
            "password and token",
        ),
        ({"address": "http://vault.example:8200", "token": {"token": "hunter2"}}, "allow-insecure"),
        ({"address": "http://127.0.0.1.example", "token": {"token": "hunter2"}}, "allow-insecure"),
        ({"address": "vault.example", "token": {"token": "hunter2"}}, "no URL"),
        ({"address": "https://u:hunter2@v", "token": {"token": "hunter2"}}, "no URL"),
        ({"address": "https://v/?x=hunter2", "token": {"token": "hunter2"}}, "no URL"),
        ({"address": "https://v:port", "token": {"token": "hunter2"}}, "no URL"),
        ({"address": "https://v", "token": {"token": "hunter2"}, "role": "r"}, "role is of kubernetes only"),
        ({"address": "https://v", "kubernetes": {}}, "kubernetes needs exactly one role"),
        ({"address": "https://v", "kubernetes": {"role": "a"}, "role": "b"}, "kubernetes needs exactly one role"),
        ({"address": "https://v", "token": {"token": "t"}, "engine-version": 3}, "engine-version"),
        ({"address": "https://v", "token": {"token": "t"}, "engine-version": 1, "tags": {"a": "b"}}, "keeps no tags"),
        ({"address": "https://v", "token": {"token": "t"}, "prefix": "../other"}, "prefix is no path"),
        ({"address": "https://v", "token": {"token": "t"}, "root-engine": "/"}, "root-engine is no path"),
        ({"address": "https://v", "token": {"token": "t"}, "tls": {"ca-cert": "/none.pem"}}, "vault.tls: "),
        ({"address": "https://v", "token": {"token": "t"}, "tls": {"client-key": "/none.pem"}}, "without client-cert"),
        ({"address": "https://v", "token": {"token": "t"}, "tls": {"verify": False, "server-name": "x"}}, "no effect"),
        ({"address": "http://127.0.0.1", "token": {"token": "t"}, "tls": {"verify": False}}, "no effect"),
        ({"address": "https://v", "token": {"token": "t"}, "read-timeout": "soon"}, "vault.read-timeout"),
        ({"address": "https://v", "token": {"token": "t", "ttl": 5}}, "vault.token.ttl"),
    ],
)
def test_options_that_cannot_be_are_refused(written, told):
    with pytest.raises(InvalidOptions) as refused:
        opened("vault", written, read_only=False, at=AT)
    assert told in str(refused.value)
    assert AT in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
def test_plain_http_is_for_this_machine(vault, address):
    vault(address=address)


def test_plain_http_to_other_machines_needs_words(vault):
    vault(address="http://vault.example:8200", allow_insecure=True)
