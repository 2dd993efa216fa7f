"""Fixtures that several test files share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import Call
from shared_files import VARIABLE

from edgemat.doctor import cpu_has_bfloat16, cpu_has_int8_dot_product

# `make test` runs as many processes as there are cores: more threads would only wait. Where a test
# takes two nevertheless, as a recipe may, they sleep while they wait for each other: spinning, each
# would keep the other from the core that another process shares with it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}


@pytest.fixture(autouse=True, scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests measure out of the user's own history."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(autouse=True, scope="session")
def shared_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give all processes of this run one folder for what is made once: see `shared_files.py`."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ[VARIABLE] = str(folder / "shared")


@pytest.hookimpl(trylast=True)  # of what -m has left
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each of several processes begin with files that have slow tests, and end with quick ones.

    Each is dealt one part of the list, and who is done takes over half of the rest of another's:
    with quick tests left, all of them finish together. A process by itself keeps the order.
    """
    hands = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if hands > 1:
        items[:] = [item for part in deal(items, hands) for item in part]


def deal(items: list[pytest.Item], hands: int) -> list[list[pytest.Item]]:
    """Return as many parts of equal length: whole files with slow tests in turn, then others."""
    slow = Counter(
        item.path
        for item in items
        if item.get_closest_marker("slow") or item.get_closest_marker("long")
    )
    parts: list[list[pytest.Item]] = [[] for _ in range(hands)]
    for turn, (path, _) in enumerate(slow.most_common()):
        parts[turn % hands] += [item for item in items if item.path == path]
    quick = [item for item in items if item.path not in slow]
    for number, part in enumerate(parts):
        left = len(quick) + sum(map(len, parts[number:]))
        share = max(0, left // (hands - number) - len(part))
        part += quick[:share]
        del quick[:share]
    return parts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what processor the run's time is of: times of tests are read beside each other."""
    answers = {True: "yes", False: "no"}
    terminalreporter.write_line(
        f"{os.cpu_count()} processors; int8 dot product: {answers[cpu_has_int8_dot_product()]}; "
        f"bfloat16: {answers[cpu_has_bfloat16()]}"
    )


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process, which has torch loaded."""
    from edgemat.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgemat", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert isinstance(exit_.value.code, int)
        return exit_.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 64 KiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk needs root on Linux")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source folder without the environments of other tools (see `edgemat.convert.isolated`)."""
    root = tmp_path / "sources"
    root.mkdir()
    monkeypatch.setattr("edgemat.convert.isolated.ROOT", root)
    return root
