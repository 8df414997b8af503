"""What looks like something bad and is not: the scan says nothing of it. And no text makes it slow."""

from __future__ import annotations

import time
import tracemalloc
from ipaddress import ip_network

import pytest
from tests.scanning.bad import HEAD, docker, made, request, script, shell, task
from tests.scanning.test_rules import found

from casemate.sandbox.ranges import GUARDED, meanings_of
from casemate.scanning.addresses import ipv6, is_metadata

PINNED = "a@sha256:" + "a" * 64
FINE = {
    "another address": request("http://192.168.1.10:8080/metadata"),
    "a large number": shell("echo 2852039167 0xdeadbeef"),
    "a number with a point": "variables: {ratio: 169.25443518, pi: 3.14159265}\n" + shell("id"),
    "a folder called metadata": shell("cp metadata/latest.json metadata.json && ls data/metadata/computeMetadata"),
    "a mirror of another address": shell("curl 10.0.0.1.nip.io app.sslip.io"),
    "quoted numbers": shell("printf '169' '254' \"169\",\"254\""),
    "keys of maps": "variables: {'10.0.0.1': a, 'https://example.com/': b, token: \"{{ inputs.a }}\"}\n" + shell("id"),
    "a version": shell("pip install tool==169.254.1"),
    "a time": shell("date -d 12:30:45 && echo a::b std::vector fe80::1"),
    "a word": shell("kubectl get pod -o jsonpath={.metadata.name}"),
    "a host below": request("https://metadata.example.com/instance-data"),
    "a warning to people": "description: never call 169.254.169.254\n" + shell("id"),
    "a network by name": docker("networkMode: hosting"),
    "no network": docker("networkMode: none"),
    "not privileged": docker("privileged: false"),
    "not privileged, as a text": docker('privileged: "false"'),
    "a flag that says no": shell("docker run --privileged=false --network none ubuntu:24.04"),
    "a volume of the engine": docker("volumes: ['cache:/root/.cache']"),
    "the engine's own address": docker("host: unix:///var/run/docker.sock"),
    "copied files": docker("fileHandlingStrategy: VOLUME"),
    "a pinned image": task("script: id", f"containerImage: {PINNED}"),
    "a pinned image with a tag": task("script: id", f"containerImage: registry:5000/x/{PINNED.replace('@', ':1.2@')}"),
    "an image by an expression": task("script: id", 'containerImage: "{{ vars.image }}"'),
    "a pinned image by an expression": task("script: id", f"containerImage: \"{{{{ '{PINNED}' }}}}\""),
    "a text beside expressions": script("echo {{ inputs.a }} secret('A') {{ inputs.b }}"),
    "no image": task("script: id", "containerImage: null"),
    "a runner of something else": task("runner: dataflow", kind="io.kestra.plugin.gcp.Job"),
    "docker of something else": task("docker: true", kind="io.kestra.plugin.core.log.Log"),
    "a secret by expression": task("script: id", "env: {DB_PASSWORD: \"{{ secret('DB') }}\"}"),
    "a secret by an older expression": task("script: id", "env: {TOKEN: \"{{ envs.token }}\"}"),
    "a placeholder": task("script: id", "env: {PASSWORD: changeme, API_KEY: <your key>, TOKEN: '${TOKEN}'}"),
    "where it is": task("script: id", "env: {PRIVATE_KEY: /run/keys/id, SECRET: 'vault:kv/x', TOKEN: kestra:///}"),
    "keys of other kinds": task("script: id", "env: {MAX_TOKENS: '5', NEXT_TOKEN: abc, SORT_KEY: name, KEYBOARD: de}"),
    "a secret input without a default": "inputs:\n  - {id: password, type: SECRET}\n" + shell("id"),
    "a token of an example": task("script: id", "env: {A: AKIAIOSFODNN7EXAMPLE}"),
    "a long hexadecimal text": task("script: id", f"env: {{COMMIT: {made(40, '0123456789abcdef')}}}"),
    "a UUID": task("script: id", "env: {ID: 6f1c4f0e-5b1f-4f0e-9c1f-0e6f1c4f0e5b}"),
    "an address without a password": request("https://user@example.com/"),
    "an address with an expression": request("\"https://u:{{ secret('P') }}@example.com/\""),
    "a public key": task("script: id", "env: {KEY: '-----BEGIN PUBLIC KEY-----'}"),
    "a password that is asked for": script("password = getpass('Password: ')"),
    "a password from the environment": script('token = os.environ["SERVICE_TOKEN_2"]'),
    "a password of the shell": script("PASSWORD=$DB_PASSWORD_2 TOKEN=$(cat /run/t0ken12) login --password-stdin"),
    "a token of a call": script("token=get_token_v2(3)"),
    "a header of an expression": request("https://example.com, headers: {Authorization: \"Bearer {{ vars.t }}\"}"),
    "a function of that name": script("value = secret('NAME')"),
    "secret outside of commands": task("script: id", "inputFiles: {a.txt: \"{{ secret('A') }}\"}"),
    "a comment about the product": "# casemate: runs every night\n" + shell("id"),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_what_is_fine_is_let_pass(name: str):
    assert found(HEAD + FINE[name]) == ()


def test_every_address_that_the_walls_guard_is_found():
    for network, _ in GUARDED:
        first = ip_network(network).network_address
        assert is_metadata(first) or first.is_link_local, network


@pytest.mark.parametrize("text", ["::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::a9fe:a9fe"])
def test_what_leads_through_ipv6_is_judged_as_the_walls_judge_it(text: str):
    address = ipv6(text)
    assert address is not None
    assert is_metadata(address)
    assert any(is_metadata(meaning) for meaning in meanings_of(text))


REPEATED = (
    "a", "a.", "{{", "{% ", "//", "1.", "1", "::", ":a", "'+", "' ", "password", "password=", "x://a:",
    "eyJaaaaaaaaaaa.", "%25", "0x", "--cap-add ", "-", "AKIA", "http://", "'",
    "\\", "'a", "1'", ".nip.io", "a.", "metadata/",
)  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_no_text_makes_it_slow(piece: str):
    text = piece * (50_000 // len(piece))
    properties = "".join(f"    {key}: |\n      {text}\n" for key in ("script", "password", "networkMode"))
    begun = time.process_time()
    found(f"{HEAD}tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.shell.Script\n{properties}")
    assert time.process_time() - begun < 5


def test_many_findings_and_many_comments_are_placed_fast():
    allow = "# casemate: allow image-moving because nothing is here\n" * 5000
    addresses = "      curl 169.254.169.254\n" * 10_000
    begun = time.process_time()
    findings = found(f"{HEAD}{allow}{script('echo')}{addresses}variables: {{a: {'169.254.169.254 ' * 5000}}}\n")
    assert len(findings) >= 1000
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "text",
    [
        ">\n" + "".join(f"    169.254.{number // 250}.{number % 250}\n" for number in range(20_000)),
        ">\n" + "    {{ secret(\n    'A') }}\n" * 20_000,
        '"' + "\\x41" * 100_000 + "".join(f" 169.254.{number // 250}.{number % 250}" for number in range(20_000)) + '"',
    ],
    ids=["folded", "split by folding", "with escapes"],
)
def test_findings_in_other_texts_are_placed_fast(text: str):
    begun = time.process_time()
    assert found(f"{HEAD}run:\n  script: {text}\n")
    assert time.process_time() - begun < 10


NESTED = "".join(f"{' ' * depth}{'k' * 1000}:\n" for depth in range(2, 150))
MANY = ",".join(["169.254.169.254"] * 1200)


@pytest.mark.parametrize(
    "text",
    [f"  ? {'k' * 100_000}\n  : [{MANY}]", f"{NESTED}{' ' * 160}[{MANY}]", f"  a: {'[' * 190}{MANY}{']' * 190}"],
    ids=["below a long key", "below many long keys", "deep below lists"],
)
def test_findings_far_below_take_neither_time_nor_memory(text: str):
    tracemalloc.start()
    begun = time.process_time()
    findings = found(f"{HEAD}variables:\n{text}\n")
    assert time.process_time() - begun < 10
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(findings), most < 100 << 20) == (1000, True)
    assert max(len(one.path) for one in findings) <= 1000


def test_a_line_of_blanks_behind_a_comment_is_no_trap():
    begun = time.process_time()
    found(f"{HEAD}# casemate: allow {' ' * 400_000}x{' because' * 1000}\n{shell('id')}")
    assert time.process_time() - begun < 5
