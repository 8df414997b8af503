"""What templates ask of the world, and what they may not ask."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest

from casemate.expressions import ExpressionError, NeedsWorld, Unanswerable, file_refusal, render
from casemate.masking import Mask

FLOW = {"flow": {"id": "my_flow", "namespace": "team.a"}, "execution": {"id": "e1"}}
OWN = "kestra:///team/a/my-flow/executions/e1/tasks/t/r/x.ion"


@dataclass
class Known:
    """A world with one of everything, which remembers what it was asked."""

    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    zone = UTC
    asked: list[tuple] = field(default_factory=list)
    mask: Mask = field(default_factory=Mask)

    def secret(self, key, namespace, subkey, inherit):
        self.asked.append(("secret", key, namespace, subkey))
        if key != "TOKEN":
            raise ExpressionError(f"Cannot find secret for key '{key}'.")
        return "s3cret"

    def kv(self, key, namespace, error_on_missing):
        self.asked.append(("kv", key, namespace, error_on_missing))
        return {"n": 1}

    def read(self, path, namespace):
        self.asked.append(("read", path, namespace))
        return "content"

    def file_size(self, path, namespace):
        return 7

    def encrypt(self, key, plaintext):
        return f"<{plaintext}>"

    def decrypt(self, key, encrypted):
        return encrypted[1:-1]

    def uuid(self):
        return UUID(int=62)

    def random_int(self, lower, upper):
        return upper - 1

    def error_logs(self):
        return [{"message": "boom"}]

    def jq(self, expression, value):
        self.asked.append(("jq", expression, value))
        return [value["a"]]


ANSWERED = {
    "{{ secret('TOKEN') }}": "s3cret",
    "{{ kv('k').n }}": "1",
    "{{ read('file.txt') }}": "content",
    f"{{{{ read('{OWN}') }}}}": "content",
    f"{{{{ fileSize('{OWN}') }}}}": "7",
    "{{ encrypt('key', 'x') }}": "<x>",
    "{{ decrypt('key', encrypt('key', 'x')) }}": "x",
    "[{{ encrypt('key', null) }}{{ decrypt('key', '') }}]": "[]",
    "{{ uuid() }}": "00000000-0000-0000-0000-00000000003e",
    "{{ id() }}": "0000000000000000000010",
    "{{ randomInt(low, high) }}": "9",
    "{{ randomInt(low, low) }}": "1",
    "{{ errorLogs() | first }}": '{"message":"boom"}',
    "{{ {'a': 5} | jq('.a') | first }}": "5",
    "{{ '{\"a\": 6}' | jq('.a') }}": "[6]",
    "{{ fileURI('dir/f.txt') }}": "kestra:///team/a/_files/dir/f.txt",
}


@pytest.mark.parametrize(("template", "expected"), ANSWERED.items(), ids=ANSWERED)
def test_functions_ask_the_world(template, expected):
    assert render(template, {**FLOW, "low": 1, "high": 10}, Known()) == expected


def test_the_world_is_told_what_the_author_wrote():
    world = Known()
    render("{{ secret('TOKEN', namespace='other', subkey='k') }}{{ kv('k', errorOnMissing=true) }}", FLOW, world)
    assert world.asked == [("secret", "TOKEN", "other", "k"), ("kv", "k", None, True)]


def test_a_template_can_not_pretend_to_be_another_flow():
    world = Known()
    foreign = "kestra:///team/b/f/executions/e2/x"
    template = "{% set flow = {'id': 'f', 'namespace': 'team.b'} %}{% set execution = {'id': 'e2'} %}{{ read(uri) }}"
    with pytest.raises(ExpressionError, match="as it didn't belong to the current execution"):
        render(template, {**FLOW, "uri": foreign}, world)
    render("{% set flow = {'namespace': 'team.b'} %}{{ kv('k') }}", FLOW, world)
    assert world.asked == [("kv", "k", None, False)]


def test_jq_sees_json_only():
    world = Known()
    render("{{ {'a': at} | jq('.a') }}", {"at": datetime(2024, 1, 1, tzinfo=UTC)}, world)
    assert world.asked == [("jq", ".a", {"a": "2024-01-01T00:00:00Z"})]


REFUSED = {
    "{{ secret() }}": "The 'secret' function expects an argument 'key'.",
    "{{ secret('OTHER') }}": "Cannot find secret for key 'OTHER'.",
    "{{ kv() }}": "The 'kv' function expects an argument 'key'.",
    "{{ read() }}": "The 'read' function expects an argument 'path' that is a path to a namespace file or an internal "
    "storage URI.",
    "{{ read('../x') }}": "must not contain '..'",
    "{{ fileURI('../x') }}": "Path must not contain '../'",
    "{{ encrypt('k') }}": "The 'encrypt' function expects two arguments 'key' and 'plaintext'.",
    "{{ decrypt('k') }}": "The 'decrypt' function expects two arguments 'key' and 'encrypted'.",
    "{{ randomInt() }}": "The 'GenerateRandomNumber' function expects an argument lower",
    "{{ randomInt(1, 2) }}": "with type Integer.",
    "{{ randomInt(high, low) }}": "In 'GenerateRandomNumber' upper is less than lower",
    "{{ 'no json' | jq('.a') }}": "Unable to parse jq value 'no json' with type 'java.lang.String'",
    "{{ {} | jq }}": "The 'jq' filter expects an argument 'expression'.",
}


@pytest.mark.parametrize(("template", "message"), REFUSED.items(), ids=REFUSED)
def test_refusals_carry_kestras_words_and_the_place(template, message):
    with pytest.raises(ExpressionError) as raised:
        render(template, {**FLOW, "low": 1, "high": 10}, Known())
    assert message in str(raised.value)
    assert str(raised.value).endswith(f"({template}:1)")


NEEDED = {
    "{{ secret('A') }}": "secret",
    "{{ kv('a') }}": "kv",
    "{{ read('a') }}": "read",
    "{{ fileSize('a') }}": "fileSize",
    "{{ encrypt('a', 'b') }}": "encrypt",
    "{{ decrypt('a', 'b') }}": "decrypt",
    "{{ uuid() }}": "uuid",
    "{{ id() }}": "uuid",
    "{{ randomInt(a, b) }}": "randomInt",
    "{{ errorLogs() }}": "errorLogs",
    "{{ {} | jq('.') }}": "jq",
    "{{ secret('A') == 1 }}": "secret",
    "{{ secret('A') ?? 'd' }}": "secret",
    "{% if kv('a') %}{% endif %}": "kv",
    "{{ render('{{ kv(1 ~ 2) }}') }}": "kv",
}


@pytest.mark.parametrize(("template", "function"), NEEDED.items(), ids=NEEDED)
def test_a_world_that_can_not_answer_says_which_function_is_needed(nowhere, template, function):
    with pytest.raises(NeedsWorld) as raised:
        render(template, {"a": 1, "b": 2}, nowhere)
    assert raised.value.function == function


def test_what_needs_no_world_is_rendered_without_one():
    world = Unanswerable(now=datetime(2024, 1, 1, tzinfo=UTC))
    assert render("{{ now('yyyy') }}{{ false and secret('A') }}", {}, world) == "2024false"


def test_only_files_of_the_execution_and_of_its_parent_may_be_read():
    parent = {"namespace": "team.b", "flowId": "Parent Flow", "executionId": "p1"}
    assert file_refusal(OWN, FLOW) is None
    assert file_refusal("kestra:///team/b/parent-flow/executions/p1/x", {**FLOW, "trigger": parent}) is None
    assert file_refusal("dir/file.txt", FLOW) is None
    for foreign in (
        "kestra:///team/a/my-flow/executions/e2/x",
        "kestra:///team/a/my-flow/executions/e1",
        "kestra:///team/a/_files/x",
        "kestra:/team/a/my-flow/executions/e1/x",
        OWN.replace("tasks", "../e2"),
    ):
        assert "Unable to read the file" in str(file_refusal(foreign, FLOW)), foreign
    assert file_refusal(OWN, {}) is not None


EACH = {"t": {"a": {"x": {"v": 1}}, "b": {"v": 2}}}


def test_the_output_of_the_current_iteration_is_found_along_its_parents(shown):
    nested = {"outputs": EACH, "taskrun": {"value": "x"}, "parents": [{"taskrun": {"value": "a"}}, {"outputs": {}}]}
    assert shown("{{ currentEachOutput(outputs.t).v }}", nested) == "1"
    assert shown("{{ currentEachOutput(outputs.t).v }}", {"outputs": EACH, "taskrun": {"value": "b"}}) == "2"


def test_an_iteration_without_outputs_is_told(refusal):
    variables = {"outputs": EACH, "taskrun": {"value": "x"}, "parents": [{"taskrun": {"value": "zz"}}]}
    message = refusal("{{ currentEachOutput(outputs.t).v }}", variables)
    assert "No execution outputs for the current task runs path" in message
    assert "expects an argument 'outputs' with type map." in refusal("{{ currentEachOutput(1) }}")


WITHIN = (
    "{{ secret('OTHER') == 'y' }}",
    "{{ 'y' != secret('OTHER') }}",
    "{{ secret('OTHER') + 'y' }}",
    "{{ 1 > secret('OTHER') }}",
    "{{ -secret('OTHER') }}",
    "{{ secret('OTHER') == 'y' ? 1 : 2 }}",
    "{{ secret('OTHER') contains 'y' }}",
    "{{ secret('OTHER') ?? 'y' }}",
    "{{ secret('OTHER') is defined }}",
    "{{ secret('OTHER') is empty }}",
    "{{ secret('OTHER') | default('y') }}",
    "{{ {'a': secret('OTHER')} | jq('.a') }}",
    "{{ (secret('OTHER') ~ 'y') | upper == 'Y' }}",
    "{{ secret(secret('OTHER')) == 'y' }}",
    "{{ render(inner) == 'y' }}",
    "{% if secret('OTHER') %}y{% endif %}",
    "{% if 1 == 2 %}n{% elseif secret('OTHER') == 'y' %}y{% endif %}",
    "{% for one in secret('OTHER') %}y{% endfor %}",
    "{% set one = secret('OTHER') == 'y' %}",
)


@pytest.mark.parametrize("template", WITHIN)
def test_what_the_world_refuses_says_so_wherever_it_stands(template):
    with pytest.raises(ExpressionError, match="Cannot find secret for key 'OTHER'"):
        render(template, {**FLOW, "inner": "{{ secret('OTHER') == 'x' }}"}, Known())
