"""Debian packages in a folder of one's own, and compilers."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.bench.runner.build import find_compiler
from edgemat.errors import MissingToolError
from edgemat.folders import cache_folder, part_folder
from tools.parts import PARTS, fetch, main


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_what_is_there_is_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache_folder() in part_folder("phone").parents
    folder = part_folder("phone")
    folder.mkdir(parents=True)
    (folder / "packages").write_text(f"{PARTS['phone'].release} {PARTS['phone'].packages}")
    monkeypatch.setenv("PATH", "")  # no apt-get: nothing can be fetched
    assert fetch("phone") == folder
    assert main(["phone"]) == 0
    assert main(["phone", "sshd"]) == 3
    assert "There is no apt-get here." in capsys.readouterr().err
    (folder / "packages").write_text("another list")
    with pytest.raises(MissingToolError):
        fetch("phone")
    assert (folder / "packages").exists()


def test_a_part_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["phones"])
    assert caught.value.code == 2 and "Did you mean 'phone'?" in capsys.readouterr().err


def test_a_compiler_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError, match=r"no C compiler for aarch64") as caught:
        find_compiler("aarch64")
    assert "apt-get install gcc-aarch64-linux-gnu" in caught.value.remedy
    program = part_folder("cross") / "usr" / "bin" / "aarch64-linux-gnu-gcc-12"
    program.parent.mkdir(parents=True)
    program.touch()
    assert f"--sysroot={part_folder('cross')}" in find_compiler("aarch64")
