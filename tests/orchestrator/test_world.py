"""What templates may ask of the world, for the engine itself and for workers."""

from __future__ import annotations

from asyncio import to_thread
from pathlib import Path
from threading import Event

import pytest

from casemate.dispatch import Ask, NotHeld, Reply
from casemate.executions import Context, State
from casemate.identifiers import MAIN, Namespace
from casemate.sealed import Sealed
from casemate.secret import Secret
from casemate.secrets import Address, Found
from casemate.settings import Service
from casemate.store import LogEntry, kv, logs
from casemate.store.kv import Entry

from .parts import ONE, START, Plane, claimed, finished, plane, working

pytestmark = pytest.mark.anyio

BRANCH = """
id: branch
namespace: company.team
tasks:
  - id: choose
    type: io.kestra.plugin.core.flow.If
    condition: "{{ CONDITION }}"
    then: [{id: yes, type: io.kestra.plugin.core.log.Log, message: a}]
    else: [{id: no, type: io.kestra.plugin.core.log.Log, message: b}]
"""


async def put(service: Plane, key: str, value: object) -> None:
    entry = Entry(key=key, value=value, updated=START)
    await service.db.transact(kv.put, MAIN, "company.team", entry)


UNNAMED = "The task 'say' does not name the secret that its worker asked for."


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ("kv('go')", "yes"),
        ("kv('missing') ?? false", "no"),
        ("secret('TOKEN') == 'opensesame'", "yes"),
        ("read('notes/a.txt') == 'hello'", "yes"),
        ("fileSize(fileURI('notes/a.txt')) > 3", None),
        ("secret('ABSENT')", None),
        ("kv('missing', errorOnMissing=true)", None),
    ],
)
async def test_a_condition_may_ask_the_world(service: Plane, condition: str, taken: str | None):
    await put(service, "go", True)
    await service.storage.put(MAIN, "kestra:///company/team/_files/notes/a.txt", b"hello")
    flow = await service.save(BRANCH.replace("CONDITION", condition))
    async with working(await service.link()) as done:
        ended = await service.ended(await service.orchestrator.create(flow))
    assert ended.state is (State.FAILED if taken is None else State.SUCCESS)
    assert [grant.task.id for grant in done] == ([] if taken is None else [taken])


async def test_a_question_that_a_crash_interrupted_is_asked_again(tmp_path, clock):
    async with plane(tmp_path, clock) as before:
        flow = await before.save(BRANCH.replace("CONDITION", "kv('go')"))
        await put(before, "go", True)
        execution = await before.orchestrator.create(flow)
    async with plane(tmp_path, clock) as after, working(await after.link()) as done:
        assert (await after.ended(execution)).state is State.SUCCESS
    assert [grant.task.id for grant in done] == ["yes"]


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (Ask("secret", {"key": "TOKEN", "namespace": None, "subkey": None}), Reply("opensesame")),
        (Ask("full_secret", {"key": "TOKEN"}), Reply({"value": "opensesame", "metadata": {}})),
        (Ask("secret", {"key": "OTHER"}), Reply(error=UNNAMED)),
        (Ask("full_secret", {"key": "OTHER"}), Reply(error=UNNAMED)),
        (Ask("kv", {"key": "k", "namespace": None, "error_on_missing": False}), Reply({"a": 1})),
        (Ask("kv", {"key": "k", "namespace": "other"}), Reply(None)),
        (
            Ask("kv", {"key": "x", "error_on_missing": True}),
            Reply(error="The key 'x' does not exist in the namespace 'company.team'."),
        ),
        (Ask("read", {"path": "a.txt"}), Reply("hello")),
        (Ask("read", {"path": "../a.txt"}), None),
        (
            Ask("read", {"path": "file:///etc/passwd"}),
            Reply(
                error="Unable to read the file 'file:///etc/passwd': only properties of tasks, which a worker renders, "
                "read files of a machine"
            ),
        ),
        (Ask("file_size", {"path": "a.txt"}), Reply(5)),
        (Ask("namespace_files"), Reply({"a.txt": "kestra:///company/team/_files/a.txt"})),
        (Ask("__class__"), Reply(error="The function '__class__' can not be answered here.")),
        (Ask("secret", {"key": 5}), Reply(error="The argument 'key' must be a text.")),
    ],
)
async def test_a_worker_asks_for_its_job(service: Plane, ask: Ask, reply: Reply | None):
    await put(service, "k", {"a": 1})
    await service.storage.put(MAIN, "kestra:///company/team/_files/a.txt", b"hello")
    await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    told = await link.ask(grant.job, grant.fence, ask)
    assert told == reply if reply else told.error is not None


