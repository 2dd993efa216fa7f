"""Series of trainings: what is kept, what a stopped one goes on with, what the runs say."""

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

from edgemat.data.folder import FolderSource
from edgemat.data.sample import Matte
from edgemat.data.small_pictures import SmallPictures
from edgemat.errors import DiskError, TrainingError, UsageError
from edgemat.experiments import series as module
from edgemat.experiments.denoise import denoising_trial
from edgemat.experiments.kinds import Kind, kind_of, order_holds
from edgemat.experiments.portraits import portraits_trial
from edgemat.experiments.protocol import PROTOCOLS, Protocol, Subject
from edgemat.experiments.reconstruct import reconstruction_trial
from edgemat.experiments.series import Run, Series, read_series, run_series
from edgemat.experiments.summary import Spread, orders, summarise
from edgemat.experiments.trial import Trial, hash_pixels
from edgemat.images import write_image

MODELS = ("reconstruct-avgpool-nn", "reconstruct-maxpool-unpool")
TINY = Protocol(
    name="tiny",
    epochs=3,
    samples=8,
    batch=4,
    optimizer="sgd",
    learning_rate=0.01,
    falls=(2,),
    width=0.125,
)


def pictures(count: int = 8) -> SmallPictures:
    drawn = np.random.default_rng(0).integers(0, 256, (count + 2, 28, 28)).astype(np.uint8)
    return SmallPictures(drawn[:count], drawn[count:])


@pytest.fixture(scope="module")
def trial() -> Trial:
    return reconstruction_trial(pictures(), data="noise")


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


def test_an_epoch_shows_each_picture_once(trial: Trial) -> None:
    first, again, second = (
        torch.cat([x for x, _ in trial.epoch(1, epoch, TINY)]) for epoch in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, second)
    assert len(first) == TINY.samples == len(torch.unique(first, dim=0))
    assert torch.equal(first.flatten(1).sum(1).sort()[0], second.flatten(1).sum(1).sort()[0])


def test_the_thesis_protocols_are_those_of_its_text() -> None:
    """Sections 4.8.1 and 3.6.2.1."""
    one = PROTOCOLS["reconstruct"]["thesis"]
    rates = {epoch: one.rate(epoch) for epoch in (0, 49, 50, 69, 70, 84, 85, 99)}
    assert list(rates.values()) == pytest.approx([1e-2] * 2 + [1e-3] * 2 + [1e-4] * 2 + [1e-5] * 2)
    assert (one.epochs, one.steps, one.batch, one.optimizer) == (100, 600, 100, "sgd")
    other = PROTOCOLS["denoise"]["thesis"]
    assert [other.rate(epoch) for epoch in (44, 45, 55)] == pytest.approx([1e-3, 1e-4, 1e-5])
    assert (other.epochs, other.steps, other.batch, other.optimizer) == (60, 1875, 128, "adam")
    assert one.width == other.width == 1


@pytest.mark.parametrize("subject", PROTOCOLS)
def test_a_short_protocol_has_steps_where_the_thesis_has(subject: Subject) -> None:
    own = PROTOCOLS[subject]["short"]
    thesis = PROTOCOLS[subject].get("thesis")
    if thesis is not None:
        shares = [fall / thesis.epochs for fall in thesis.falls]
        assert [fall / own.epochs for fall in own.falls] == pytest.approx(shares, abs=0.02)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("reconstruct-index-hin", "guided"),
        ("reconstruct-a2u", "guided"),
        ("reconstruct-maxpool-unpool", "max-unpooling"),
        ("reconstruct-conv-bilinear", "blind"),
        ("reconstruct-avgpool-nn", "blind"),
        ("reconstruct-s2d-d2s", "other"),
        ("reconstruct-conv-deconv", "other"),
        ("dncnn", "other"),
        ("dncnn-m2o-nlc", "guided"),
        ("matting-b11-carafe", "blind"),
        ("matting-b11", "max-unpooling"),
        ("matting-b11-1.4", "max-unpooling"),
        ("matting-hmi", "max-unpooling"),
        ("segnet", "max-unpooling"),
        ("indexnet-slim", "guided"),
        ("indexnet-shared-nl", "guided"),
        ("a2u-nearest", "blind"),
        ("a2u-dynamic-cs-d", "guided"),
    ],
)
def test_what_upsampling_knows(model: str, kind: Kind) -> None:
    assert kind_of(model) == kind


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


GUIDED, UNPOOLED, BLIND = "reconstruct-index-hin", MODELS[1], MODELS[0]


@pytest.mark.parametrize(
    ("scores", "holds"),
    [
        ({GUIDED: 30, UNPOOLED: 28, BLIND: 20}, True),
        ({GUIDED: 28, UNPOOLED: 30, BLIND: 20}, False),
        ({GUIDED: 30, UNPOOLED: 20, BLIND: 28}, False),
        ({GUIDED: 30, "reconstruct-index-m2o": 27, UNPOOLED: 28, BLIND: 20}, False),
        ({GUIDED: 30, "reconstruct-s2d-d2s": 99, UNPOOLED: 28, BLIND: 20}, True),
        ({GUIDED: 30, BLIND: 20}, None),
    ],
)
def test_the_order_holds_or_not(scores: dict[str, float], holds: bool | None) -> None:
    assert order_holds(scores) is holds


