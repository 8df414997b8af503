"""What the operator forbids is not there even where it would show; what he shows can be read and not written."""

from pathlib import Path

import pytest


@pytest.fixture
def shown(worker, request):
    """A folder of the host that a policy may show, readable by everybody."""
    folder = Path("/opt") / f"casemate-{request.node.name.partition('[')[0]}"
    if not Path("/opt").is_dir() or not __import__("os").access("/opt", 2):
        pytest.skip("/opt cannot be written")
    (folder / "secret").mkdir(parents=True)
    (folder / "open").write_text("open")
    (folder / "secret" / "key").write_text("key")
    yield folder
    __import__("shutil").rmtree(folder)


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
NEEDED = {"ssl", "pki", "ca-certificates", "crypto-policies", "alternatives"}


def test_what_is_shown_inside_a_forbidden_folder_stays_hidden(worker, shown):
    outcome = worker.shell(f"cat {shown}/open", visible=(str(shown),), forbidden=(str(shown.parent),))
    assert outcome.said == ""


def test_a_shown_link_to_a_forbidden_folder_shows_nothing(worker, shown):
    link = shown / "link"
    link.symlink_to(shown / "secret")
    outcome = worker.shell(f"cat {link}/key", visible=(str(link),), forbidden=(str(shown / "secret"),))
    assert outcome.said == ""