async def test_files_of_other_executions_do_not_get_into_templates(service: Plane):
    flow = await service.save(ONE)
    await service.orchestrator.create(flow)
    link = await service.link()
    mine = await claimed(link)
    own = await link.put(mine.job, mine.fence, "a.txt", b"mine")
    assert await link.ask(mine.job, mine.fence, Ask("read", {"path": own})) == Reply("mine")

    await service.orchestrator.create(flow)
    other = await claimed(link)
    assert await link.ask(other.job, other.fence, Ask("read", {"path": own})) == Reply(
        error=f"Unable to read the file '{own}' as it didn't belong to the current execution"
    )


async def test_files_of_the_execution_that_started_this_one_may_be_read(service: Plane):
    flow = await service.save(ONE)
    caller = await service.orchestrator.create(flow)
    link = await service.link()
    first = await claimed(link)
    uri = await link.put(first.job, first.fence, "a.txt", b"from above")
    variables = {"executionId": caller.id, "namespace": "company.team", "flowId": "one"}
    await service.orchestrator.create(flow, trigger={"id": "t", "type": "Subflow", "variables": variables})
    second = await claimed(link)
    assert await link.ask(second.job, second.fence, Ask("read", {"path": uri})) == Reply("from above")


async def test_nobody_asks_or_hands_in_files_for_a_job_of_someone_else(service: Plane):
    await service.orchestrator.create(await service.save(ONE))
    grant = await claimed(await service.link("ann"))
    thief = await service.link("thief")
    for fence in (grant.fence, grant.fence + 1):
        with pytest.raises(NotHeld):
            await thief.ask(grant.job, fence, Ask("secret", {"key": "TOKEN"}))
        with pytest.raises(NotHeld):
            await thief.put(grant.job, fence, "a", b"x")
        with pytest.raises(NotHeld):
            async for _ in thief.fetch(grant.job, fence, "kestra:///company/team/_files/a.txt"):
                pass


async def test_a_job_that_is_over_asks_nothing(service: Plane):
    await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    await link.report(finished(grant))
    with pytest.raises(NotHeld):
        await link.ask(grant.job, grant.fence, Ask("secret", {"key": "TOKEN"}))


