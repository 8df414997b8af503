"""One folder for several launches: what one leaves in it does the next one no harm, and nobody else any good."""

LOCKED = "import os; os.mkdir('shut'); open('shut/x', 'w').write('x'); os.chmod('shut', 0); os.chmod('.', 0)"
PROGRAM = "import os, shutil; shutil.copy('/bin/sh', 'sh'); os.chmod('sh', 0o6755)"
DEEP = "import os\nfor _ in range(700): os.mkdir('deeper'); os.chdir('deeper')"
LEFT = """
import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        open('beat', 'w').close()
        time.sleep(0.01)
"""


def test_the_next_one_owns_what_it_finds(worker):
    script = (
        "import os; open('own', 'a').write('more'); print({os.stat(n).st_uid == os.getuid() for n in ('own', '.')})"
    )
    outcome = worker.python(script, after=("open('own', 'w').write('x')",), outputs=("own",))
    assert outcome.stdout == ["{True}"]
    assert outcome.outputs == ["own"]
    assert outcome.owners == [worker.uid]


def test_nobody_is_locked_out(worker):
    outcome = worker.shell("chmod 700 shut && cat shut/x", after=(LOCKED,))
    assert outcome.stdout == ["x"]
    assert outcome.removed


def test_a_program_with_the_rights_of_its_owner_gives_none(worker):
    outcome = worker.shell(
        "./sh -p -c 'grep ^Uid: /proc/self/status; grep ^CapEff: /proc/self/status'", after=(PROGRAM,)
    )
    ids, rights = (line.split()[1:] for line in outcome.stdout)
    assert len(set(ids)) == 1
    assert ids[0] != "0"
    assert int(rights[0], 16) == 0


def test_a_tree_deeper_than_a_path_is_no_obstacle(worker):
    outcome = worker.shell("echo on", after=(DEEP,), outputs=("**",))
    assert outcome.stdout == ["on"]
    assert outcome.removed


def test_no_process_stays_in_it(worker):
    script = "import os, time; os.path.exists('beat') and os.remove('beat'); time.sleep(0.2); print(os.listdir())"
    assert worker.python(script, after=(LEFT,)).stdout == ["[]"]


def test_nothing_of_the_host_can_be_linked_into_it(worker):
    outcome = worker.python("print(open('link').read())", after=("import os; os.symlink('/etc/shadow', 'link')",))
    assert outcome.exit_code != 0
    assert outcome.stdout == []
