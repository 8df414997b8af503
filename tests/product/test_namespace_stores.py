"""Secret stores that namespaces bring, in a running server: a real OpenBao, and the database under two keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.openbao import ROOT, OpenBao, openbao_running
from tests.running import Server

OF_ALL, OF_CHILD = "the-secret-of-the-store-of-all-4711", "the-secret-of-the-store-of-the-child"
CONFIGURATION = f"""
kestra:
  encryption: {{secret-key: "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="}}
  secret: {{type: jdbc, jdbc: {{secret: {OF_ALL}}}}}
casemate: {{secret: {{namespaces: {{hosts: ["127.0.0.1"]}}}}}}
"""
CANARIES = (ROOT, OF_CHILD)

FLOW = """
id: levels
namespace: company.team.child
tasks:
  - id: all
    type: io.kestra.plugin.scripts.shell.Script
    env:
      OWN: "{{ secret('OWN') }}"
      MIDDLE: "{{ secret('MIDDLE') }}"
      TOP: "{{ secret('TOP') }}"
      SAME: "{{ secret('SAME') }}"
    script: |
      test "$OWN/$MIDDLE/$TOP/$SAME" = "child-own/team-middle/company-top/child-same" && echo "each from its level"
      echo "seen $MIDDLE"
"""
ABOVE = """
id: ID
namespace: NAMESPACE
tasks:
  - {id: one, type: io.kestra.plugin.core.log.Log, message: "{{ TEMPLATE | length }}"}
