"""Two tasks at the same time share nothing: no memory, no queue, no socket name, no temporary file."""

from tests.attacks.workers import Attack

LEAVE = """
import os, socket, time
open("/dev/shm/shared", "w").write("x"); open("/tmp/shared", "w").write("x")
name = socket.socket(socket.AF_UNIX); name.bind("\\0shared"); name.listen()
port = socket.create_server(("127.0.0.1", 5999))
os.system("ipcmk -M 4096 -p 0666 >/dev/null")
time.sleep(1.0)
"""
LOOK = """
import os, socket, time
time.sleep(0.5)
print(os.listdir("/dev/shm"), os.listdir("/tmp"))
for address in ("\\0shared", ("127.0.0.1", 5999)):
    try:
        socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET).connect(address)
        print("met", address)
    except OSError: print("nobody")
print(len(open("/proc/sysvipc/shm").readlines()))
"""


def test_tasks_do_not_meet(worker):
    _, looking = worker.together(Attack(argv=("python3", "-c", LEAVE)), Attack(argv=("python3", "-c", LOOK)))
    assert looking.stdout == ["[] []", "nobody", "nobody", "1"]
