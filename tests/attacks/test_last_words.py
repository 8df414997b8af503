"""What a task leaves to the host when it dies: nothing it could use."""

BODY = "casemate.inside.redteam_payload"
OUTLIVE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
TELL({"outputs": {"asked": libc.prctl(1, 0, 0, 0, 0), "number": ctypes.get_errno()}})
"""
CORES = """
import ctypes, resource
libc = ctypes.CDLL(None, use_errno=True)
print(resource.getrlimit(resource.RLIMIT_CORE))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
print(libc.syscall({setrlimit}, 4, (ctypes.c_ulong * 2)(0, 0)))
print(resource.getrlimit(resource.RLIMIT_CORE))
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_a_body_cannot_ask_to_live_on_when_its_worker_is_killed(worker):
    outcome = worker.run_body(BODY, {"properties": {"code": OUTLIVE}})
    assert outcome.told == [{"outputs": {"asked": -1, "number": 1}}]


def test_a_program_may_ask_to_die_with_its_parent(worker):
    outcome = worker.python("import ctypes; print(ctypes.CDLL(None).prctl(1, 9, 0, 0, 0))")
    assert outcome.stdout == ["0"]


def test_the_hosts_program_for_cores_is_not_started_for_a_crash_inside(worker):
    """It would run as root there, with the memory of the task; a limit of 1 is the kernel's sign for "not here"."""
    setrlimit = "160 if __import__('os').uname().machine == 'x86_64' else 164"
    outcome = worker.python(CORES.format(setrlimit=setrlimit))
    assert outcome.stdout == ["(1, 1)", "0", "(1, 1)", "100"], outcome.complained
