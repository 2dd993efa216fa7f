"""What a series trains on and is judged by: protocols, epochs, folders of pictures, people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_series import TINY, noise_trial

from edgemat.data.folder import FolderSource
from edgemat.data.sample import Matte
from edgemat.errors import UsageError
from edgemat.experiments.denoise import denoising_trial
from edgemat.experiments.portraits import portraits_trial
from edgemat.experiments.protocol import PROTOCOLS, Subject
from edgemat.experiments.series import run_series
from edgemat.experiments.trial import Trial
from edgemat.images import write_image


@pytest.fixture(scope="module")
def trial() -> Trial:
    return noise_trial()


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
