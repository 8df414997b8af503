"""Using everything up: processes, memory, disk, descriptors and output all have an end."""

import signal

from tests.attacks.workers import Attack

BOMB = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0: time.sleep(600)
        made += 1
except OSError: pass
print("made", made)
"""


def test_a_fork_bomb_stops_at_its_limit_and_disturbs_nobody(worker):
    bomb = Attack(argv=("python3", "-c", BOMB), limits={"processes": 30})
    other = Attack(argv=("sh", "-c", "sleep 0.3; (echo alive)"), limits={"processes": 30})
    bombed, undisturbed = worker.together(bomb, other)
    assert 0 < int(bombed.said.split()[1]) <= 30
    assert undisturbed.stdout == ["alive"]


def test_memory_has_an_end(worker):
    script = "print(len(bytearray(50 << 20)), flush=True)\n"
    script += "try: bytearray(400 << 20)\nexcept MemoryError: print('enough')"
    outcome = worker.python(script, limits={"memory": 200 << 20})
    assert outcome.stdout[0] == str(50 << 20)
    assert outcome.killed == "memory limit 200 MiB" or outcome.stdout[1:] == ["enough"]


def test_memory_of_several_processes_has_an_end(worker):
    """A control group counts all of them; without one they are watched and ended, and it is said so."""
    eater = "python3 -c 'import time; kept = bytearray(60 << 20); time.sleep(2)'"
    script = f"for n in 1 2 3 4; do {eater} & done; wait; echo on"
    outcome = worker.shell(script, limits={"memory": 128 << 20})
    assert outcome.limits_hit == ["memory"]
    if "control groups (memory" in outcome.walls["limits"]:
        assert (outcome.killed, outcome.said) == (None, "on"), "the kernel ends one process, the script goes on"
    else:
        assert "memory of the whole sandbox is only watched" in outcome.walls["limits"]
        assert outcome.killed == "memory limit 128 MiB"


FORKS = """
import os, time
kept = bytearray(60 << 20)
for n in range(6):
    if not os.fork(): time.sleep(1); os._exit(0)
for n in range(6): os.wait()
"""


def test_memory_that_forks_share_counts_once(worker):
    outcome = worker.python(FORKS, limits={"memory": 128 << 20})
    assert (outcome.exit_code, outcome.killed) == (0, None)


FILE_IN_MEMORY = "import os\nheld = os.memfd_create('x')\nfor n in range(200): os.write(held, bytes(1 << 20))"


def test_files_in_memory_count(worker):
    outcome = worker.python(FILE_IN_MEMORY, limits={"memory": 64 << 20})
    assert outcome.killed == "memory limit 64 MiB" or "Function not implemented" in outcome.complained


def test_a_body_that_takes_too_much_is_ended(worker):
    body = {"module": "casemate.inside.core_debug_return", "job": {"properties": {"format": "x" * (9 << 20)}}}
    outcome = worker.run(Attack(body=body, limits={"memory": 16 << 20, "output": 32 << 20}))
    assert outcome.killed == "memory limit 16 MiB" or "MemoryError" in outcome.complained


def test_an_ordinary_user_in_delegated_groups_is_limited_as_a_whole(delegated_worker):
    outcome = delegated_worker.python(FILE_IN_MEMORY, limits={"memory": 64 << 20})
    assert outcome.killed == "memory limit 64 MiB"
    assert delegated_worker.python(BOMB, limits={"processes": 20}).limits_hit == ["processes"]


def test_a_file_has_an_end(worker):
    outcome = worker.shell("head -c 2000000 /dev/zero > big", limits={"file_size": 1 << 20})
    assert (outcome.killed, outcome.limits_hit) == ("file size limit 1 MiB", ["file size"])
    assert worker.shell("head -c 1000000 /dev/zero > big", limits={"file_size": 1 << 20}).exit_code == 0


def test_all_files_together_have_an_end(worker):
    files = "for n in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > $n; done"
    assert worker.shell(f"{files}; sleep 60", limits={"disk": 4 << 20}).killed == "disk limit 4 MiB"
    assert worker.shell(files, limits={"disk": 4 << 20}).limits_hit == ["disk"], "who is quick is noticed at the end"
    assert worker.shell(files, limits={"disk": 8 << 20}).killed is None


def test_many_files_have_an_end(worker):
    assert worker.shell("touch $(seq 40); sleep 60", limits={"inodes": 30}).killed == "inode limit 30"
    outcome = worker.shell("touch $(seq -f /tmp/%g 40)", limits={"temporary_inodes": 20})
    assert outcome.limits_hit == ["temporary inodes"]


def test_time_has_an_end(worker):
    outcome = worker.shell("trap 'echo bye; exit 3' TERM; while :; do sleep 0.05; done", limits={"duration": 0.3})
    assert (outcome.stdout, outcome.killed) == (["bye"], "duration limit 0.3 s")


def test_temporary_space_has_an_end(worker):
    outcome = worker.shell("head -c 4000000 /dev/zero > /tmp/big", limits={"temporary": 1 << 20})
    assert "No space left" in outcome.complained


def test_descriptors_have_an_end(worker):
    script = "import os\ntry:\n  for n in range(1000): os.dup(0)\nexcept OSError: print(n)"
    assert int(worker.python(script, limits={"open_files": 64}).said) < 64


def test_a_flood_of_output_is_ended(worker):
    outcome = worker.shell("yes", limits={"output": 100_000})
    assert outcome.killed == "output limit 100000 bytes"
    assert outcome.limits_hit == ["output"]
    assert len(outcome.said) <= 100_000


def test_a_line_without_end_is_cut(worker):
    outcome = worker.shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo next", limits={"line": 1000})
    assert outcome.stdout == ["x" * 1000, "next"]


def test_no_core_is_dumped(worker):
    outcome = worker.python("import os; os.abort()", outputs=("*",))
    assert outcome.signal == signal.SIGABRT
    assert outcome.outputs == []


def test_when_memory_runs_out_tasks_die_before_the_worker(worker):
    """Memory that processes share is in no limit of one process, so a task may use up the machine's."""
    script = "cat /proc/self/oom_score_adj; echo 0 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj"
    assert worker.shell(script).stdout == ["1000", "1000"]
