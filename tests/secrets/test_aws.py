"""The stores of AWS beyond the contract: who asks, secrets that people tagged themselves, and what is refused."""

from __future__ import annotations

import http.server
import json
import logging
import threading
import traceback
from contextlib import closing, contextmanager

import pytest
from tests.aws import MANAGING, REGION, WRONG, Aws, running_aws

from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Entry
from casemate.secrets.errors import BackendFailed, InvalidOptions
from casemate.secrets.kinds import opened
from casemate.secrets.naming import stored_name

SECRETS, PARAMETERS = "aws-secret-manager", "aws-ssm-parameter-store"
TEAM = Namespace("company.team")
READING = (
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecrets",
    "secretsmanager:DescribeSecret",
    "ssm:GetParameter",
    "ssm:DescribeParameters",
    "ssm:ListTagsForResource",
)


@pytest.fixture(scope="module")
def aws() -> Aws:
    return running_aws()


@pytest.fixture(scope="module")
def reader(aws):
    return aws.user("reader", READING)


@pytest.fixture(params=[SECRETS, PARAMETERS])
def kind(request):
    return request.param


def at(name, namespace=TEAM, tenant=MAIN):
    return Address(tenant=tenant, namespace=namespace, name=name)


def store(aws, kind, login=None, *, read_only=False, **written):
    credentials = {} if written.get("ambient") else (login or aws.administrator).options
    named = {name.replace("_", "-"): value for name, value in written.items()}
    options = {"region": REGION, "endpoint-override": aws.address, **credentials, **named}
    return closing(opened(kind, options, read_only=read_only, at=f"kestra.secret.{kind}"))


def read(backend, address):
    found = backend.read(address)
    return None if found is None else found.value.reveal()


def tagged(**tags):
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def refused(kind, **written):
    options = {"region": REGION, "access-key-id": "AKIA", "secret-key-id": "hunter2", **written}
    with pytest.raises(InvalidOptions) as error:
        opened(kind, {name: value for name, value in options.items() if value is not None}, read_only=False, at="at")
    assert "hunter2" not in str(error.value)
    return str(error.value)


# Who asks


def test_a_role_is_assumed_on_top_of_the_credentials(aws, kind):
    role = aws.role(f"role-{kind}", MANAGING)
    caller = aws.user(f"caller-{kind}", ["sts:AssumeRole"])
    with store(aws, kind, caller) as backend, pytest.raises(BackendFailed, match="does not allow"):
        backend.read(at("KEY"))
    more = {"sts_role_session_name": "orders", "sts_role_session_duration": "PT20M", "sts_role_external_id": "x-1"}
    with store(aws, kind, caller, sts_role_arn=role, sts_endpoint_override=aws.address, **more) as backend:
        backend.write(Entry(address=at("ROLE")), Secret("value"))
        assert read(backend, at("ROLE")) == "value"


def test_a_role_is_assumed_once_for_many_questions(aws):
    role = aws.role("role-once", MANAGING)
    with counting(aws.address) as (address, requests):
        options = {"sts_role_arn": role, "sts_endpoint_override": address}
        with store(aws, SECRETS, **options) as backend:
            for number in range(5):
                backend.read(at(f"KEY{number}"))
    assert len(requests) == 1


def test_a_role_that_may_not_be_assumed_is_said(aws, kind):
    caller = aws.user(f"nobody-{kind}", MANAGING)
    options = {"sts_role_arn": "arn:aws:iam::123456789012:role/none", "sts_endpoint_override": aws.address}
    with store(aws, kind, caller, **options) as backend, pytest.raises(BackendFailed) as failed:
        backend.read(at("KEY"))
    assert not failed.value.passing


