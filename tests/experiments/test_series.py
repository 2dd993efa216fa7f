"""Series of trainings: what is kept, what a stopped one resumes from, what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from calling import Call
from toy_series import MODELS, TINY, noise_trial, pictures, write_tiny

from edgemat.data.small_pictures import SmallPictures
from edgemat.errors import DiskError, TrainingError, UsageError
from edgemat.experiments import series as module
from edgemat.experiments.reconstruct import reconstruction_trial
from edgemat.experiments.series import Series, read_series, run_series
from edgemat.experiments.trial import Trial, hash_pixels


@pytest.fixture(scope="module")
def trial() -> Trial:
    return noise_trial()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, trial: Trial) -> Series:
    """A series that nothing stopped."""
    return run(tmp_path_factory.mktemp("whole") / "runs.json", trial)


def run(path: Path, trial: Trial, *, stop_after: int | None = None) -> Series:
    def progress(done: int, total: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    return run_series(
        path, trial, TINY, models=MODELS, seeds=(1, 2), processor="a CPU", progress=progress
    )


def figures(series: Series) -> list[tuple[str, int, dict[str, float]]]:
    return [(one.model, one.seed, one.figures) for one in series.runs]


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_a_stopped_series_goes_on_to_the_same_figures(
    epochs: int, tmp_path: Path, trial: Trial, whole: Series
) -> None:
    """In the middle of the first run, and of the second, with a finished one before."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped.json", trial, stop_after=epochs)
    state = tmp_path / "stopped.json.state"
    assert torch.load(state, weights_only=True)["epoch"] == (epochs - 1) % TINY.epochs + 1
    assert figures(run(tmp_path / "stopped.json", trial)) == figures(whole)
    assert len(whole.runs) == 4 and len({str(one.figures) for one in whole.runs}) == 4
    assert not state.exists()


def test_what_was_done_is_not_done_again(tmp_path: Path, trial: Trial) -> None:
    first = run(tmp_path / "runs.json", trial)
    text = (tmp_path / "runs.json").read_text()
    assert run(tmp_path / "runs.json", trial) == first == read_series(tmp_path / "runs.json")
    assert (tmp_path / "runs.json").read_text() == text
    more = run_series(tmp_path / "runs.json", trial, TINY, models=MODELS[:1], processor="another")
    assert [(one.seed, one.processor) for one in more.runs[4:]] == [(3, "another")]


def test_the_state_of_another_run_is_not_used(tmp_path: Path, trial: Trial, whole: Series) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "runs.json", trial, stop_after=2)
    only = run_series(
        tmp_path / "runs.json", trial, TINY, models=MODELS[1:], seeds=(1,), processor="a CPU"
    )
    assert figures(only) == figures(whole)[1:2]


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "runs.json"
    run(path, trial)
    longer = TINY.model_copy(update={"epochs": 4})
    with pytest.raises(UsageError, match="runs of another protocol"):
        run_series(path, trial, longer, processor="a CPU")
    with pytest.raises(UsageError, match="runs of other data"):
        run(path, reconstruction_trial(pictures(9), data="noise"))
    with pytest.raises(UsageError, match="no network 'dncnn' for reconstruction"):
        run_series(path, trial, TINY, models=["dncnn"], processor="a CPU")
    path.write_text("{}")
    with pytest.raises(UsageError, match="no file of runs"):
        run(path, trial)


def inverted(trial: Trial) -> Trial:
    shown = pictures()
    return reconstruction_trial(SmallPictures(255 - shown.train, shown.test), data="noise")


def test_other_pictures_of_the_same_name_are_told_apart(tmp_path: Path, trial: Trial) -> None:
    """MNIST and Fashion-MNIST have as many, and may lie in folders of one name."""
    other = inverted(trial)
    assert (other.data, other.pixels != trial.pixels) == (trial.data, True)
    path = tmp_path / "runs.json"
    once(path, trial)
    with pytest.raises(UsageError, match="runs of other data of the same name"):
        once(path, other)


def test_what_was_learned_of_other_data_is_not_gone_on_with(tmp_path: Path, trial: Trial) -> None:
    path, other = tmp_path / "runs.json", inverted(trial)
    with pytest.raises(KeyboardInterrupt):
        run(path, trial, stop_after=2)
    assert figures(once(path, other)) == figures(once(tmp_path / "fresh.json", other))


