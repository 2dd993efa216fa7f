"""docs/experiments.md: printed again of the runs, and what it says of them."""

from __future__ import annotations

from pathlib import Path

from edgemat.experiments.protocol import read_protocol
from edgemat.experiments.series import Run, Series, read_series
from tools.experiments import FOLDER, page, section

PAGE = Path(__file__).parents[2] / "docs" / "experiments.md"


def test_the_page_is_up_to_date() -> None:
    """Else: python -m tools.experiments docs/experiments.md"""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_the_runs_are_of_protocols_that_there_are() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert files
    for file in files:
        series = read_series(file)
        assert file.stem == series.subject
        assert series.protocol == read_protocol(series.subject, series.protocol.name)


def series(*psnrs: tuple[str, int, float]) -> Series:
    return Series(
        subject="reconstruct",
        protocol=read_protocol("reconstruct", "short"),
        data="pictures",
        pixels="0",
        score="psnr",
        more_is_better=True,
        runs=tuple(
            Run(model=f"reconstruct-{name}", seed=seed, figures={"psnr": psnr}, seconds=9,
                processor="a CPU")
            for name, seed, psnr in psnrs
        ),
    )  # fmt: skip


LOST = [("index-hin", 1, 30.0), ("maxpool-unpool", 1, 20.0), ("avgpool-nn", 1, 25.0)]
WON = [("index-hin", 2, 32.0), ("maxpool-unpool", 2, 28.0), ("avgpool-nn", 2, 25.0)]


def test_what_loses_is_said_to_lose() -> None:
    text = section(series(*LOST))
    assert "10 epochs of" not in text and "20 epochs of 500 pictures" in text
    assert "| `reconstruct-index-hin` | guided | 1 | 30 | 9 |" in text
    assert text.endswith(
        "in 0 of 1 seeds; by the means, "
        "`reconstruct-maxpool-unpool` lies below `reconstruct-avgpool-nn`."
    )


def test_what_was_not_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "denoise.json").write_text(
        series(*WON).model_copy(update={"subject": "denoise"}).model_dump_json()
    )
    assert page(tmp_path).count("Nothing has been run yet") == 4


def test_the_spread_and_the_seeds_that_hold_are_said() -> None:
    text = section(series(*LOST, *WON))
    assert "| `reconstruct-index-hin` | guided | 1, 2 | 31 ± 1.4 | 9 |" in text
    assert "in 1 of 2 seeds" in text
    assert section(series(*WON)).endswith("blind: in 1 of 1 seeds.")
    assert section(series(WON[0])).endswith("No seed has all three kinds yet.")


def test_depth_has_no_order_of_three() -> None:
    run = Run(
        model="fastdepth-p", seed=1, figures={"rms": 0.5, "delta1": 0.7}, seconds=9, processor=""
    )
    one = series(WON[0]).model_copy(
        update={
            "subject": "depth",
            "protocol": read_protocol("depth", "thesis"),
            "score": "rms",
            "more_is_better": False,
            "runs": (run,),
        }
    )
    text = section(one)
    assert "rms, m | delta < 1.25" in text and "weight decay 0.0001" in text
    assert text.endswith("there is no order of three.")
