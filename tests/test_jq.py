"""jq in templates: what it answers, and what its programs cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casemate import jq
from casemate.expressions import ExpressionError, Jq
from tests.running import casemate


@pytest.fixture(scope="module")
def apply() -> Iterator[Jq]:
    with jq.jq_on_demand() as apply:
        yield apply


@pytest.mark.parametrize(
    ("program", "value", "results"),
    [
        (".a.b", {"a": {"b": [1, None, "é"]}}, [[1, None, "é"]]),
        (".[] | . * 2", [1, 2.5], [2, 5]),
        ("empty", {}, []),
        ("map(select(.age > 30) | .name)", [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 20}], [["Ada"]]),
    ],
)
def test_every_result_of_a_program_is_given(apply: Jq, program: str, value: object, results: list[object]):
    assert apply(program, value) == results


@pytest.mark.parametrize(
    ("program", "words"),
    [("..[", "syntax error"), ('error("mine")', "mine"), (".a.b", "Cannot index number")],
)
def test_a_program_that_fails_says_why(apply: Jq, program: str, words: str):
    with pytest.raises(ExpressionError, match=words):
        apply(program, {"a": 1})


def test_a_program_sees_nothing_of_the_worker(apply: Jq, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "open sesame")
    (seen,) = apply("[env, $ENV]", None)
    assert "DATABASE_PASSWORD" not in json.dumps(seen)
    with pytest.raises(ExpressionError):
        apply('import "passwd" as $users {search: "/etc"}; $users', None)


def test_a_program_that_eats_memory_ends_alone(apply: Jq):
    with pytest.raises(ExpressionError, match=r"memory limit 512 MiB|crashed"):
        apply('"0123456789" * 100000000 | length', None)
    assert apply(".", 1) == [1]


def test_a_program_that_floods_is_ended(apply: Jq):
    with pytest.raises(ExpressionError, match=r"output limit|crashed|broken"):
        apply('[range(100000) | "0123456789" * 40]', None)


def test_a_program_without_end_is_ended(apply: Jq, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jq, "_SECONDS", 0.5)
    with pytest.raises(ExpressionError, match="took more than"):
        apply("def f: f; f", None)
    monkeypatch.undo()
    assert apply(".", 1) == [1]


def test_programs_wait_for_each_other(apply: Jq):
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda number: apply(". + 1", number), range(8))) == [[n + 1] for n in range(8)]


def test_tasks_and_the_engine_apply_programs(tmp_path: Path):
    flow = tmp_path / "flow.yaml"
    flow.write_text("""
id: people
namespace: tests.product
variables: {people: '[{"name": "Ada"}, {"name": "Bob"}]'}
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: '{{ vars.people | jq("map(.name)") | first }}'
    tasks:
      - id: hello
        type: io.kestra.plugin.core.log.Log
        message: 'Hello {{ [taskrun.value] | jq(".[0] | ascii_upcase") | first }}'
""")
    result = casemate("run", flow, "--state", tmp_path / "state")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Hello ADA" in result.stdout
    assert "Hello BOB" in result.stdout
    assert not list((tmp_path / "state" / "sandboxes").glob(".jq-*"))
