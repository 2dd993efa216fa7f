"""What a series trains on and is judged by: protocols, epochs, folders of pictures, people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from toy_series import TINY, noise_trial

from edgemat.data.folder import FolderSource
from edgemat.data.sample import Matte
from edgemat.errors import UsageError
from edgemat.experiments.denoise import denoising_trial
from edgemat.experiments.portraits import portraits_trial
from edgemat.experiments.protocol import SUBJECTS, Subject, protocol_names, read_protocol
from edgemat.experiments.series import run_series
from edgemat.experiments.trial import Trial, run_trial
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


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_short_protocol_has_steps_where_the_thesis_has(subject: Subject) -> None:
    own = read_protocol(subject, "short")
    if "thesis" in protocol_names(subject):
        thesis = read_protocol(subject, "thesis")
        shares = [fall / thesis.epochs for fall in thesis.falls]
        assert [fall / own.epochs for fall in own.falls] == pytest.approx(shares, abs=0.02)


def write_noise(root: Path, *, seed: int = 1, **counts: int) -> None:
    random = np.random.default_rng(seed)
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            noise = random.integers(0, 256, (64, 72, 3)).astype(np.uint8)
            write_image(root / folder / f"{number}.png", noise)


def test_folders_to_judge_by_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_noise(tmp_path, photos=1, BSD=1)
    write_noise(tmp_path / "other", seed=2, BSD=1)
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


def test_what_is_judged_is_not_learned(tmp_path: Path) -> None:
    """BSD68's pictures are in BSDS500 in colour, compressed, upright or not, by another name."""
    write_noise(tmp_path, photos=2, BSD=2)
    blocks = np.random.default_rng(3).integers(0, 256, (8, 9, 3)).astype(np.uint8)
    judged = np.kron(blocks, np.ones((8, 8, 1), np.uint8))  # what compression leaves alike
    write_image(tmp_path / "BSD" / "1.png", judged)
    alone = denoising_trial(tmp_path / "photos", [tmp_path / "BSD"])
    Image.fromarray(np.rot90(judged)).save(tmp_path / "photos" / "12003.jpg", quality=80)
    found = denoising_trial(tmp_path / "photos", [tmp_path / "BSD"])
    assert "2 photographs of photos (1 that are judged left out), judged" in found.data
    assert found.pixels == alone.pixels and "left out" not in alone.data
    with pytest.raises(UsageError, match=r"All pictures of .*BSD are judged"):
        denoising_trial(tmp_path / "BSD", [tmp_path / "BSD"])


@pytest.mark.parametrize("model", ["dncnn", "dncnn-hin-nlc"])
def test_a_network_that_begins_with_the_identity_gives_its_input(
    model: str, tmp_path: Path
) -> None:
    """Else its first noise is louder than the picture's: 300 steps ended below where they began."""
    write_noise(tmp_path, photos=1, BSD=1)
    found = denoising_trial(tmp_path / "photos", [tmp_path / "BSD"])
    given = found.judge(torch.nn.Identity())
    still = TINY.model_copy(update={"epochs": 1, "learning_rate": 1e-12, "begin": "identity"})
    figures, _ = run_trial(found, model, 1, still, state=tmp_path / "a.state")
    assert figures == pytest.approx(given, abs=1e-4)
    other = still.model_copy(update={"begin": "random"})
    figures, _ = run_trial(found, model, 1, other, state=tmp_path / "b.state")
    assert figures[found.score] < given[found.score] - 0.1


def test_a_reconstruction_does_not_begin_with_the_identity(trial: Trial, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reconstruct do not correct their input"):
        run_trial(
            trial, "reconstruct-a2u", 1, TINY.model_copy(update={"begin": "identity"}),
            state=tmp_path / "state",
        )  # fmt: skip


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
    assert len(list(found.epoch(1, 0, read_protocol("portraits", "short")))) == 20
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
