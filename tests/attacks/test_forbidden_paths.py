"""What the operator forbids is not there even where it would show; what he shows can be read and not written."""

import os
import shutil
from pathlib import Path

import pytest
from tests.attacks.workers import Attack


@pytest.fixture
def shown(worker, request):
    """A folder of the host that a policy may show, readable by everybody."""
    folder = Path("/opt") / f"casemate-{request.node.name.partition('[')[0]}"
    if not Path("/opt").is_dir() or not os.access("/opt", 2):
        pytest.skip("/opt cannot be written")
    (folder / "secret").mkdir(parents=True)
    (folder / "open").write_text("open")
    (folder / "secret" / "key").write_text("key")
    yield folder
    shutil.rmtree(folder)


def test_a_shown_folder_can_be_read_and_not_written(worker, shown):
    outcome = worker.shell(f"cat {shown}/open; echo x > {shown}/open; echo x > {shown}/new", visible=(str(shown),))
    assert outcome.stdout == ["open"]
    assert (shown / "open").read_text() == "open"


def test_what_is_forbidden_within_it_is_covered(worker, shown):
    script = f"cat {shown}/secret/key; ls {shown}/secret; cat {shown}/open"
    outcome = worker.shell(script, visible=(str(shown),), forbidden=(str(shown / "secret"),))
    assert outcome.stdout == ["open"]


def test_a_forbidden_file_is_empty_and_a_detour_does_not_help(worker, shown):
    script = f"ln -s {shown}/open here; cat here {shown}/../{shown.name}/open /proc/self/root{shown}/open"
    outcome = worker.shell(script, visible=(str(shown),), forbidden=(f"{shown}/open",))
    assert outcome.said == ""


def test_what_is_not_shown_is_not_there(worker, shown):
    assert worker.shell(f"ls {shown}").exit_code != 0


def test_system_folders_can_be_forbidden(worker):
    outcome = worker.shell("ls /usr/share; ls /usr/lib | head -n1 | wc -l", forbidden=("/usr/share",))
    assert outcome.stdout == ["1"]


ETC_STILL_WORKS = """
import os, pwd, socket, ssl, subprocess, time
print(pwd.getpwuid(os.getuid()).pw_name.startswith("task"))
print(socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1"), os.path.exists("/etc/resolv.conf"))
print(ssl.create_default_context().cert_store_stats()["x509_ca"] > 0)
print(os.path.exists("/etc/localtime"), time.strftime("%z"))
print(subprocess.run(["awk", "BEGIN { print 42 }"], capture_output=True).stdout)
"""


@pytest.mark.parametrize("forbidden", [("/etc/",), ("/etc", "/etc/passwd", "/etc/resolv.conf")])
def test_all_of_the_hosts_etc_can_be_forbidden_and_names_certificates_and_time_still_work(worker, forbidden):
    free, outcome = worker.python(ETC_STILL_WORKS), worker.python(ETC_STILL_WORKS, forbidden=forbidden)
    assert outcome.stdout == free.stdout, outcome.complained
    assert outcome.stdout[0] == "True"
    shadow = worker.shell("cat /etc/shadow /etc/sudoers /etc/hostname; ls /etc", forbidden=forbidden)
    assert shadow.stdout[0] == "sandbox"
    assert set(shadow.stdout[1:]) <= {*OWN, *HARMLESS, *NEEDED}


OWN = {"passwd", "group", "hosts", "hostname", "resolv.conf", "nsswitch.conf"}
HARMLESS = {"ld.so.cache", "localtime", "timezone", "services", "protocols", "mime.types", "os-release"}
NEEDED = {"ssl", "pki", "alternatives"}


