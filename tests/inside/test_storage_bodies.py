"""The bodies that work on files, run without walls in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.inside import (
    core_flow_for_each_item_split,
    core_storage_concat,
    core_storage_deduplicate_items,
    core_storage_delete,
    core_storage_filter_items,
    core_storage_local_files,
    core_storage_reverse,
    core_storage_split,
)
from casemate.inside.stored import extension

ROWS = '{key:"k1",value:1}\n{key:"k2",value:2}\n{key:"k1",value:3}\n'


class Desk:
    """Answers questions; `kept` are the files that were handed in."""

    def __init__(self, **answers: Callable[..., object]) -> None:
        self.answers = answers
        self.kept: dict[str, bytes] = {}

    def ask(self, function: str, **arguments: object) -> object:
        if function == "files.keep":
            paths = arguments.get("paths") or [str(path) for path in Path().rglob("*") if path.is_file()]
            self.kept |= {path: Path(path).read_bytes() for path in paths}
            return {path: f"kestra:///kept/{path}" for path in paths}
        return self.answers[function.replace(".", "_")](**arguments)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def given(folder: Path, name: str, content: bytes | str) -> dict[str, str]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {f"kestra:///{name}": str(path)}


def outputs(body, desk: Desk, at_hand: dict[str, str] | None = None, **properties) -> dict[str, object]:
    told: list[dict[str, object]] = []
    body.run({"properties": properties, "files": at_hand or {}}, told.append, desk.ask)
    return told[-1]["outputs"]


def test_concat_writes_the_separator_behind_every_file(tmp_path: Path):
    desk, files = Desk(), {**given(tmp_path, "a.txt", "one"), **given(tmp_path, "b.txt", b"\xff\x00")}
    said = outputs(core_storage_concat, desk, files, files=list(files), separator="\n", extension=".yml")
    assert said == {"uri": "kestra:///kept/concat.yml"}
    assert desk.kept == {"concat.yml": b"one\n\xff\x00\n"}


def test_concat_takes_the_json_of_a_list(tmp_path: Path):
    desk, files = Desk(), given(tmp_path, "a.txt", "one")
    assert outputs(core_storage_concat, desk, files, files=json.dumps(list(files))) == {
        "uri": "kestra:///kept/concat.tmp"
    }


@pytest.mark.parametrize("wrong", [{"files": "x"}, {"files": 1}, {"files": ["/etc/passwd"]}, {"extension": "/../x"}])
def test_concat_refuses_what_it_was_not_given(tmp_path: Path, wrong):
    files = given(tmp_path, "a.txt", "one")
    with pytest.raises((ValueError, FileNotFoundError)):
        outputs(core_storage_concat, Desk(), files, **{"files": list(files), **wrong})


def lines(count: int) -> str:
    return "".join(f"{number:020}\n" for number in range(count))


@pytest.mark.parametrize(
    ("how", "count"), [({"bytes": "1KB"}, 251), ({"rows": "100"}, 123), ({"partitions": 8}, 8), ({"rows": 99999}, 1)]
)
def test_split_loses_nothing(tmp_path: Path, how: dict[str, object], count: int):
    desk, files = Desk(), given(tmp_path, "get.yml", lines(12288))
    said = outputs(core_storage_split, desk, files, **{"from": "kestra:///get.yml"}, **how)
    assert len(said["uris"]) == count
    assert all(uri.endswith(".yml") for uri in said["uris"])
    rejoined = b"".join(desk.kept[uri.removeprefix("kestra:///kept/")] for uri in said["uris"])
    assert sorted(rejoined.splitlines()) == sorted(lines(12288).encode().splitlines())
    if "partitions" not in how:
        assert rejoined.decode() == lines(12288)


def test_split_drops_empty_partitions_and_needs_some_measure(tmp_path: Path):
    desk, files = Desk(), given(tmp_path, "a", "x\ny")
    assert len(outputs(core_storage_split, desk, files, **{"from": "kestra:///a"}, partitions=8)["uris"]) == 2
    with pytest.raises(ValueError, match="Invalid configuration with no size, count, nor rows"):
        outputs(core_storage_split, desk, files, **{"from": "kestra:///a"})


def test_split_makes_no_endless_number_of_files(tmp_path: Path):
    files = given(tmp_path, "a", "x\n" * 10_001)
    with pytest.raises(ValueError, match="not into more"):
        outputs(core_storage_split, Desk(), files, **{"from": "kestra:///a"}, rows=1)


def test_a_for_each_item_lists_its_batches(tmp_path: Path):
    desk, files = Desk(), given(tmp_path, "a.csv", lines(1201))
    batch = {"rows": "2", "separator": "\n"}
    said = outputs(core_flow_for_each_item_split, desk, files, items="kestra:///a.csv", batch=batch)
    assert said == {"splits": "kestra:///kept/splits.txt", "count": 601}
    listed = desk.kept["splits.txt"].decode().splitlines()
    assert len({len(line) for line in listed}) == 1, "whoever looks for a line need not read the others"
    assert desk.kept[listed[600].removeprefix("kestra:///kept/")] == f"{1200:020}\n".encode()


def test_an_empty_file_has_no_batches(tmp_path: Path):
    desk, files = Desk(), given(tmp_path, "a.csv", "")
    said = outputs(core_flow_for_each_item_split, desk, files, items="kestra:///a.csv", batch={"rows": 1})
    assert said["count"] == 0


def test_only_files_of_the_storage_have_batches():
    with pytest.raises(ValueError, match="Unable to split the items from /etc/passwd, this is not an internal storage"):
        outputs(core_flow_for_each_item_split, Desk(), {}, items="/etc/passwd", batch={"rows": 1})


@pytest.mark.parametrize("charset", [None, "UTF-16"])
def test_reverse_reverses_lines(tmp_path: Path, charset: str | None):
    desk, files = Desk(), given(tmp_path, "a.txt", "1\n2\né\n".encode(charset or "utf-8"))
    outputs(core_storage_reverse, desk, files, **{"from": "kestra:///a.txt"}, charset=charset)
    assert desk.kept["reversed.txt"].decode(charset or "utf-8") == "é\n2\n1\n"


@pytest.mark.parametrize("name", ["a.ion", "a.b.ion"])
def test_extensions_are_kept_as_long_as_they_are_harmless(name: str):
    assert extension(f"kestra:///x/{name}") == ".ion"
    assert extension(f"kestra:///x/{name}.$(rm)", ".y") == ".y"


def evens(property: str, rows: list[dict[str, int]]) -> list[dict[str, str]]:  # noqa: A002 - the question's own word
    assert property == "filterCondition"
    return [{"value": " true " if row["value"] % 2 == 0 else "false"} for row in rows]


@pytest.mark.parametrize(("kind", "kept"), [("INCLUDE", [2]), ("EXCLUDE", [1, 3])])
def test_filter_keeps_rows_as_they_are_written(tmp_path: Path, kind: str, kept: list[int]):
    desk, files = Desk(rows_render=evens), given(tmp_path, "rows.ion", ROWS)
    said = outputs(core_storage_filter_items, desk, files, **{"from": "kestra:///rows.ion"}, filterType=kind)
    assert (said["processedItemsTotal"], said["droppedItemsTotal"]) == (3, 3 - len(kept))
    expected = [line for line in ROWS.splitlines() if int(line[-2]) in kept]
    assert desk.kept["filtered.ion"].decode().splitlines() == expected


@pytest.mark.parametrize(("behavior", "kept"), [("INCLUDE", 3), ("EXCLUDE", 0)])
def test_filter_decides_on_errors_as_it_is_told(tmp_path: Path, behavior: str, kept: int):
    desk = Desk(rows_render=lambda rows, **_: [{"error": "no"} for _ in rows])
    files = given(tmp_path, "rows.ion", ROWS)
    wanted = {"from": "kestra:///rows.ion", "errorOrNullBehavior": behavior, "filterType": "EXCLUDE"}
    assert outputs(core_storage_filter_items, desk, files, **wanted)["droppedItemsTotal"] == 3 - kept
    with pytest.raises(core_storage_filter_items.ConditionFailed, match=r"^no$"):
        outputs(core_storage_filter_items, Desk(rows_render=desk.answers["rows_render"]), files, **_fails(wanted))


def _fails(wanted: dict[str, str]) -> dict[str, str]:
    Path("filtered.ion").unlink()
    return {**wanted, "errorOrNullBehavior": "FAIL"}


def test_deduplicate_keeps_the_last_row_of_a_key_in_file_order(tmp_path: Path):
    def keys(property: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:  # noqa: A002
        return [{"value": row["key"]} for row in rows]

    desk, files = Desk(rows_render=keys), given(tmp_path, "rows.ion", ROWS)
    said = outputs(core_storage_deduplicate_items, desk, files, **{"from": "kestra:///rows.ion"}, expr="{{ key }}")
    assert (said["numKeys"], said["processedItemsTotal"], said["droppedItemsTotal"]) == (2, 3, 1)
    assert desk.kept["deduplicated.ion"].decode().splitlines() == ROWS.splitlines()[1:]


def test_local_files_makes_files_and_takes_files(tmp_path: Path):
    desk, files = Desk(), given(tmp_path, "in.yml", "stored")
    wanted = {"test/hello.txt": "Hello", "test/sub/in.yml": "kestra:///in.yml"}
    said = outputs(core_storage_local_files, desk, files, inputs=wanted, outputs=["test/**"])
    assert said["uris"] == {path: f"kestra:///kept/{path}" for path in wanted}
    assert desk.kept == {"test/hello.txt": b"Hello", "test/sub/in.yml": b"stored"}


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "", ".", "a\0b"])
def test_local_files_stay_inside(name: str):
    with pytest.raises(ValueError, match="relative path inside"):
        outputs(core_storage_local_files, Desk(), inputs={name: "x"})


def test_local_files_leave_alone_what_is_there():
    Path("mine").write_text("mine")
    with pytest.raises(FileExistsError):
        outputs(core_storage_local_files, Desk(), inputs={"mine": "yours"})
    assert Path("mine").read_text() == "mine"


def test_delete_says_what_is_missing():
    gone = Desk(storage_delete=lambda uri: False)
    assert outputs(core_storage_delete, gone, uri="kestra:///x") == {"uri": "kestra:///x", "deleted": False}
    with pytest.raises(core_storage_delete.FileMissing, match=r"^Unable to find file 'kestra:///x'$"):
        outputs(core_storage_delete, gone, uri="kestra:///x", errorOnMissing="true")
