"""System calls as values: how they are made, how they fail, and that none is described and then forgotten."""

import ast
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.sandbox.kernel import processes
from casemate.sandbox.kernel.calls import CURRENT_FOLDER, Call, Opened, do, make, ready, written

ROOT = Path(__file__).parent.parent.parent
DESCRIBED = ("Call", "tuple[Call, ...]", "Iterator[Call]")
FORGETFUL = """
from casemate.sandbox.kernel import mounts, seccomp
def confine():
    seccomp.load(b"")
    mounts.bind("/a", "/b")
    do(mounts.detach("/c"))
"""


def opening(path, into):
    return Call("openat", (CURRENT_FOLDER, str(path), os.O_RDWR, 0), into)


def test_a_call_uses_the_descriptor_that_an_earlier_one_returned(tmp_path):
    (tmp_path / "text").touch()
    opened = Opened()
    plan = ready((opening(tmp_path / "text", opened), Call("write", (opened, b"one", 3)), Call("close", (opened,))))
    make(plan)
    make(plan)
    assert (tmp_path / "text").read_text() == "one"
    with pytest.raises(OSError):
        os.fstat(opened.number)


def test_a_descriptor_that_is_not_open_has_no_number():
    with pytest.raises(RuntimeError, match="not open yet"):
        _ = Opened().number


def test_the_first_failure_ends_it_and_names_the_call(tmp_path):
    with pytest.raises(OSError, match=r"^.Errno 2. openat, the keys: No such file") as caught:
        do(
            opening(tmp_path / "none", Opened())._replace(purpose="the keys"),
            Call("openat", (CURRENT_FOLDER, str(tmp_path / "new"), os.O_CREAT | os.O_WRONLY, 0o600)),
        )
    assert caught.value.errno == errno.ENOENT
    assert not (tmp_path / "new").exists()


def test_another_answer_than_the_one_wanted_is_a_failure():
    assert do(Call("umask", (0o022,))) >= 0
    with pytest.raises(OSError, match="umask, the mask: not the answer it should have had, but 18") as caught:
        do(Call("umask", (0o022,), gives=0o077, purpose="the mask"))
    assert caught.value.errno == errno.EPROTO


def test_a_call_that_this_machine_does_not_have_fails():
    with pytest.raises(OSError, match="no_such_call: ") as caught:
        do(Call("no_such_call"))
    assert caught.value.errno == errno.ENOSYS


def test_a_setting_is_written_by_its_path_in_a_folder(tmp_path):
    (tmp_path / "setting").touch()
    folder = os.open(tmp_path, os.O_RDONLY)
    do(*written(folder, "setting", "16"))
    os.close(folder)
    assert (tmp_path / "setting").read_text() == "16"
    with pytest.raises(OSError, match="openat, none: No such file"):
        do(*written(CURRENT_FOLDER, "none", "16"))


def seen_after(kept):
    """The numbers of the files behind these descriptors, and what is open in a process that has kept only them."""
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.dup2(theirs, 200)
            do(*processes.keep_only(*kept)[:-1])
            here = [os.fstat(number).st_ino for number in range(len(kept))]
            survivors = [number for number in range(len(kept)) if os.get_inheritable(number)]
            os.write(200, repr((here, survivors)).encode())
            do(processes.keep_only(*kept)[-1])
            os.write(200, b"still open")
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as said:
        words = said.read()
    os.waitpid(process, 0)
    return ast.literal_eval(words.decode())


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(9)), st.integers(3, 9))
def test_descriptors_are_put_in_order_whatever_their_numbers_were(tmp_path_factory, numbers, count):
    folder = tmp_path_factory.mktemp("kept")
    process = os.fork()
    if process == 0:
        try:
            for number in range(9):
                os.dup2(os.open(folder / str(number), os.O_CREAT | os.O_RDONLY), number + 100)
            for number in range(9):
                os.dup2(number + 100, number)
            kept = numbers[:count]
            wanted = [os.fstat(number).st_ino for number in kept]
            here, survivors = seen_after(kept)
            os._exit(0 if here == wanted and survivors == [0, 1, 2] else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def describing():
    """The functions that say which calls are to be made, by the module that they are in."""
    for path in sorted((ROOT / "src" / "casemate" / "sandbox").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) in DESCRIBED:
                yield path.stem, node.name


def forgotten(text, functions, module=""):
    """Lines on which calls are described and thrown away."""
    tree = ast.parse(text)
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    plain = {name for where, name in functions if where == module or name in imported} | {"Call", "ready"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            match node.value.func:
                case ast.Attribute(value=ast.Name(id=where), attr=name) if (where, name) in functions:
                    yield node.lineno
                case ast.Name(id=name) if name in plain:
                    yield node.lineno


def test_no_call_is_described_and_never_made():
    """A wall would be missing, and nothing would say so."""
    functions = set(describing())
    assert {("seccomp", "load"), ("mounts", "bind"), ("capabilities", "drop_all")} < functions
    assert list(forgotten(FORGETFUL, functions)) == [4, 5]
    for folder in ("src", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if "casemate.sandbox.kernel" in text or "casemate.sandbox.zygote" in text:
                assert not list(forgotten(text, functions, path.stem)), path
