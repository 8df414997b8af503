"""What a failed task ran against is told in words, and nothing else is."""

from pathlib import Path

import pytest

from casemate.sandbox import Rights
from casemate.worker.denials import Denials

RULE = "kestra.ee.java-security.forbidden-class-prefix"
SECTION = "casemate.isolation.profiles[0]"
NEITHER = Rights(denied_by=(f"{SECTION}.threads", f"{SECTION}.processes"))
FREE = Rights(threads=True, processes=True)


def told(*lines: str, forbidden: tuple[str, ...] = (), rights: Rights = FREE) -> tuple[str, ...]:
    denials = Denials("a.B", forbidden, rights)
    for line in lines:
        denials.hear(line)
    return denials.messages()


def paths(*lines: str, forbidden: tuple[str, ...] = ("/etc",)) -> list[str]:
    return [message.split("'")[1] for message in told(*lines, forbidden=forbidden)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cat: /etc/shadow: No such file or directory", ["/etc/shadow"]),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/etc/my.conf'", ["/etc/my.conf"]),
        ("ls: cannot access /etc/a and /opt/../etc/b.", ["/etc/a", "/opt/../etc/b"]),
        ("open(/etc//c) failed", ["/etc//c"]),
        ("/etcetera/x: not found", []),
        ("/usr/etc/x and ./etc/y and ~/etc/z: not found", []),
        ("see https://example.org/etc/x", []),
        ("/etc/passwd and /etc/ssl/certs/ca-certificates.crt are our own", []),
    ],
)
def test_a_forbidden_path_is_told_as_the_task_named_it(line, expected):
    assert paths(line) == expected


def test_each_path_is_told_once_and_not_without_end():
    assert paths("/etc/a is not there", "/etc/a is still not there") == ["/etc/a"]
    assert len(paths(*(f"/etc/{number} is not there" for number in range(1000)))) == 20


def test_the_words_are_those_of_the_setting():
    (message,) = told("/etc/a", forbidden=("/etc",))
    assert message == "Access to path '/etc/a' is forbidden by 'kestra.ee.java-security.forbidden-paths'."


def test_a_forbidden_link_is_known_by_where_it_leads(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    forbidden = (str(tmp_path / "link"),)
    assert paths(f"{tmp_path}/real/key: no", f"{tmp_path}/link: no", forbidden=forbidden) == [
        f"{tmp_path}/real/key",
        f"{tmp_path}/link",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["RuntimeError: can't start new thread"],
        ["sh: 1: Cannot fork"],
        ["bash: fork: retry: Operation not permitted"],
        ["    self.pid = os.fork()", "PermissionError: [Errno 1] Operation not permitted"],
        ["  _fork_exec(\n  ...\nPermissionError: [Errno 1] Operation not permitted: '/bin/true'"],
        ["Error: spawn /bin/ls EPERM"],
        ["runtime: failed to create new OS thread (have 2 already; errno=1)"],
    ],
)
def test_a_thread_that_could_not_be_started_is_told_with_the_setting_that_forbids_it(lines):
    said = told(*lines, rights=Rights(denied_by=(RULE,)))
    assert said == (f"Thread creation is forbidden for 'a.B' by '{RULE}'.",)
    assert told(*lines) == ()


def test_other_refusals_are_not_blamed_on_it():
    assert told("chmod: Operation not permitted", rights=NEITHER) == ()


def test_a_profile_is_named_by_the_right_that_was_missed():
    (thread,) = told("RuntimeError: can't start new thread", rights=NEITHER)
    assert thread == f"Thread creation is forbidden for 'a.B' by '{SECTION}.threads'."
    (process,) = told("sh: 1: Cannot fork", rights=NEITHER)
    assert process == f"Process creation is forbidden for 'a.B' by '{SECTION}.processes'."


def test_what_a_task_ran_against_is_in_its_report():
    denials = Denials("a.B", ("/etc",), NEITHER)
    for line in ("cat: /etc/shadow: No such file or directory", "RuntimeError: can't start new thread"):
        denials.hear(line)
    assert denials.entries() == (
        {"path": "/etc/shadow", "reason": "kestra.ee.java-security.forbidden-paths"},
        {"right": "Thread", "reason": f"{SECTION}.threads"},
    )
    assert Denials("a.B", ("/etc",), FREE).entries() == ()
