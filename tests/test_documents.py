"""What documents say of the source is true: files are there, rooms stand in their order."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from test_structure import ROOMS

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("docs/architecture.md", "CONTRIBUTING.md")


def quoted(text: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def missing(line: str) -> list[str]:
    """Return the files that a line names and that are not there; a short name is one beside."""
    beside, gone = [ROOT], []
    for name in quoted(line):
        if not re.fullmatch(r"[\w./-]+(/|\.(py|md|toml))", name):
            continue
        found = next((folder / name for folder in beside if (folder / name).exists()), None)
        if found is None:
            gone.append(name)
        else:
            beside.append(found if found.is_dir() else found.parent)
    return gone


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text()
    assert ".py`" in text
    assert not [name for line in text.splitlines() for name in missing(line)]


def test_a_file_that_is_gone_is_noticed() -> None:
    assert missing("`edgemat/errors.py`, `files.py` and `edgemat/no.py`") == ["edgemat/no.py"]
    assert missing("`files.py`") == ["files.py"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_that_a_document_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text()
    names = {*re.findall(r"\b(edgemat(?:\.[a-z_]\w*)+)\b", text)} - {"edgemat.git"}
    names |= {*re.findall(r"python -m ((?:tools|edgemat)[\w.]*)", text)}
    assert names
    gone = [name for name in sorted(names) if importlib.util.find_spec(name) is None]
    assert not gone


def test_the_plan_has_every_room_in_its_order() -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text().partition("\n| room |")[2]
    rows = plan.partition("\n\n")[0].splitlines()[2:]
    rooms = [re.search(r"ground|face|`(?:edgemat/)?(\w+)/`", row) for row in rows]
    assert [room and (room[1] or room[0]) for room in rooms] == [*ROOMS]


def test_what_the_plan_lists_of_the_ground_is_the_ground() -> None:
    (row,) = (
        line
        for line in (ROOT / "docs" / "architecture.md").read_text().splitlines()
        if line.startswith("| ground")
    )
    listed = {name.rpartition("/")[2] for name in re.findall(r"`([^`]+\.py)`", row)}
    assert listed == {path.name for path in (ROOT / "edgemat").glob("*.py")} - {"__init__.py"}


def test_pre_commit_runs_what_make_check_runs() -> None:
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert check is not None
    commands = check[1].replace("$(BIN)", ".venv/bin").replace(" .\n", "\n").split("\n\t")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = [
        entry.removesuffix(" --force-exclude") for entry in re.findall(r"entry: (.+)", hooks)
    ]
    assert entries == [command.strip() for command in commands]
