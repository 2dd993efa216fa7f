"""Where the time of cut-outs goes: every second is counted once."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edgemat.artifacts.shipped import default_model
from edgemat.bench import cutting
from edgemat.bench.cutting import CuttingTime, measure_cutting
from edgemat.errors import UsageError
from edgemat.images import F32, write_image
from edgemat.matting.predict import load_predictor
from edgemat.terminal import run_app


def photographs(folder: Path) -> list[Path]:
    for number in range(2):
        random = np.random.default_rng(number)
        write_image(folder / f"{number}.png", random.integers(0, 256, (96, 80, 3)).astype(np.uint8))
    return sorted(folder.iterdir())


@pytest.mark.slow
def test_the_parts_are_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        """A network that takes its time."""

        def __init__(self, name: Path, *, threads: int) -> None:
            opened.append(name)
            self.inner = load_predictor(name, threads=threads)
            self.feeding = self.inner.feeding

        def predict(self, x: F32) -> F32:
            time.sleep(0.2)
            return self.inner.predict(x)

    opened: list[Path] = []
    monkeypatch.setattr(cutting, "load_predictor", Slow)
    files = photographs(tmp_path)
    begun = time.perf_counter()
    done: list[int] = []
    spent = measure_cutting(files, refiner=None, progress=done.append)
    assert done == [1, 2]
    assert opened == [default_model(needs_trimap=False)]  # as `edgemat matte` does
    assert (spent.photographs, spent.megapixels) == (2, pytest.approx(2 * 96 * 80 / 1e6))
    assert spent.network >= 0.4
    assert min(spent.foreground, spent.matte, spent.reading, spent.writing) > 0
    assert spent.total < time.perf_counter() - begun
    assert spent.share == pytest.approx((spent.network + spent.foreground) / spent.total)


def test_what_is_inside_another_part_is_not_counted_twice() -> None:
    spent = CuttingTime(network=1, foreground=2, matte=3, reading=4, writing=5)
    assert spent.total == 15 and spent.share == pytest.approx(0.2)
    assert spent.to_json()["share"] == pytest.approx(0.2)


def test_nothing_to_cut_out_is_said() -> None:
    with pytest.raises(UsageError, match="no photograph"):
        measure_cutting([])


def test_the_command_prints_every_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tools.cutting_time import PARTS, app

    photographs(tmp_path)
    status = run_app(app, [str(tmp_path), "--no-refine"])
    shown = " ".join(capsys.readouterr().out.split())
    assert status == 0 and all(said in shown for said in PARTS.values())
    assert "2 photographs" in shown