def once(path: Path, trial: Trial) -> Series:
    return run_series(path, trial, TINY, models=MODELS[:1], seeds=(1,), processor="a CPU")


def test_a_hash_is_of_shapes_and_of_order() -> None:
    one, two = np.zeros((2, 8), np.uint8), np.ones((4, 4), np.uint8)
    several = [(one, two), (two, one), (one.reshape(8, 2), two), (one[::-1] + 1, two)]
    assert len({hash_pixels(arrays) for arrays in several}) == 4


def test_a_run_that_cannot_be_written_is_not_trained_again(
    tmp_path: Path, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise DiskError("The disk is full.", remedy="")

    path, trained = tmp_path / "runs.json", []
    counted = dataclasses.replace(
        trial, epoch=lambda *given: trained.append(given) or trial.epoch(*given)
    )
    with monkeypatch.context() as patch, pytest.raises(DiskError):
        patch.setattr(module, "write_text", full)
        once(path, counted)
    assert len(once(path, counted).runs) == 1 and len(trained) == TINY.epochs
    assert not (tmp_path / "runs.json.state").exists()


def test_a_figure_that_is_none_is_an_error_that_says_so(tmp_path: Path, trial: Trial) -> None:
    perfect = dataclasses.replace(trial, judge=lambda network: {"psnr": math.inf})
    with pytest.raises(TrainingError, match="psnr of reconstruct-avgpool-nn from seed 1 is inf"):
        once(tmp_path / "runs.json", perfect)
    assert not (tmp_path / "runs.json").exists()


HOLD = """
import sys
from pathlib import Path
from edgemat.lock import hold_file
with hold_file(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_commands_do_not_write_one_file(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "runs.json"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match=r"Another process is at work on .*runs\.json"):
            once(path, trial)
        assert len(once(tmp_path / "more.json", trial).runs) == 1, "another file beside it is free"
        other.kill()
    assert len(once(path, trial).runs) == 1


def test_a_damaged_state_is_named(tmp_path: Path, trial: Trial) -> None:
    (tmp_path / "runs.json.state").write_bytes(b"torn")
    with pytest.raises(TrainingError, match=r"runs\.json\.state is damaged"):
        run(tmp_path / "runs.json", trial)


def test_a_network_of_no_known_kind_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    untrained = Trial(
        subject="portraits",
        models=("rmat-m3",),
        data="none",
        pixels="",
        epoch=lambda *_: pytest.fail("it is trained"),
        loss=lambda found, wanted: wanted,
        judge=lambda network: {},
        score="sad",
    )
    with pytest.raises(UsageError, match="rmat-m3 has no sampling that can be called guided"):
        run_series(tmp_path / "runs.json", untrained, TINY, processor="a CPU")


def test_the_command_keeps_and_shows_runs(tmp_path: Path, call: Call) -> None:
    write_tiny(protocol := tmp_path / "tiny.toml")
    shown = pictures()
    data = tmp_path / "noise[red].npz"
    np.savez(data, x_train=shown.train, x_test=shown.test)
    words = ["experiments", "series", "reconstruct", "--data", str(data)]
    words += ["--protocol", str(protocol), "--model", MODELS[0], "--seed", "4"]
    words += ["-o", str(tmp_path / "runs.json")]
    status, text, _ = call(*words)
    assert (status, "guided" in text, "blind" in text) == (0, False, True)
    assert "noise[red], 8 pictures" in " ".join(text.split())
    kept = json.loads((tmp_path / "runs.json").read_text())
    assert [one["seed"] for one in kept["runs"]] == [4] and kept["runs"][0]["processor"]
    assert json.loads(call(*words, "--json")[1]) == kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("segmentation",), "There is no 'segmentation'"),
        (("portraits", "--protocol", "thesis"), "no protocol 'thesis' of portraits"),
        (("portraits", "--data", "x"), "1 times --data is not what portraits takes"),
        (("denoise", "--data", "x"), "1 times --data is not what denoise takes"),
        (("reconstruct", "--data", "nowhere.npz"), "There is no file or folder nowhere.npz"),
        (("reconstruct", "--sigma", "15"), "reconstruct has no noise"),
    ],
)
def test_what_cannot_be_run_is_said(words: tuple[str, ...], said: str, call: Call) -> None:
    status, _, error = call("experiments", "series", *words, "-o", "runs.json")
    assert (status, said in " ".join(error.split())) == (2, True)
