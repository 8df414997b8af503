"""Which time zone the server is in."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from casemate.zone import server_zone

SUMMER, WINTER = datetime(2026, 7, 1), datetime(2026, 1, 1)  # noqa: DTZ001 - a zone is asked about them


@pytest.fixture(scope="module")
def paris() -> Path:
    found = [path for folder in TZPATH if (path := Path(folder) / "Europe/Paris").exists()]
    if not found:
        pytest.skip("this machine has no time zones of its own")
    return found[0]


@pytest.mark.parametrize("wanted", ["Europe/Paris", ":Europe/Paris"])
def test_the_variable_names_a_region(wanted: str):
    zone = server_zone(wanted)
    assert (zone.utcoffset(SUMMER), zone.utcoffset(WINTER)) == (timedelta(hours=2), timedelta(hours=1))


@pytest.mark.parametrize("wanted", ["UTC", "Etc/UTC", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "\0"])
def test_what_nobody_knows_is_utc(wanted: str):
    assert server_zone(wanted) is UTC


def test_a_link_of_the_machine_names_the_region(tmp_path: Path, paris: Path):
    (tmp_path / "localtime").symlink_to(paris)
    assert server_zone(None, tmp_path / "localtime") == ZoneInfo("Europe/Paris")


def test_a_copy_of_the_rules_will_do(tmp_path: Path, paris: Path):
    shutil.copy(paris, tmp_path / "localtime")
    zone = server_zone("", tmp_path / "localtime")
    assert (zone.utcoffset(SUMMER), zone.utcoffset(WINTER)) == (timedelta(hours=2), timedelta(hours=1))


@pytest.mark.parametrize("content", [None, b"", b"no rules"])
def test_without_readable_rules_it_is_utc(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "localtime").write_bytes(content)
    assert server_zone(None, tmp_path / "localtime") is UTC