async def test_error_logs_of_the_execution(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    place = {"tenant": MAIN, "namespace": "company.team", "flow_id": "one", "execution_id": execution.id}
    entries = [LogEntry(**place, at=START, level="ERROR", message=f"m{number}") for number in range(30)]
    await service.db.transact(logs.append, [*entries, LogEntry(**place, at=START, level="INFO", message="fine")])
    reply = await link.ask(grant.job, grant.fence, Ask("error_logs"))
    assert [entry["message"] for entry in reply.value] == [f"m{number}" for number in range(25)]


SEALED = """
id: sealed
namespace: company.team
inputs:
  - {id: password, type: SECRET}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.password }}"}
"""


async def test_a_worker_learns_what_its_templates_open(tmp_path, clock):
    context = Context(seal=lambda text: Sealed(text[::-1]), unseal=lambda sealed: sealed.cipher[::-1])
    async with plane(tmp_path, clock, context) as service:
        await service.orchestrator.create(await service.save(SEALED), {"password": "opensesame"})
        grant = await claimed(await service.link())
        assert tuple(grant.opened) == ()
        assert grant.variables["inputs"] == {"password": "opensesame"}
        assert tuple(grant.opened) == (Secret("opensesame"),)
        assert "opensesame" not in repr(grant.opened)


LEAKING = """
id: leaking
namespace: company.team
inputs:
  - {id: password, type: SECRET}
tasks:
  - id: choose
    type: io.kestra.plugin.core.flow.If
    condition: "%s"
    then:
      - {id: say, type: io.kestra.plugin.core.log.Log, message: never}
outputs:
  - {id: more, type: STRING, value: "%s"}
"""


@pytest.mark.parametrize("told", ["inputs.password", "secret('TOKEN')", "(inputs.password ~ secret('OTHER'))"])
async def test_the_texts_of_errors_show_nothing_that_was_opened(tmp_path, clock, told):
    context = Context(seal=lambda text: Sealed(text[::-1]), unseal=lambda sealed: sealed.cipher[::-1])
    template = f"{{{{ {told} | date({told}) }}}}"
    async with plane(tmp_path, clock, context) as service:
        flow = await service.save(LEAKING % (template, template))
        execution = await service.ended(await service.orchestrator.create(flow, {"password": "opensesame"}))
        entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    messages = [entry.message for entry in entries]
    assert execution.state is State.FAILED
    assert len([message for message in messages if "********" in message]) == 2
    assert not [message for message in messages if "sesame" in message or "unasked" in message]


CHOOSING = """
id: choosing
namespace: company.team
inputs:
  - id: city
    type: SELECT
    expression: "{{ kv('cities') }}"
  - id: token
    type: SELECT
    expression: "{{ [secret('TOKEN')] }}"
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.city }}"}
"""


async def test_inputs_that_people_look_at_know_the_namespace_but_no_secret(service: Plane):
    entry = Entry(key="cities", value=["Rome", "Oslo"], type="JSON", updated=service.clock())
    await service.db.transact(kv.put, MAIN, Namespace("company.team"), entry)
    flow, given = await service.save(CHOOSING), {"city": "Oslo", "token": "opensesame"}

    city, token = await service.orchestrator.starting.looked_at(flow, flow.inputs, given)
    assert (city.value, city.problem) == ("Oslo", None)
    assert token.problem is not None
    assert "The secret 'TOKEN' can not be shown." in token.problem.message
    assert (await service.orchestrator.create(flow, given)).inputs == given


class Slow:
    """A store of secrets that answers when it may."""

    def __init__(self) -> None:
        self.asked, self.may = Event(), Event()

    def read(self, _address: Address) -> Found:
        self.asked.set()
        assert self.may.wait(20)
        return Found(value=Secret("opensesame"), fields={"user": Secret("ali-baba"), "port": Secret("80")})


async def test_a_slow_store_of_secrets_holds_up_nobody_else(tmp_path: Path):
    slow = Slow()
    async with plane(tmp_path, backend=slow) as service:
        await put(service, "k", "here")
        waiting = [
            await service.orchestrator.create(await service.save(BRANCH.replace("CONDITION", "secret('A') == 'x'")))
            for _ in range(6)
        ]
        await to_thread(slow.asked.wait, 10)
        source = BRANCH.replace("CONDITION", "kv('k') == 'here'").replace("id: branch", "id: quick")
        quick = await service.orchestrator.create(await service.save(source))
        async with working(await service.link()):
            assert (await service.ended(quick)).state is State.SUCCESS
            slow.may.set()
            for execution in waiting:
                assert (await service.ended(execution)).state is State.SUCCESS


async def test_what_stands_beside_a_secret_comes_with_it_when_it_is_asked_for(tmp_path: Path):
    slow = Slow()
    slow.may.set()
    full = "secret('A', full=true)"
    condition = f"{full}.value == 'opensesame' and {full}.metadata.user == 'ali-baba'"
    async with plane(tmp_path, backend=slow) as service, working(await service.link()) as done:
        source = BRANCH.replace('"{{ CONDITION }}"', f'"{{{{ {condition} }}}}"')
        await service.ended(await service.orchestrator.create(await service.save(source)))
        assert [grant.task.id for grant in done] == ["yes"]


async def test_a_service_that_gets_no_secrets_fails_in_words(tmp_path: Path):
    denied = frozenset((Service.EXECUTOR,))
    async with plane(tmp_path, denied=denied) as service:
        source = BRANCH.replace("CONDITION", "secret('TOKEN')")
        ended = await service.ended(await service.orchestrator.create(await service.save(source)))
        assert ended.state is State.FAILED
        told, _ = await service.db.read(logs.search, MAIN)
        assert any("Access to secrets is denied for service EXECUTOR." in entry.message for entry in told)
        await service.orchestrator.create(await service.save(ONE))
        link = await service.link()
        grant = await claimed(link)
        assert await link.ask(grant.job, grant.fence, Ask("secret", {"key": "TOKEN"})) == Reply("opensesame")
