"""No foreground is in two of training, calibration and validation, whatever the source."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgemat.cli import app
from edgemat.data.folder import FolderSource, folder_split
from edgemat.data.held_out import for_training, for_validation, splits
from edgemat.data.open import open_data
from edgemat.data.sample import MatteSource
from edgemat.data.sections import BackgroundSection, DataSection, SourceSection
from edgemat.data.shard import write_shards
from edgemat.data.split import HELD_OUT_FILE, split_names, write_held_out
from edgemat.errors import DataWarning, UsageError
from edgemat.images import write_image
from edgemat.scoring.validation import calibration_set, evaluation_set
from edgemat.terminal import run_app

SIZE = (32, 32)
NAMES = [f"p{number:02d}" for number in range(20)]


def write_mattes(folder: Path, names: list[str] = NAMES, *, cut: bool = False) -> str:
    """Write mattes of which no two have the same alpha: a square of its own place each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        alpha = np.zeros((80, 80), np.uint8)
        row, column = divmod(number, 8)
        alpha[row * 3 : row * 3 + 8, column * 3 : column * 3 + 8] = 255
        colours = np.full((80, 80, 3), 10 * number % 256, np.uint8)
        if cut:
            write_image(folder / f"{name}.png", np.dstack([colours, alpha]))
        else:
            write_image(folder / "alpha" / f"{name}.png", alpha)
            for kind in ("foreground", "image"):
                write_image(folder / kind / f"{name}.png", colours)
    return str(folder)


def every_kind(folder: Path) -> Iterator[DataSection]:
    """Yield each kind of data: drawn, shipped, folders, a mix, and whatever is behind them."""
    yield DataSection(source="procedural", kinds="portrait")
    yield DataSection(source="people")
    mattes = write_mattes(folder / "mattes")
    cutouts = write_mattes(folder / "cutouts", cut=True)
    yield DataSection(source=mattes)
    yield DataSection(source=cutouts, part="train")
    yield DataSection(
        mix=(SourceSection(source=mattes), SourceSection(source="people")),
        backgrounds=(BackgroundSection(source=mattes, surroundings=True),),
    )
    write_shards(Path(mattes), folder / "shards")
    yield DataSection(source=str(folder / "shards"), layout="webdataset")


def mattes_of(source: MatteSource) -> set[bytes]:
    count = 40 if source.count is None else source.count
    return {source[index].alpha.tobytes() for index in range(count)}


@pytest.mark.parametrize("number", range(6))
def test_nothing_that_judges_is_trained_on(number: int, tmp_path: Path) -> None:
    data = list(every_kind(tmp_path))[number]
    trained = mattes_of(open_data(data, seed=1, size=SIZE))
    judging = mattes_of(open_data(for_validation(data, trained_on=data), seed=100_001, size=SIZE))
    assert trained and judging
    assert trained.isdisjoint(judging)


