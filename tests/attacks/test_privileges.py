"""Becoming root: no capability, no set-user-id program and no id of another user can be had."""

BECOME = """
import ctypes, os
for uid in (0, 1, 65534):
    for change in (os.setuid, os.setgid, lambda uid: os.setgroups([uid])):
        try:
            change(uid); print("became", uid)
        except OSError: pass
with open("/proc/self/status") as file:
    print(" ".join(line.split()[1] for line in file if line.startswith(("CapEff", "CapPrm", "CapBnd", "NoNewPrivs"))))
"""
NOTHING = "0000000000000000"


def test_no_other_user_can_be_had(worker):
    outcome = worker.python(BECOME)
    assert outcome.stdout == [f"{NOTHING} {NOTHING} {NOTHING} 1"]


def test_set_user_id_programs_gain_nothing(worker):
    outcome = worker.shell("cp /usr/bin/id own; chmod 6755 own; ./own; su -c id; /usr/bin/newgrp root < /dev/null; id")
    assert "uid=0" not in outcome.said
    assert "gid=0" not in outcome.said


def test_the_task_is_not_root_and_has_a_name(worker):
    outcome = worker.shell("id -u; id -un")
    assert int(outcome.stdout[0]) >= 200_000
    assert outcome.stdout[1].startswith("task")


def test_devices_cannot_be_made(worker):
    assert "not permitted" in worker.shell("mknod disk b 254 0; mknod mem c 1 1").complained


def test_keys_programs_for_the_kernel_and_handles_are_refused(worker):
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"
for name, here, there in (("keyctl", 250, 219), ("add_key", 248, 217), ("bpf", 321, 280), ("perf", 298, 241),
                          ("handle", 304, 265), ("syslog", 103, 116), ("userfaultfd", 323, 282), ("uring", 425, 425)):
    result = libc.syscall(here if x86 else there, 0, 0, 0, 0, 0)
    print(name, result, os.strerror(ctypes.get_errno()))
"""
    outcome = worker.python(script)
    assert len(outcome.stdout) == 8
    for line in outcome.stdout[:-1]:
        assert line.endswith("-1 Operation not permitted"), line
    assert outcome.stdout[-1] == "uring -1 Function not implemented"
