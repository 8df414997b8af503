"""Wheels that are something else: each is refused before anything of it is read."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest

from casemate.plugins import PluginRefused, archive
from casemate.plugins.archive import Archive
from tests.plugins.wheels import greeting, zipped


def with_entry(name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644, flags: int = 0) -> bytes:
    whole = io.BytesIO(greeting())
    with zipfile.ZipFile(whole, "a") as added:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        added.writestr(entry, content)
        added.infolist()[-1].flag_bits |= flags
    return whole.getvalue()


def test_a_wheel_has_its_files():
    assert "casemate_greeting/greet.py" in Archive(greeting()).names


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all", greeting()[:-10]])
def test_what_is_no_archive_is_refused(content: bytes):
    with pytest.raises(PluginRefused, match="no wheel"):
        Archive(content)


@pytest.mark.parametrize(
    "name", ["../outside.py", "a/../../outside.py", "/etc/cron.d/x", "..\\outside.py", "C:/outside.py", "a/.."]
)
def test_a_file_that_leads_out_of_its_folder_is_refused(name: str):
    with pytest.raises(PluginRefused, match="leads out of its folder"):
        Archive(with_entry(name))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_link_or_a_device_is_refused(kind: int):
    with pytest.raises(PluginRefused, match="is a link"):
        Archive(with_entry("casemate_greeting/link.py", b"/etc/passwd", kind | 0o777))


def test_an_encrypted_file_is_refused():
    with pytest.raises(PluginRefused, match="encrypted"):
        Archive(with_entry("casemate_greeting/x.py", flags=1))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused():
    with pytest.raises(PluginRefused, match="two files of one name"):
        Archive(with_entry("casemate_greeting/greet.py"))


def test_a_bomb_is_refused_by_what_it_says_it_holds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 20)
    with pytest.raises(PluginRefused, match="more than 1 MiB"):
        Archive(zipped({f"own/{number}": bytes(200_000) for number in range(6)}))


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MOST_FILES", 10)
    with pytest.raises(PluginRefused, match="at most 10"):
        Archive(zipped({f"own/{number}": b"" for number in range(11)}))


def test_a_large_wheel_is_refused_unread(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "LARGEST", 1 << 10)
    with pytest.raises(PluginRefused, match="more than"):
        Archive(bytes(2 << 10))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked():
    name = "casemate_greeting/casemate-plugin.json"
    honest = zipped({name: bytes(50 << 20)})
    lying = honest.replace((50 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(PluginRefused, match="cannot be read"):
        Archive(lying).text(name)


def test_a_large_manifest_is_not_read():
    name = "casemate_greeting/casemate-plugin.json"
    with pytest.raises(PluginRefused, match="more than 4 MiB"):
        Archive(zipped({name: bytes(5 << 20)})).text(name)
