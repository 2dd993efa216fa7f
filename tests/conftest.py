"""Fixtures that several test files share."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_files import VARIABLE

# `make test` runs as many processes as there are cores: more threads would only wait
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among several processes, let long tests begin and then the files with the most slow ones.

    Each process is dealt one half of the list, and who is done takes over half of what another has
    left: small tests at the end let all of them finish together. A process by itself keeps the
    order, quick files and slow ones by name.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        items.sort(key=lambda item: (not item.get_closest_marker("long"), -slow[item.path]))


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
