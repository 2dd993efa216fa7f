"""The mutants: each still has its place, and a surviving one is told."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import mutants
from tools.mutants import FAILED, MUTANTS, PASSED, ROOT, Mutant, copy_repository, main, mutate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_every_mutant_has_its_place(mutant: Mutant) -> None:
    """Else: give it the line as it now stands."""
    text = (ROOT / mutant.file).read_text()
    ast.parse(mutate(text, mutant))  # wrong, but Python
    assert all((ROOT / test).is_file() for test in mutant.tests)


def test_a_place_that_is_gone_is_named() -> None:
    with pytest.raises(ValueError, match=r"a\.py does not have exactly one 'x = 1'"):
        mutate("x = 1\nx = 1\n", Mutant("", "a.py", "x = 1", "x = 2", ()))


@pytest.mark.parametrize(
    ("statuses", "status", "said"),
    [
        ([PASSED, FAILED], 0, "1 of 1 mutants died."),
        ([PASSED, PASSED], 1, "SURVIVED  edgemat/data/trimap.py"),
        ([PASSED, 2], 1, "SURVIVED"),  # the tests could not be run: that proves nothing
        ([FAILED], 1, "fail already"),
    ],
)
def test_survivors_are_told(
    statuses: list[int],
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[str] = []

    def run_tests(copy: Path, tests: object, *, usually: int = FAILED) -> int:
        seen.append((copy / "edgemat/data/trimap.py").read_text())
        return statuses[len(seen) - 1]

    monkeypatch.setattr(mutants, "run_tests", run_tests)
    whole = (ROOT / "edgemat/data/trimap.py").read_text()
    assert main(["loose trimaps"]) == status
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
    assert [text == whole for text in seen] == [True, False][: len(seen)]
    assert (ROOT / "edgemat/data/trimap.py").read_text() == whole


def test_the_copy_keeps_links(tmp_path: Path) -> None:
    copy = copy_repository(tmp_path / "copy")
    assert (copy / "edgemat" / "convert").is_symlink()
    assert (copy / "edgemat" / "convert" / "parity.py").is_file()
