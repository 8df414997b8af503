"""Files of the host: what the private root does not show cannot be read."""

import tempfile


def test_passwords_cannot_be_read(worker):
    outcome = worker.shell("cat /etc/shadow")
    assert outcome.exit_code != 0
    assert outcome.said == ""


def test_files_of_the_host_do_not_exist(worker):
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write("secret")
        secret.flush()
        outcome = worker.shell(f"ls {secret.name} /root/.ssh /home/* /var/log /mnt; ls /tmp", files={"own": "mine"})
    assert outcome.said == ""


def test_launch_folders_of_others_are_out_of_sight(worker):
    outcome = worker.shell(f"ls -R {worker.folder} /.host/*; ls -A /.host; ls /work", files={"own": "mine"})
    assert outcome.stdout == ["own"]


def test_private_keys_are_covered_where_certificates_are_shown(worker):
    outcome = worker.shell("ls /etc/ssl/private; ls -d /etc/ssl")
    assert outcome.stdout == ["/etc/ssl"]


def test_who_is_who_can_be_read(worker):
    outcome = worker.shell("id -un; cat own", files={"own": "mine\n"})
    assert outcome.stdout[0].startswith("task")
    assert outcome.stdout[1] == "mine"
    assert outcome.exit_code == 0
