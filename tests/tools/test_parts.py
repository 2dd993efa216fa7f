"""Debian packages in a folder of one's own, and compilers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgemat.bench.devices.emulated import find_emulator
from edgemat.bench.runner import build
from edgemat.bench.runner.build import find_compiler
from edgemat.bench.runner.bundle import find_bundle
from edgemat.errors import MissingToolError
from edgemat.folders import cache_folder, part_folder
from tools.parts import PARTS, fetch, main

COMPILER = """#!/bin/sh
for word; do case $word in -print-file-name=*) echo "$0"; exit ;; esac; done
while [ "$1" != -o ]; do shift; done
: > "$2"
"""
"""Writes an empty file for whatever it is to compile, and is every library itself."""
ROOT = Path(__file__).parents[2]


def write_program(path: Path, text: str = COMPILER) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


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


def test_make_emulator_alone_does_where_no_compiler_for_arm64_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fetched has stand-ins, Debian's packages and LiteRT; gcc is the machine's."""
    said = ["make", "--dry-run", "--old-file=.venv/ready", "emulator"]
    printed = subprocess.run(said, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    # a make that this one stands in adds lines about folders
    lines = [line for line in printed.splitlines() if line.startswith(".venv/")]
    (parts,) = re.findall(r"-m tools\.parts (.*)", printed)
    sizes = " and ".join(str(PARTS[part].megabytes) for part in parts.split())
    assert f"({sizes} MB" in (ROOT / "docs/devices.md").read_text()
    assert lines[1:] == [".venv/bin/python -m edgemat.bench.runner.build"]
    write_program(tmp_path / "bin/gcc")
    (tmp_path / "bin/env").symlink_to(shutil.which("env") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")

    def unpack(package: Path, folder: Path) -> None:
        programs = {"gcc-12-": "aarch64-linux-gnu-gcc-12", "qemu-user": "qemu-aarch64"}
        for start in programs:
            if package.name.startswith(start):
                write_program(folder / "usr/bin" / programs[start])

    monkeypatch.setattr("tools.parts.check_debian", lambda: None)
    monkeypatch.setattr("tools.parts.download", lambda names, *_: [Path(name) for name in names])
    monkeypatch.setattr("tools.parts.unpack", unpack)
    monkeypatch.setattr(build, "_fetch_litert", lambda _, folder: (folder / build.LITERT).touch())
    assert build.main() == 3, "nothing has been fetched"
    assert main(parts.split()) == 0 and build.main() == 0
    assert find_bundle("aarch64").archive.is_file()
    assert find_emulator().plugin.is_file()
