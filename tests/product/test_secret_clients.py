"""Clients of secret managers in the product: the one that is configured works, and no other is so much as loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from tests.aws import REGION, running_aws
from tests.fakes.elasticsearch import fake_elasticsearch
from tests.running import ROOT, Server

from casemate.identifiers import MAIN, Namespace
from casemate.secret import Secret
from casemate.secrets.backend import Address, Entry
from casemate.secrets.kinds import KINDS, opened

CLIENTS = {
    "aws": {"boto3", "botocore", "s3transfer"},
    "azure": {"azure", "msal"},
    "elasticsearch": {"elasticsearch", "elastic_transport"},
    "google": {"google.cloud", "google.api_core", "google.auth", "grpc"},
    "vault": {"hvac"},
}
FLOW = """
id: uses
namespace: company.team
tasks:
  - id: length
    type: io.kestra.plugin.core.debug.Return
    format: "{{ secret('TOKEN') | length }}"
"""
TOKEN = Address(tenant=MAIN, namespace=Namespace("company"), name="TOKEN")
# Python writes every import to standard error.
NOTING_IMPORTS = ("env", "PYTHONPROFILEIMPORTTIME=1")


def loaded(noted: str) -> set[str]:
    """The extras of which a client was imported, as Python noted it."""
    lines = [line.rpartition("|")[2].strip() for line in noted.splitlines() if line.startswith("import time:")]
    assert "casemate" in lines
    return {extra for extra, names in CLIENTS.items() if any(is_of(line, name) for line in lines for name in names)}


def is_of(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@contextmanager
def started(folder, configuration):
    """A server of a configuration, which notes what it imports."""
    file = folder / "casemate.yml"
    file.write_text(configuration)
    file.chmod(0o600)
    server = Server(folder / "state", "-c", str(file), within=NOTING_IMPORTS)
    try:
        yield server
    finally:
        server.stop()


def length(server):
    assert server.save(FLOW).ok
    ended = server.until_ended(server.start("company.team", "uses")["id"])
    assert ended["state"]["current"] == "SUCCESS", server.log.read_text()[-3000:]
    return ended["taskRunList"][0]["outputs"]["value"]


@pytest.mark.parametrize("words", [["--help"], ["flow", "validate", "examples"]])
def test_a_command_loads_no_client(words):
    done = subprocess.run(
        [sys.executable, "-m", "casemate", *words],
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert loaded(done.stderr) == set()


def test_a_server_with_secrets_of_its_environment_loads_no_client(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "c2VjcmV0")
    with started(tmp_path, "kestra: {}") as server:
        assert length(server) == "6"
    assert loaded(server.log.read_text()) == set()


def test_a_flow_uses_a_secret_of_aws(tmp_path):
    aws = running_aws()
    kind = "aws-secret-manager"
    options = {**aws.administrator.options, "region": REGION, "endpoint-override": aws.address}
    keep(kind, options)
    lines = "".join(f"      {name}: {value}\n" for name, value in options.items())
    with started(tmp_path, f"kestra:\n  secret:\n    type: {kind}\n    {kind}:\n{lines}") as server:
        assert length(server) == "7"
    noted = server.log.read_text()
    assert loaded(noted) == {"aws"}
    assert "kept-it" not in noted
    assert aws.administrator.secret not in noted


def test_a_flow_uses_a_secret_of_elasticsearch(tmp_path):
    seal = "a-secure-32-character-minimum-key"
    with fake_elasticsearch(("casemate", "let-me-in")) as (address, _):
        client = {"http-hosts": address, "basic-auth": {"username": "casemate", "password": "let-me-in"}}
        keep("elasticsearch", {"secret": seal, "client": client})
        configuration = f"""
kestra:
  secret: {{type: elasticsearch, elasticsearch: {{secret: {seal}}}}}
  elasticsearch:
    client:
      http-hosts: ["{address}"]
      basic-auth: {{username: casemate, password: let-me-in}}
"""
        with started(tmp_path, configuration) as server:
            assert length(server) == "7"
    noted = server.log.read_text()
    assert loaded(noted) == {"elasticsearch"}
    for hidden in ("kept-it", "let-me-in", seal):
        assert hidden not in noted


def keep(kind, options):
    backend = opened(kind, options, read_only=False, at="here")
    backend.write(Entry(address=TOKEN), Secret("kept-it"))
    backend.close()


def test_every_client_is_looked_for():
    assert {kind.extra for kind in KINDS.values()} - {""} <= CLIENTS.keys()
