"""What `make` installs is named by hash; and the tool that writes the hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgemat.errors import UsageError
from tools.lock import choose, lock, split_lines

ROOT = Path(__file__).parents[2]
LISTS = [
    ROOT / "requirements.txt",
    *sorted((ROOT / "convert").glob("*.txt")),
]
FILES = [
    {"filename": name, "hashes": {"sha256": sha256 * 64}}
    for name, sha256 in (
        ("one-1.0-py3-none-any.whl", "a"),
        ("one-1.0-cp311-cp311-macosx_11_0_arm64.whl", "b"),
        ("one-1.0-cp39-abi3-win_amd64.whl", "c"),
        ("one-1.0-cp310-cp310-win_amd64.whl", "d"),
        ("one-1.0-cp313-cp313t-win_amd64.whl", "e"),
        ("one-1.0-cp313-cp313-win_amd64.whl", "4"),
        ("one-1.0-cp314-cp314-win_amd64.whl", "5"),
        ("one-1.0-py2-none-any.whl", "f"),
        ("one-1.0.tar.gz", "0"),
        ("one-1.1-py3-none-any.whl", "1"),
        ("one-1.1-odd.whl", "2"),
        ("two-1.0.tar.gz", "3"),
    )
]


def requirements(path: Path) -> list[str]:
    return [line for line in split_lines(path.read_text()) if line and not line.startswith("#")]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_line_pins_a_version_and_names_hashes(path: Path) -> None:
    text = re.sub(r"\s*\\\n\s*", " ", path.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.-]+==[\w.+-]+ ", line), line
        assert re.search(r"( --hash=sha256:[0-9a-f]{64})+$", line), line


def test_make_installs_nothing_without_its_hash() -> None:
    """But for the project itself, which brings no package along."""
    commands = (ROOT / "Makefile").read_text().replace("\\\n", " ").splitlines()
    installs = [line for line in commands if "pip install" in line or "$(INSTALL)" in line]
    assert len(installs) >= 5
    for line in installs:
        own = "--no-deps" in line and "--editable ." in line
        assert "--require-hashes" in line or line.startswith("\t$(INSTALL) ") or own, line


def test_the_list_holds_what_the_project_names() -> None:
    listed = {
        canonicalize_name(one.name): one.specifier
        for one in map(Requirement, requirements(ROOT / "requirements.txt"))
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"]]
    for extra in ("evaluate", "train", "deploy", "report", "docs", "dev"):
        named += [line for line in extras[extra] if not line.startswith("edgemat[")]
    for wanted in map(Requirement, named):
        (pin,) = listed[canonicalize_name(wanted.name)]
        assert pin.version in wanted.specifier, wanted


def test_wheels_for_our_pythons_are_chosen() -> None:
    assert choose(FILES[:11], "1.0") == [one * 64 for one in "4abc"]
    assert choose(FILES[:11], "1.1") == ["1" * 64]
    assert choose(FILES[11:], "1.0") == ["3" * 64], "the source, where there is no wheel"


def test_hashes_are_written_anew_and_comments_stay() -> None:
    once = lock("# why\none==1.1\n\none==1.0 ; sys_platform == 'linux'\n", lambda name: FILES)
    assert once.startswith(f"# why\none==1.1 \\\n    --hash=sha256:{'1' * 64}\n\n")
    assert once.count("--hash") == 5
    assert lock(once, lambda name: FILES) == once


@pytest.mark.parametrize(("line", "said"), [("one>=1", "pins no"), ("one==3", "no file of")])
def test_what_cannot_be_locked_is_named(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        lock(line, lambda name: FILES)