def test_of_a_forbidden_etc_nothing_of_the_machine_is_left_but_what_is_no_secret(worker):
    script = "cat /etc/ssl/openssl.cnf; find /etc -type f"
    outcome = worker.shell(script, forbidden=("/etc/",))
    certificates = {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/java/cacerts"}
    assert set(outcome.stdout) <= {f"/etc/{name}" for name in OWN | HARMLESS} | certificates


def test_what_is_shown_inside_a_forbidden_folder_stays_hidden(worker, shown):
    outcome = worker.shell(f"cat {shown}/open", visible=(str(shown),), forbidden=(str(shown.parent),))
    assert outcome.said == ""


def test_a_shown_link_to_a_forbidden_folder_shows_nothing(worker, shown):
    link = shown / "link"
    link.symlink_to(shown / "secret")
    outcome = worker.shell(f"cat {link}/key", visible=(str(link),), forbidden=(str(shown / "secret"),))
    assert outcome.said == ""


def test_a_shown_link_to_a_folder_shows_nothing_of_what_is_forbidden_in_it(worker, shown):
    link = shown / "link"
    link.symlink_to(shown / "secret")
    (shown / "secret" / "free").write_text("free")
    outcome = worker.shell(f"cat {link}/key {link}/free", visible=(str(link),), forbidden=(str(shown / "secret/key"),))
    assert outcome.said == "free"
    (shown / "secret" / "fresh").write_text("the next key")
    (shown / "secret" / "fresh").rename(shown / "secret" / "key")
    outcome = worker.shell(f"cat {link}/key {link}/free", visible=(str(link),), forbidden=(str(shown / "secret/key"),))
    assert outcome.said == "free"


def test_a_file_that_is_forbidden_by_a_name_through_a_link_is_covered_by_all(worker, shown):
    (shown / "link").symlink_to("secret")
    script = f"cat {shown}/link/key {shown}/secret/key; cat {shown}/open"
    outcome = worker.shell(script, visible=(str(shown),), forbidden=(str(shown / "link/key"),))
    assert outcome.stdout == ["open"]


def test_what_is_forbidden_below_a_shown_place_that_a_link_leads_to_is_covered(worker, shown):
    link = shown / "link"
    link.symlink_to(shown)
    place = link / "secret"
    outcome = worker.shell(
        f"cat {place}/key; ls {place}", visible=(str(place),), forbidden=(str(shown / "secret/key"),)
    )
    assert outcome.stdout == ["key"], "the name stays, and nothing of it can be read"
    assert "key: Permission denied" in outcome.complained


def test_a_forbidden_file_that_comes_back_by_another_link_of_it_is_covered_again(worker, shown):
    """As a package manager does that undoes an update: the file is the one that was covered, and its cover is gone."""
    forbidden = {"visible": (str(shown),), "forbidden": (f"{shown}/open",)}
    script = f"cat {shown}/open"
    assert worker.shell(script, **forbidden).said == ""
    kept = Path(f"{shown}-kept")
    kept.hardlink_to(shown / "open")
    (shown / "new").write_text("new")
    (shown / "new").rename(shown / "open")
    kept.rename(shown / "open")
    assert worker.shell(script, **forbidden).said == ""


ATTACKS = """
import ctypes, errno, os, struct, subprocess, sys
libc, secret, free = ctypes.CDLL(None, use_errno=True), sys.argv[1], sys.argv[2]

def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result

def tried(name, attempt):
    try:
        found = attempt()
        print(name, "empty" if found in (b"", "", 0, []) else "worked", flush=True)
    except (OSError, subprocess.CalledProcessError):
        print(name, "refused", flush=True)

def read(path): return open(path, "rb").read()
def write(path): return open(path, "r+b").write(b"x")
def by_handle(path):
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    call("name_to_handle_at", -100, path.encode(), handle, ctypes.byref(mount), 0)
    return os.read(call("open_by_handle_at", os.open("/", os.O_RDONLY), handle, 0), 10)
def watch(path):
    call("inotify_add_watch", call("inotify_init1", 0), path.encode(), 0xFFF)
    return b"worked"
def linked(path):
    os.symlink(path, "link"); return read("link")
def descend(path):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    return os.read(os.open(os.path.basename(path), os.O_RDONLY, dir_fd=folder), 10)
def run(path): return subprocess.run([path], check=True, capture_output=True).stdout
def xattr(path): return os.listxattr(path) and b"worked"

for label, target in (("secret", secret), ("free", free)):
    tried(label + ":read", lambda: read(target))
    tried(label + ":detour", lambda: read(os.path.join(os.path.dirname(target), "..", *target.split("/")[-2:])))
    tried(label + ":proc", lambda: read("/proc/self/root" + target))
    tried(label + ":cwd", lambda: read("/proc/self/cwd/.." + target))
    tried(label + ":symlink", lambda: linked(target))
    os.path.islink("link") and os.unlink("link")
    tried(label + ":relative", lambda: descend(target))
    tried(label + ":write", lambda: write(target))
    tried(label + ":truncate", lambda: os.truncate(target, 0) or b"worked")
    tried(label + ":rename-from", lambda: os.rename(target, "/work/taken") or b"worked")
    tried(label + ":rename-to", lambda: (open("/work/mine", "w").close(), os.rename("/work/mine", target)))
    tried(label + ":hard-link", lambda: os.link(target, "/work/hard") or read("/work/hard"))
    tried(label + ":chmod", lambda: os.chmod(target, 0o777) or b"worked")
    tried(label + ":utime", lambda: os.utime(target) or b"worked")
    tried(label + ":unlink", lambda: os.unlink(target) or b"worked")
    tried(label + ":handle", lambda: by_handle(target))
    tried(label + ":mount", lambda: call("mount", target.encode(), b"/work", None, 4096, None) or b"worked")
    tried(label + ":exec", lambda: run(target))
    tried(label + ":size", lambda: os.stat(target).st_size)
    tried(label + ":inotify", lambda: watch(target))
    tried(label + ":xattr", lambda: xattr(target))
"""


@pytest.fixture
def planted(shown):
    """A program that is a secret, and one that is not."""
    for folder in ("secret", "free"):
        (shown / folder).mkdir(exist_ok=True)
        program = shown / folder / "program"
        program.write_text("#!/bin/sh\necho it ran\n")
        program.chmod(0o755)
    return shown


def tries(worker, planted, **options):
    """What became of each attack on the secret, and of the same on the file beside it."""
    argv = ("python3", "-c", ATTACKS, str(planted / "secret/program"), str(planted / "free/program"))
    outcome = worker.run(Attack(argv=argv, visible=(str(planted),), **options))
    lines = [line.split() for line in outcome.stdout]
    ends = {label: {} for label in ("secret", "free")}
    for name, end in lines:
        ends[name.split(":")[0]][name.split(":")[1]] = end
    assert len(ends["secret"]) == len(ends["free"]) == 20, outcome.complained
    return ends


READS = {"read", "detour", "proc", "cwd", "symlink", "relative", "exec", "size", "inotify"}


def test_no_way_leads_to_what_is_forbidden_in_a_shown_folder(worker, planted):
    before = (planted / "secret/program").stat()
    for forbidden in (planted / "secret", planted / "secret" / "program"):
        ends = tries(worker, planted, forbidden=(str(forbidden),))
        assert "worked" not in ends["secret"].values(), forbidden
        assert {name for name, end in ends["free"].items() if end == "worked"} == READS
    after = (planted / "secret/program").stat()
    assert (after.st_mode, after.st_size, after.st_mtime_ns) == (before.st_mode, before.st_size, before.st_mtime_ns)


def test_what_takes_the_place_of_a_forbidden_file_is_forbidden_at_the_next_launch(worker, shown):
    key, rules = shown / "secret" / "key", {"visible": (str(shown),), "forbidden": (str(shown / "secret/key"),)}
    assert worker.shell(f"cat {key}", **rules).said == ""
    fresh = shown / "secret" / "fresh"
    fresh.write_text("the next key")
    fresh.rename(key)
    assert worker.shell(f"cat {key}", **rules).said == ""


@pytest.mark.parametrize("name", ["secret", "secret/key"])
def test_what_is_removed_and_made_again_at_a_forbidden_place_is_forbidden(worker, shown, name):
    """The kernel takes the cover away with what lay under it, and likes to give its number to what comes next."""
    key, rules = shown / "secret" / "key", {"visible": (str(shown),), "forbidden": (str(shown / name),)}
    assert worker.shell(f"cat {key}", **rules).said == ""
    shutil.rmtree(shown / "secret")
    (shown / "secret").mkdir()
    key.write_text("the next key")
    assert worker.shell(f"cat {key}", **rules).said == ""


def test_a_shown_folder_that_is_replaced_is_shown_anew_at_the_next_launch(worker, shown):
    place = shown / "release"
    for number in ("first", "second"):
        (shown / number).mkdir()
        (shown / number / "name").write_text(number)
    place.symlink_to("first")
    assert worker.shell(f"cat {place}/name", visible=(str(place),)).stdout == ["first"]
    place.unlink()
    place.symlink_to("second")
    assert worker.shell(f"cat {place}/name", visible=(str(place),)).stdout == ["second"]


def test_what_is_forbidden_before_it_exists_is_absent_once_it_does(worker, shown):
    later, rules = shown / "later", {"visible": (str(shown),), "forbidden": (str(shown / "later"),)}
    assert worker.shell(f"cat {later}", **rules).exit_code != 0
    later.write_text("new secret")
    assert worker.shell(f"cat {later}", **rules).said == ""


@pytest.fixture
def everywhere(shown):
    """A folder below /usr, which every sandbox shows."""
    folder = Path("/usr/local/share") / shown.name
    if not os.access(folder.parent, os.W_OK):
        pytest.skip(f"{folder.parent} cannot be written")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_what_is_forbidden_in_the_machines_own_folders_is_absent_once_it_exists(worker, everywhere):
    later, rules = everywhere / "later", {"forbidden": (str(everywhere / "later"),)}
    assert worker.shell(f"cat {later}; ls {everywhere.parent}", **rules).stdout.count(everywhere.name) == 1
    later.write_text("new secret")
    assert worker.shell(f"cat {later}", **rules).said == ""
    fresh = everywhere / "fresh"
    fresh.write_text("newer secret")
    fresh.rename(later)
    assert worker.shell(f"cat {later}", **rules).said == ""


def test_a_forbidden_link_that_comes_to_lead_into_them_hides_what_is_there(worker, shown, everywhere):
    (everywhere / "key").write_text("key")
    link, rules = shown / "link", {"forbidden": (str(shown / "link"),)}
    assert worker.shell(f"cat {everywhere}/key", **rules).said == "key"
    link.symlink_to(everywhere / "key")
    assert worker.shell(f"cat {everywhere}/key", **rules).said == ""


def test_a_neighbour_whose_name_begins_alike_is_not_forbidden(worker, shown):
    (shown / "secrets").write_text("free")
    outcome = worker.shell(f"cat {shown}/secrets", visible=(str(shown),), forbidden=(str(shown / "secret"),))
    assert outcome.stdout == ["free"]


def test_a_writable_folder_is_written_on_the_machine_and_what_is_beside_it_is_not(worker, shown):
    desk = shown / "desk"
    desk.mkdir()
    desk.chmod(0o777)
    shown.chmod(0o777)
    script = f"echo made > {desk}/new && cat {desk}/new; echo x > {shown}/open; mv {desk} {shown}/moved; ls {shown}"
    outcome = worker.shell(script, visible=(str(shown),), writable=(str(desk),))
    assert outcome.stdout[0] == "made", outcome.complained
    assert (desk / "new").read_text() == "made\n"
    assert (shown / "open").read_text() == "open"
    assert "moved" not in outcome.stdout


@pytest.mark.parametrize("rule", ["forbidden", "visible"])
def test_what_is_walled_within_a_writable_folder_cannot_be_moved_out_of_its_wall(worker, shown, rule):
    inner, key = shown / "desk" / "drawer", shown / "desk" / "drawer" / "box" / "key"
    key.parent.mkdir(parents=True)
    key.write_text("key")
    for each in (shown, shown / "desk", inner, key.parent, key):
        each.chmod(0o777)
    rules = {"writable": (str(shown / "desk"),), rule: (str(key.parent),)}
    worker.shell(f"mv {inner} {shown}/desk/moved; mv {shown}/desk {shown}/moved", **rules)
    outcome = worker.shell(f"cd {shown}/desk; echo x > moved/box/key; echo x > drawer/box/key; cat */box/key", **rules)
    assert key.read_text() == "key"
    assert outcome.stdout == (["key"] if rule == "visible" else [])


def test_no_program_of_a_writable_folder_gets_rights_by_its_mode(worker, shown):
    shown.chmod(0o777)
    script = f"cp /bin/id {shown}/id; chmod 4755 {shown}/id; {shown}/id -u; id -u"
    outcome = worker.shell(script, writable=(str(shown),))
    assert outcome.stdout[0] == outcome.stdout[1], outcome.complained


def test_an_empty_place_of_our_own_can_be_shown(worker, shown):
    outcome = worker.shell(f"cat {shown}/open", visible=("/opt",))
    assert outcome.stdout == ["open"]