"""


@pytest.fixture(scope="module")
def bao() -> Iterator[OpenBao]:
    with openbao_running() as server:
        yield server


@pytest.fixture
def running(tmp_path: Path, bao: OpenBao) -> Iterator[Server]:
    (tmp_path / "conf.yml").write_text(CONFIGURATION)
    server = Server(tmp_path / "state", "-c", str(tmp_path / "conf.yml"))
    try:
        say(server, "company.team", "vault", vault(bao))
        say(server, "company.team.child", "jdbc", {"secret": OF_CHILD})
        for namespace, name in (("company", "TOP"), ("company.team", "MIDDLE"), ("company.team.child", "OWN")):
            put(server, namespace, name, f"{namespace.rpartition('.')[2]}-{name.lower()}")
            put(server, namespace, "SAME", f"{namespace.rpartition('.')[2]}-same")
        yield server
    finally:
        server.stop()


def vault(bao: OpenBao) -> dict[str, Any]:
    return {"address": bao.address, "token": {"token": ROOT}, "rootEngine": "secret"}


def say(server: Server, name: str, kind: str | None = None, options: dict[str, Any] | None = None, **more: Any) -> None:
    body = {"id": name, "secretType": kind, "secretConfiguration": options, **more}
    answer = requests.post(f"{server.api}/namespaces", json=body, timeout=30)
    if answer.status_code == 422:
        answer = requests.put(f"{server.api}/namespaces/{name}", json=body, timeout=30)
    assert answer.ok, answer.text


def put(server: Server, namespace: str, name: str, value: str) -> None:
    body = {"key": name, "value": value}
    answer = requests.put(f"{server.api}/namespaces/{namespace}/secrets", json=body, timeout=30)
    assert answer.ok, answer.text


def ran(server: Server, namespace: str, template: str, flow: str = "one") -> tuple[str, str]:
    """The state of an execution that renders a template, and its log."""
    source = ABOVE.replace("ID", flow).replace("NAMESPACE", namespace).replace("TEMPLATE", template)
    saved = requests.delete(f"{server.api}/flows/{namespace}/{flow}", timeout=30)
    assert saved.status_code in (204, 404)
    answer = server.save(source)
    assert answer.ok, answer.text
    return _run(server, namespace, flow)


def _run(server: Server, namespace: str, flow: str) -> tuple[str, str]:
    execution = server.until_ended(server.start(namespace, flow)["id"])
    logs = requests.get(f"{server.api}/logs/{execution['id']}", timeout=30)
    return execution["state"]["current"], logs.text


def test_a_flow_takes_one_secret_from_each_level_and_no_credential_is_anywhere(running, bao, tmp_path):
    assert bao.client().secrets.kv.v2.read_secret_version(
        "main/company/team/MIDDLE", mount_point="secret", raise_on_deleted_version=True
    )["data"]["data"] == {"value": "team-middle"}
    assert running.save(FLOW).ok
    state, log = _run(running, "company.team.child", "levels")
    assert (state, "each from its level" in log) == ("SUCCESS", True), log
    assert "seen ********" in log
    answers = [
        requests.get(f"{running.api}/{path}", timeout=30)
        for path in (
            "namespaces/company.team",
            "namespaces/company.team.child",
            "namespaces/search",
            "secrets",
            "namespaces/company.team.child/inherited-secrets",
        )
    ]
    assert answers[3].json()["total"] == 6
    texts = [answer.content for answer in answers]
    files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and file.name != "conf.yml"]
    assert any(b"company.team" in content for content in files)
    for canary in CANARIES:
        assert not any(canary.encode() in content for content in (*texts, *files)), canary


def test_a_store_that_fails_fails_its_own_and_a_new_record_holds_at_once(running, bao):
    say(running, "company.team", "vault", {**vault(bao), "token": {"token": "wrong"}})
    state, log = ran(running, "company.team", "secret('MIDDLE')")
    assert (state, "Vault refuses it" in log) == ("FAILED", True), log
    assert ran(running, "company.team", "secret('TOP')")[0] == "FAILED", "what is nearer might have it"
    assert ran(running, "company", "secret('TOP')")[0] == "SUCCESS"
    say(running, "company.team", "vault", vault(bao))
    assert ran(running, "company.team", "secret('MIDDLE')")[0] == "SUCCESS"
    assert requests.delete(f"{running.api}/namespaces/company.team", timeout=30).status_code == 204
    state, log = ran(running, "company.team", "secret('MIDDLE')")
    assert (state, "Cannot find secret for key 'MIDDLE'." in log) == ("FAILED", True), log


def test_what_is_not_inherited_and_who_is_not_allowed(running):
    say(running, "company", allowedNamespaces=[{"namespace": "friends"}])
    asked = "secret('TOP', namespace='company')"
    for namespace, template, told in (
        ("friends.near", asked, None),
        ("strangers", asked, "Namespace company is not allowed."),
        ("strangers", "secret('TOP', namespace='company.nowhere')", "Namespace company is not allowed."),
        ("strangers", "secret('MIDDLE', namespace='company.team')", None),
        ("strangers", "kv('x', namespace='company')", "Namespace company is not allowed."),
        ("company.team", "secret('TOP', inherit=false)", "Cannot find secret for key 'TOP'."),
        ("company.team", "secret('MIDDLE', inherit=false)", None),
    ):
        state, log = ran(running, namespace, template)
        assert state == ("SUCCESS" if told is None else "FAILED"), log
        assert told is None or told in log, log


def test_the_restarted_server_opens_what_was_sealed(running, bao, tmp_path):
    running.kill()
    again = Server(tmp_path / "state", "-c", str(tmp_path / "conf.yml"))
    try:
        assert ran(again, "company.team", "secret('MIDDLE')")[0] == "SUCCESS"
        shown = requests.get(f"{again.api}/namespaces/company.team", timeout=30).json()
        assert shown["secretConfiguration"] == {**vault(bao), "token": {"token": "******"}}
        configs = requests.get(f"{again.url}/api/v1/configs", timeout=30).json()
        assert {"vault", "jdbc", "env"} <= {one["id"] for one in configs["supportedSecrets"]}
        assert configs["tenants"]["secretByTenant"] is False
    finally:
        again.stop()
    assert json.dumps(vault(bao)["address"]).encode() in (tmp_path / "state" / "casemate.db").read_bytes()
