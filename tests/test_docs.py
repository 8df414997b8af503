"""What the documents say is there: links, commands, options, keys, flows, and pages that follow from the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from docs import generate

from casemate.catalog import Catalog, Plugins
from casemate.cli import commands
from casemate.core import catalog
from casemate.documents import plain, read
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.plugins.wheel import read_wheel
from casemate.settings import load

from .plugins.wheels import greeting
from .running import ROOT, casemate

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LEAVES = (
    *(["run"], ["flow", "validate"], ["eval"], ["schema"], ["doctor"], ["redteam"], ["server", "local"]),
    *(["plugins", "install"], ["plugins", "list"], ["plugins", "uninstall"]),
    *(["secrets", "list"], ["secrets", "set"], ["secrets", "delete"], ["secrets", "check"], ["secrets", "migrate"]),
)


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def every(language: str) -> list[tuple[str, str]]:
    return [(str(page.relative_to(ROOT)), text) for page in PAGES for text in fenced(page, language)]


def calls() -> list[str]:
    """Every call of the command line in a shell block, or in the first cell of a table."""
    lines = [line for _, text in every("sh") for line in text.splitlines()]
    lines += [
        cell for page in PAGES for cell in re.findall(r"^\| `(scripts/casemate [^`]+)`", page.read_text(), re.MULTILINE)
    ]
    return sorted(
        {
            line[line.index("scripts/casemate ") :].removesuffix("&").partition(" > ")[0]
            for line in lines
            if "scripts/casemate " in line
        }
    )


def with_example_plugins() -> Catalog:
    """The core types, and those of the plugins in examples."""
    types = catalog().joined(())
    types.hold(Plugins(read_wheel(greeting(version)) for version in ("1.0.0", "2.0.0")))
    return types


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("name", generate.pages())
def test_pages_that_follow_from_the_code_are_up_to_date(name: str):
    assert (generate.FOLDER / name).read_text() == generate.pages()[name], "run scripts/docs"


@pytest.mark.parametrize("call", calls())
def test_calls_are_understood(call: str):
    words = shlex.split(call)[1:]
    commands().parse_args(words, exit_on_error=False, print_error=False)
    for example in (word for word in words if word.startswith("examples/")):
        assert (ROOT / example).exists()


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_option_is_documented(command: list[str]):
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    section = page.split(f"\n## casemate {' '.join(command)}", 1)[1].split("\n## ", 1)[0]
    options = set(re.findall(r"(?<![\w-])--?[a-z]+\b", casemate(*command, "--help").stdout.split("\n╭")[-1])) - {
        "--help",
        "-h",
    }
    assert options == set(re.findall(r"(?<![\w-])--?[a-z]+\b", section)) - {"--help"}


@pytest.mark.parametrize(("page", "text"), every("yaml"))
def test_yaml_is_a_valid_flow_or_a_configuration_without_warnings(page: str, text: str):
    content = plain(read(text).root)
    if "tasks" in content:
        assert isinstance(read_flow(text, with_example_plugins(), MAIN), Flow)
    else:
        assert load([(page, text)], {"OPS_PASSWORD": "Correct4Horse"}).warnings == ()