@pytest.fixture
def lure(aws, tmp_path, monkeypatch):
    """Everything of the surroundings that AWS's tools would believe."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    keys = f"aws_access_key_id = {aws.administrator.access}\naws_secret_access_key = {aws.administrator.secret}\n"
    (folder / "credentials").write_text(f"[default]\n{keys}")
    (folder / "config").write_text(f"[default]\nregion = {REGION}\nca_bundle = /nowhere\n")
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nowhere",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": WRONG.access,
        "AWS_SECRET_ACCESS_KEY": WRONG.secret,
        "AWS_PROFILE": "none",
        "AWS_MAX_ATTEMPTS": "9",
        "AWS_DATA_PATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("lure")
def test_nothing_of_the_surroundings_is_believed(aws, kind):
    with store(aws, kind) as backend:
        backend.write(Entry(address=at("ALONE")), Secret("value"))
        assert read(backend, at("ALONE")) == "value"


@pytest.mark.usefixtures("lure")
def test_ambient_credentials_are_used_when_they_are_asked_for(aws, kind, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name)
    with store(aws, kind, ambient=True) as backend:
        backend.write(Entry(address=at("AMBIENT")), Secret("value"))
        assert read(backend, at("AMBIENT")) == "value"


# What people tagged themselves


def test_a_secret_that_people_tagged_is_read(aws, reader):
    people = aws.client("secretsmanager")
    people.create_secret(
        Name="orders-database",
        SecretString="theirs",
        Description="By hand",
        Tags=tagged(namespace="company.team", key="ORDERS", prefix="kestra", cost="7"),
    )
    people.create_secret(Name="no-tags", SecretString="nobody's")
    people.create_secret(Name="half", SecretString="nobody's", Tags=tagged(namespace="company.team", key="HALF"))
    with store(aws, SECRETS, reader, read_only=True) as backend:
        assert read(backend, at("ORDERS")) == "theirs"
        assert Entry(address=at("ORDERS"), description="By hand", tags={"cost": "7"}) in backend.entries(MAIN, TEAM)
        for nothing in ("no-tags", "half", "HALF", "orders-database"):
            assert backend.read(at(nothing)) is None
        # Whose it is, is not said: only the tenant that everybody starts with may have it.
        assert backend.read(at("ORDERS", tenant=TenantId("other"))) is None
        assert backend.entries(TenantId("other"), None) == []
        assert backend.read(at("ORDERS", namespace=Namespace("company"))) is None
    with store(aws, SECRETS) as backend:
        assert backend.read(at("ORDERS")) is None
        assert backend.delete(at("ORDERS")) is False


def test_a_name_with_the_prefix_is_the_key(aws, reader):
    people = aws.client("secretsmanager")
    people.create_secret(Name="prod_TOKEN", SecretString="prod", Tags=tagged(key="IGNORED", namespace="company.team"))
    people.create_secret(Name="prod_ANYBODY", SecretString="all")
    people.create_secret(Name="test_TOKEN", SecretString="test")
    with store(aws, SECRETS, reader, read_only=True, filter_on_prefix={"prefix": "prod_"}) as backend:
        assert read(backend, at("TOKEN")) == "prod"
        assert read(backend, at("ANYBODY")) == "all"
        assert backend.read(at("prod_TOKEN")) is None
        assert backend.read(at("IGNORED")) is None
        assert backend.read(at("TOKEN", namespace=Namespace("other"))) is None
        seen = [(entry.address.namespace, entry.address.name) for entry in backend.entries(MAIN, TEAM)]
        assert seen == [(ANYWHERE, "ANYBODY"), (TEAM, "TOKEN")]
    kept = {"prefix": "prod_", "keep-prefix": True}
    with store(aws, SECRETS, reader, read_only=True, filter_on_prefix=kept) as backend:
        assert read(backend, at("prod_TOKEN")) == "prod"
        assert backend.read(at("test_TOKEN")) is None
        assert backend.read(at("TOKEN")) is None


def test_a_parameter_is_read_by_its_name(aws, reader):
    people = aws.client("ssm")
    people.put_parameter(Name="/app/live/PASSWORD", Value="theirs", Type="SecureString")
    people.put_parameter(Name="HOST", Value="db.company.example", Type="String")
    people.put_parameter(Name="OTHERS", Value="no", Type="SecureString", Tags=tagged(namespace="company.other"))
    with store(aws, PARAMETERS, reader, read_only=True) as backend:
        assert read(backend, at("HOST")) == "db.company.example"
        assert backend.read(at("OTHERS")) is None
        assert backend.read(at("HOST", tenant=TenantId("other"))) is None
    with store(aws, PARAMETERS, reader, read_only=True, filter_on_prefix={"prefix": "/app/live/"}) as backend:
        assert read(backend, at("PASSWORD")) == "theirs"
        assert backend.read(at("HOST")) is None
        assert [entry.address.name for entry in backend.entries(MAIN, TEAM)] == ["PASSWORD"]
    with store(aws, PARAMETERS) as backend:
        assert backend.read(at("HOST")) is None


def test_a_forged_tag_gives_nobody_a_managed_secret(aws):
    """Who may tag, but not choose names, cannot put a secret elsewhere."""
    aws.client("secretsmanager").create_secret(
        Name="kestra-0000", SecretString="forged", Tags=tagged(namespace="company.team", key="FORGED", prefix="kestra")
    )
    with store(aws, SECRETS) as backend:
        assert backend.read(at("FORGED")) is None
        assert "FORGED" not in [entry.address.name for entry in backend.entries(MAIN, TEAM)]


# What else AWS has


def test_a_secret_that_waits_for_its_deletion_is_gone_and_may_come_back(aws):
    people = aws.client("secretsmanager")
    with store(aws, SECRETS) as backend:
        backend.write(Entry(address=at("WAITS")), Secret("old"))
        people.delete_secret(SecretId=stored_name("kestra", at("WAITS")), RecoveryWindowInDays=7)
        assert backend.read(at("WAITS")) is None
        assert backend.delete(at("WAITS")) is False
        backend.write(Entry(address=at("WAITS")), Secret("new"))
        assert read(backend, at("WAITS")) == "new"


def test_bytes_are_no_secret(aws):
    aws.client("secretsmanager").create_secret(Name=stored_name("kestra", at("BYTES")), SecretBinary=b"\xff")
    with store(aws, SECRETS) as backend, pytest.raises(BackendFailed, match="bytes"):
        backend.read(at("BYTES"))


@pytest.mark.parametrize(
    ("status", "code", "passing", "of_one"),
    [
        (400, "ValidationException", False, False),
        (400, "InvalidParameterException", False, False),
        (400, "AccessDeniedException", False, False),
        (400, "ExpiredTokenException", False, False),
        (400, "DecryptionFailure", False, False),
        (403, "Odd", False, False),
        (400, "ThrottlingException", True, False),
        (429, "Odd", True, False),
        (503, "ServiceUnavailable", True, False),
        (500, "InternalServiceError", True, True),
        (400, "TooManyUpdates", True, True),
    ],
)
def test_a_refusal_is_told_without_its_words(kind, status, code, passing, of_one):
    body = json.dumps({"__type": code, "message": "canary-4411 is not valid"}).encode()
    answer = (status, {"Content-Type": "application/x-amz-json-1.1"}, body)
    with (
        answering(lambda *_: answer) as (address, requests),
        store(Aws(address, WRONG), kind) as backend,
        pytest.raises(BackendFailed) as failed,
    ):
        backend.read(at("KEY"))
    assert (failed.value.passing, failed.value.of_one) == (passing, of_one)
    assert "canary" not in "".join(traceback.format_exception(failed.value))
    assert len(requests) == 1


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}"])
def test_what_does_not_speak_as_aws_does_is_told(kind, body):
    with (
        answering(lambda *_: (200, {}, body)) as (address, _),
        store(Aws(address, WRONG), kind) as backend,
        pytest.raises(BackendFailed, match="does not speak as AWS does"),
    ):
        backend.read(at("KEY"))


def test_an_empty_secret_is_refused_before_it_is_sent(aws, kind):
    with store(aws, kind) as backend, pytest.raises(BackendFailed, match="no secret"):
        backend.write(Entry(address=at("EMPTY")), Secret(""))


def test_the_log_of_the_client_holds_no_secret(aws, kind, caplog):
    with caplog.at_level(logging.DEBUG), store(aws, kind) as backend:
        backend.write(Entry(address=at("LOGGED")), Secret("canary-5172"))
        backend.read(at("LOGGED"))
    told = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("werkzeug", "moto"))
    )
    assert "canary" not in told
    assert aws.administrator.secret not in told


def test_parameters_are_encrypted_with_the_key_that_is_named(aws):
    with store(aws, PARAMETERS, kms_key_id="alias/orders") as backend:
        backend.write(Entry(address=at("KEYED")), Secret("value"))
    name = stored_name("kestra", at("KEYED"))
    (found,) = aws.client("ssm").describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"]
    assert (found["Type"], found["KeyId"]) == ("SecureString", "alias/orders")


# Options


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"access-key-id": None}, "access-key-id and secret-key-id are needed"),
        ({"secret-key-id": None, "access-key-id": None}, "or ambient: true"),
        ({"ambient": True}, "has no effect beside"),
        ({"region": None}, "region is needed"),
        ({"sts-role-external-id": "hunter2"}, "sts-role-external-id has no effect without sts-role-arn"),
        ({"sts-role-session-duration": "PT1H"}, "sts-role-session-duration has no effect"),
        ({"sts-role-arn": "arn", "sts-role-session-duration": "PT1M"}, "between 15 minutes and 12 hours"),
        ({"endpoint-override": "http://aws.company.example"}, "would show secrets to the network"),
        ({"sts-role-arn": "arn", "sts-endpoint-override": "ftp://hunter2"}, "sts-endpoint-override is no URL"),
        ({"endpoint-override": "https://user:hunter2@aws"}, "endpoint-override is no URL"),
        ({"prefix": ""}, "prefix is of"),
        ({"prefix": "aws"}, "not aws"),
        ({"read-timeout": "0s"}, "read-timeout: must be more than nothing"),
        ({"filter-on-prefix": {"prefix": "a"}}, "filter-on-prefix needs kestra.secret.read-only: true"),
        ({"acces-key": "hunter2"}, "at.acces-key"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_words(kind, written, told):
    assert told in refused(kind, **written)


def test_a_kms_key_is_of_parameters_only():
    assert "at.kms-key-id" in refused(SECRETS, **{"kms-key-id": "alias/x"})


@contextmanager
def answering(answer):
    """A server that answers every POST so, and remembers them."""
    requests = []

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(body)
            status, headers, content = answer(self, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()


def counting(address):
    """A door to another server."""
    import requests as client

    def passed(request, body):
        # The signature is for the door's own name.
        answer = client.post(address + request.path, data=body, headers=dict(request.headers), timeout=30)
        return answer.status_code, {"Content-Type": answer.headers["Content-Type"]}, answer.content

    return answering(passed)