def series(values: dict[str, list[float]], *, more_is_better: bool = True) -> Series:
    return Series(
        subject="reconstruct",
        protocol=TINY,
        data="noise",
        pixels="0",
        score="psnr",
        more_is_better=more_is_better,
        runs=tuple(
            Run(model=model, seed=seed, figures={"psnr": value}, seconds=2, processor="a CPU")
            for model, all_ in values.items()
            for seed, value in enumerate(all_, start=1)
        ),
    )


def test_mean_and_spread_over_seeds() -> None:
    found = series({BLIND: [20, 22, 24], GUIDED: [30, 30, 20], UNPOOLED: [25]})
    best, middle, last = summarise(found)
    assert (best.model, middle.model, last.model) == (GUIDED, UNPOOLED, BLIND)
    assert (last.figures["psnr"], last.seeds) == (Spread(22, 2), (1, 2, 3))
    assert [str(one.figures["psnr"]) for one in (middle, last)] == ["25", "22 ± 2"]
    assert orders(found) == {1: True}
    assert orders(found.model_copy(update={"more_is_better": False})) == {1: False}
    assert [
        one.model for one in summarise(series({BLIND: [9], GUIDED: [1]}, more_is_better=False))
    ] == [
        GUIDED,
        BLIND,
    ]


def write_noise(root: Path, **counts: int) -> None:
    random = np.random.default_rng(1)
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            noise = random.integers(0, 256, (64, 72, 3)).astype(np.uint8)
            write_image(root / folder / f"{number}.png", noise)


def test_folders_to_judge_by_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_noise(tmp_path, photos=1, BSD=1)
    write_noise(tmp_path / "other", BSD=1)
    photos, one, other = (tmp_path / name for name in ("photos", "BSD", "other/BSD"))
    with pytest.raises(UsageError, match="Two folders to judge by are called BSD"):
        denoising_trial(photos, [one, other])
    first, second = (denoising_trial(photos, [folder]) for folder in (one, other))
    assert first.data == second.data and first.pixels != second.pixels
    monkeypatch.chdir(photos)
    assert denoising_trial(Path(), [one]).data == first.data


def test_denoising_learns_from_one_folder_and_is_judged_on_others(tmp_path: Path) -> None:
    write_noise(tmp_path, photos=2, BSD=1, Set=2)
    found = denoising_trial(tmp_path / "photos", [tmp_path / "BSD", tmp_path / "Set"], sigma=15)
    batches = list(found.epoch(1, 0, TINY))
    assert len(batches) == TINY.steps and batches[0][0].shape == (TINY.batch, 1, 40, 40)
    added = torch.cat([x - y for x, y in batches])
    assert float(added.std()) * 255 == pytest.approx(15, rel=0.05)
    figures = found.judge(torch.nn.Identity().eval())
    assert list(figures) == ["BSD psnr", "BSD ssim", "Set psnr", "Set ssim"]
    assert found.judge(torch.nn.Identity()) == figures  # the same noise for every network
    assert 24.6 < figures[found.score] < 26  # 20 log10(255 / 15) = 24.6 dB, and what clipping saves
    with pytest.raises(UsageError, match="no pictures"):
        denoising_trial(tmp_path / "photos", [tmp_path / "nowhere"])


@pytest.mark.long
def test_people_who_are_judged_are_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    reads = FolderSource._read

    def noted(source: FolderSource, stem: str) -> Matte:
        read.add(stem)
        return reads(source, stem)

    monkeypatch.setattr(FolderSource, "_read", noted)
    found = portraits_trial()
    judged = set(read)
    read.clear()
    assert len(list(found.epoch(1, 0, PROTOCOLS["portraits"]["short"]))) == 20
    assert len(judged) > 3 and len(read) > 40  # of so many, some would be among the judged
    assert not judged & read


@pytest.mark.long
def test_rendered_people_are_learned(tmp_path: Path) -> None:
    found = portraits_trial()
    (x, wanted), *_ = found.epoch(1, 0, TINY)
    again, _ = next(iter(found.epoch(1, 0, TINY)))
    other, _ = next(iter(found.epoch(1, 1, TINY)))
    assert x.shape == (4, 4, 96, 96) and wanted.shape == (4, 2, 96, 96)
    assert torch.equal(x, again) and not torch.equal(x, other)
    short = TINY.model_copy(update={"epochs": 1, "falls": (1,)})
    done = run_series(
        tmp_path / "runs.json", found, short, models=["matting-b11"], seeds=[1], processor="a CPU"
    )
    assert 0 < done.runs[0].figures["sad"] < 5


def test_the_command_keeps_and_shows_runs(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOLS["reconstruct"], "short", TINY)
    shown = pictures()
    data = tmp_path / "noise[red].npz"
    np.savez(data, x_train=shown.train, x_test=shown.test)
    words = ["experiments", "series", "reconstruct", "--data", str(data)]
    words += ["--model", MODELS[0], "--seed", "4", "-o", str(tmp_path / "runs.json")]
    status, text, _ = call(*words)
    assert (status, "guided" in text, "blind" in text) == (0, False, True)
    assert "noise[red], 8 pictures" in " ".join(text.split())
    kept = json.loads((tmp_path / "runs.json").read_text())
    assert [one["seed"] for one in kept["runs"]] == [4] and kept["runs"][0]["processor"]
    assert json.loads(call(*words, "--json")[1]) == kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("segment",), "There is no 'segment'"),
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