@pytest.mark.parametrize("number", range(6))
def test_nothing_that_judges_is_calibrated_on(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = list(every_kind(tmp_path))[number]
    taken: list[MatteSource] = []

    def spy(data: DataSection, *, seed: int, size: tuple[int, int]) -> MatteSource:
        taken.append(open_data(data, seed=seed, size=size))
        return taken[-1]

    monkeypatch.setattr("edgemat.scoring.validation.open_data", spy)
    arguments = {"task": "portrait", "size": SIZE, "count": 2}
    judged = evaluation_set(data, seed=100_000, **arguments)  # type: ignore[arg-type]
    calibration_set(data, seed=200_000, **arguments)  # type: ignore[arg-type]
    judging, calibrating = map(mattes_of, taken)
    assert judging.isdisjoint(calibrating)
    assert judged.validation is not None and not judged.validation.on_training_pictures


def test_a_matte_that_is_added_moves_no_other(tmp_path: Path) -> None:
    before = split_names(NAMES, tmp_path)
    after = split_names([*NAMES, "another", "and-another"], tmp_path)
    assert set(before.train) <= set(after.train)
    assert set(before.held_out) <= set(after.held_out)


def test_a_tenth_is_held_out_and_one_at_least(tmp_path: Path) -> None:
    many = [f"picture-{number}" for number in range(1000)]
    assert len(split_names(many, tmp_path).held_out) == pytest.approx(100, abs=30)
    for count in range(5, 12):
        split = split_names(many[:count], tmp_path)
        assert split.held_out and split.train
        assert sorted(split.train + split.held_out) == sorted(many[:count])


def test_a_folder_says_itself_what_it_holds_out(tmp_path: Path) -> None:
    folder = write_mattes(tmp_path)
    write_held_out(tmp_path, ["p03", "p01"])
    held_out = FolderSource(Path(folder), seed=0, size=SIZE, part="held-out")
    assert [held_out.name(number) for number in range(held_out.count or 0)] == ["p01", "p03"]
    (tmp_path / HELD_OUT_FILE).write_text("p03\nnobody\n")
    with pytest.raises(UsageError, match="names nobody, which is not there"):
        FolderSource(Path(folder), seed=0, size=SIZE)
    write_held_out(tmp_path, NAMES)
    with pytest.raises(UsageError, match="leaves none to train"):
        FolderSource(Path(folder), seed=0, size=SIZE)
    (tmp_path / HELD_OUT_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        FolderSource(Path(folder), seed=0, size=SIZE)


def test_too_few_to_split_is_said_with_every_figure(tmp_path: Path) -> None:
    data = DataSection(source=write_mattes(tmp_path / "few", NAMES[:4]))
    with pytest.warns(DataWarning, match="on training pictures.*few: 0 of 4 foregrounds held out"):
        judged = evaluation_set(data, task="portrait", size=SIZE, count=2, seed=1)
    assert judged.validation is not None and judged.validation.on_training_pictures
    assert "on training pictures" in judged.validation.words


def test_a_set_of_its_own_judges_as_a_whole(tmp_path: Path) -> None:
    """Nothing of it is trained on, so that nothing need be left out."""
    trained = DataSection(source=write_mattes(tmp_path / "mine"))
    judging = DataSection(source=write_mattes(tmp_path / "test", NAMES[:4]))
    chosen = for_validation(judging, trained_on=trained)
    assert open_data(chosen, seed=1, size=SIZE).count == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = evaluation_set(
            judging, task="portrait", size=SIZE, count=2, seed=1, trained_on=trained
        )
    assert judged.validation is not None and not judged.validation.on_training_pictures
    assert judged.validation.splits[0].source == "test"


def test_who_insists_on_all_is_told(tmp_path: Path) -> None:
    data = DataSection(source=write_mattes(tmp_path / "mine"), part="all")
    assert for_training(data) == data
    with pytest.warns(DataWarning, match="mine: "):
        evaluation_set(data, task="portrait", size=SIZE, count=2, seed=1)


def test_a_rule_is_written_down_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mattes(tmp_path / "mine")
    assert run_app(app, ["data", "hold-out", folder, "--every", "5"]) == 0
    assert "4 of 20 held out" in capsys.readouterr().out
    assert (tmp_path / "mine" / HELD_OUT_FILE).read_text() == "p04\np09\np14\np19\n"
    assert run_app(app, ["data", "hold-out", folder, "--every", "50"]) == 2
    said = capsys.readouterr().err
    assert "20 mattes, masks or photographs, too few for one in 50" in said
    assert "--every 20 or less" in said


def test_a_folder_of_masks_is_split_by_them(tmp_path: Path) -> None:
    folder = Path(write_mattes(tmp_path / "mine"))
    (folder / "alpha").rename(folder / "mask")
    assert run_app(app, ["data", "hold-out", str(folder), "--every", "5"]) == 0
    assert folder_split(folder).held_out == ("p04", "p09", "p14", "p19")


def test_two_folders_of_one_name_keep_a_split_each(tmp_path: Path) -> None:
    one = write_mattes(tmp_path / "a" / "mine")
    other = write_mattes(tmp_path / "b" / "mine", NAMES[:7])
    third = write_mattes(tmp_path / "c" / "others")
    sections = tuple(SourceSection(source=name) for name in (one, other, third))
    found = splits(DataSection(mix=sections))
    counts = {name: len(split.train) + len(split.held_out) for name, split in found.items()}
    assert counts == {"a/mine": 20, "b/mine": 7, "others": 20}
