"""What `make package` tries: the commands are real, and each extra has its turn."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from real_command import edgemat

from edgemat.errors import MissingToolError
from edgemat.images import write_image
from tools import package


@pytest.mark.slow
def test_both_main_commands_are_tried_and_leave_what_is_looked_for(tmp_path: Path) -> None:
    assert {"matte", "bench"} <= {trial[0] for trial in package.TRIALS}
    write_image(tmp_path / "photo.png", np.full((64, 64, 3), 90, np.uint8))
    for trial in package.TRIALS:
        done = edgemat(*trial, cwd=tmp_path)
        assert done.returncode in package.STATUSES.get(trial[0], (0,)), done.stderr
    assert all((tmp_path / name).is_file() for name in package.WRITTEN)


class Installed:
    """Environments that a test only pretends to make."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leaves: Collection[str]) -> None:
        self.targets: list[str] = []
        self.folders: list[Path] = []
        self._leaves = leaves
        monkeypatch.setattr(package, "_environment", self._make)
        monkeypatch.setattr(package, "_run", self._run)

    def _make(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        self.folders.append(folder)
        return folder / "bin" / "python"

    def _run(self, *command: object, cwd: Path | None = None, **_: object) -> None:
        words = [str(word) for word in command]
        if "install" in words and "--quiet" in words:
            self.targets.append(words[-1])
        if "--outdir" in words:
            folder = Path(words[words.index("--outdir") + 1])
            folder.mkdir(exist_ok=True)
            (folder / "edgemat-1.whl").write_bytes(b"a wheel")
        if cwd is not None:
            for name in self._leaves:
                (cwd / name).write_bytes(b"a result")


def test_each_extra_is_installed_in_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = Installed(monkeypatch, package.WRITTEN)
    package.main(tmp_path / "dist", extra=["video"], extras=True)
    wheel = str(tmp_path / "dist" / "edgemat-1.whl")
    wanted = {f"{wheel}[{name}]" for name in package.every_extra()}
    assert {"train", "deploy", "video", "serve", "heif"} <= set(package.every_extra())
    assert sorted(t for t in installed.targets if t.startswith(wheel)) == sorted({wheel, *wanted})
    assert not any(folder.exists() for folder in installed.folders), "none is left on the disk"


def test_a_trial_that_leaves_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Installed(monkeypatch, ())
    with pytest.raises(MissingToolError, match=r"no cutout\.png is written"):
        package.try_out(tmp_path / "edgemat-1.whl", "", tmp_path)
