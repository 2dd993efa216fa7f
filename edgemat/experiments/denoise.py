"""Take noise out of pictures: the comparison of Table 3.6.

As in the thesis: patches of 40x40 of grey photographs, Gaussian noise, an L2 loss, Adam. Its 60
epochs of 240,000 patches are those of :func:`denoising_trial`; in :func:`run_denoising` they are
some hundred batches, at three times its learning rate: at ten times, networks of full width did
not begin to learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from edgemat.data.listing import pictures
from edgemat.data.split import HOLD_OUT
from edgemat.errors import UsageError
from edgemat.experiments.fidelity import fidelity
from edgemat.experiments.fit import JUDGES_SEED, Batches, Fitted, compare_networks, known_models
from edgemat.experiments.trial import Trial, hash_pixels
from edgemat.images import F32, read_image, resize

PATCH, BATCH, LEARNING_RATE = 40, 16, 3e-3
STRIDE = 8
"""Of all networks: pictures are cut to multiples of it."""
SCALES = (0.7, 0.8, 0.9, 1.0)
THUMBNAIL, ALIKE = 48, 0.96
"""Side of what pictures are compared by, and the correlation from which two are called one: those
of BSD68 have 0.990 and more with the same of BSDS500, and 0.922 at most with others."""
MODELS = ("dncnn-segnet", "dncnn-hin-l")
SERIES = ("dncnn", "dncnn-conv-carafe", "dncnn-segnet", "dncnn-hin-nlc")
"""Rows of Table 3.6: without sampling, blind, max-unpooling, guided."""


def run_denoising(
    folder: Path,
    *,
    sigma: float = 25.0,
    models: Sequence[str] = MODELS,
    steps: int = 400,
    width: float = 1.0,
    seed: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> list[Fitted]:
    """Train each network on nine tenths of a folder's pictures, and compare on the others.

    Parameters
    ----------
    folder:
        Photographs of any format and size from 40 px; every tenth by name is held out.
    sigma:
        Standard deviation of the noise, in grey values of 0..255.
    width:
        Multiplier of the networks' channels.
    progress:
        Called with a network's name and its steps done.

    Raises
    ------
    UsageError
        When there are too few pictures, one is too small, or for a network that does not denoise.
    """
    names = known_models("denoising", models)
    train, test = read_grey_pictures(folder)
    random = np.random.default_rng(seed)
    noisy = [x + _noise(x.shape, sigma, random) for x in test]
    return compare_networks(
        names,
        batches=lambda: noisy_patches(train, sigma=sigma, seed=seed),
        judge=lambda network: fidelity([_clean(network, x) for x in noisy], test),
        steps=steps,
        learning_rate=LEARNING_RATE,
        loss=F.mse_loss,
        width=width,
        seed=seed,
        begin=find_no_noise,
        progress=progress,
    )


def denoising_trial(train: Path, tests: Sequence[Path], *, sigma: float = 25.0) -> Trial:
    """Return the experiment of Table 3.6 for a series, as section 3.6.2.1 describes it.

    Parameters
    ----------
    train:
        Folder of photographs to learn from; the thesis has 400. Patches are of four scales. Those
        that are judged too are left out, whatever they are called: BSD68's are part of BSDS500.
    tests:
        Folders to judge by, such as BSD68 and Set12; figures are called by their names.
    sigma:
        Standard deviation of the noise, in grey values of 0..255.

    Raises
    ------
    UsageError
        When a folder has no pictures, or one is too small; for two folders of one name to judge by,
        and where nothing is left to learn from.
    """
    names = [folder.resolve().name for folder in tests]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"Two folders to judge by are called {name}.",
                remedy="Rename one: figures are called by their folders.",
            )
    judged = {
        name: [_read(file) for file in _files(folder)]
        for name, folder in zip(names, tests, strict=True)
    }
    offered = [_read(file) for file in _files(train)]
    kept = _unjudged(offered, [x for truth in judged.values() for x in truth])
    if not kept:
        raise UsageError(
            f"All pictures of {train} are judged.", remedy="Name others to learn from."
        )
    left_out = len(offered) - len(kept)
    shown = f"{len(kept)} photographs of {train.resolve().name}"
    if left_out:
        shown += f" ({left_out} that are judged left out)"
    learned = [scaled for picture in kept for scaled in _scales(picture)]
    random = np.random.default_rng(JUDGES_SEED)
    noisy = {
        name: [x + _noise(x.shape, sigma, random) for x in truth] for name, truth in judged.items()
    }

    def judge(network: nn.Module) -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, truth in judged.items():
            found = fidelity([_clean(network, x) for x in noisy[name]], truth)
            figures |= {f"{name} psnr": found.psnr, f"{name} ssim": found.ssim}
        return figures

    return Trial(
        subject="denoise",
        models=SERIES,
        data=f"sigma {sigma:g}, {shown}, judged on {' and '.join(judged)}",
        pixels=hash_pixels([*learned, *(x for truth in judged.values() for x in truth)]),
        epoch=lambda seed, epoch, protocol: islice(
            noisy_patches(learned, sigma=sigma, seed=(seed, epoch), batch=protocol.batch),
            protocol.steps,
        ),
        loss=F.mse_loss,
        judge=judge,
        score=f"{names[0]} psnr",
        identity=find_no_noise,
    )


def find_no_noise(network: nn.Module) -> None:
    """Let a new network find no noise, instead of any: it saves hundreds of steps."""
    nn.init.zeros_(network.get_parameter("predict.weight"))


def _unjudged(offered: Sequence[F32], judged: Sequence[F32]) -> list[F32]:
    """Return the pictures that are none of the judged ones, compressed or turned."""
    known = np.stack([_thumbnail(picture) for picture in judged])

    def is_known(picture: F32) -> bool:
        own = _thumbnail(picture)
        turned = [np.rot90(side, turns) for side in (own, own[:, ::-1]) for turns in range(4)]
        return float(np.max(np.einsum("nhw,khw->nk", known, np.stack(turned)))) > ALIKE

    return [picture for picture in offered if not is_known(picture)]


def _thumbnail(picture: F32) -> F32:
    """Return a small picture of mean 0, whose product with itself is 1."""
    small = resize(picture, (THUMBNAIL, THUMBNAIL))
    small = small - small.mean()
    unit: F32 = small / np.float32(max(float(np.linalg.norm(small)), 1e-6))
    return unit


def _files(folder: Path) -> list[Path]:
    files = list(pictures(folder).values()) if folder.is_dir() else []
    if not files:
        raise UsageError(
            f"{folder} has no pictures.", remedy="Name a folder of photographs, such as BSD68."
        )
    return files


def _scales(grey: F32) -> list[F32]:
    """Return a picture at the four scales of the thesis, those that a patch fits in."""
    sizes = [(round(grey.shape[0] * s), round(grey.shape[1] * s)) for s in SCALES]
    return [resize(grey, size) for size in sizes if min(size) >= PATCH]


def _read(file: Path) -> F32:
    """Return a picture, HxW in 0..1; sides multiples of 8."""
    grey = read_image(file).mean(axis=2, dtype=np.float32) / 255
    if min(grey.shape) < PATCH:
        raise UsageError(
            f"{file} has {grey.shape[1]} x {grey.shape[0]} px; patches have {PATCH}.",
            remedy="Leave it out, or take a larger one.",
        )
    height, width = (side // STRIDE * STRIDE for side in grey.shape)
    whole: F32 = grey[:height, :width]
    return whole


def read_grey_pictures(folder: Path) -> tuple[list[F32], list[F32]]:
    """Return the pictures to learn from and those held out: HxW in 0..1, sides multiples of 8."""
    files = list(pictures(folder).values()) if folder.is_dir() else []
    if len(files) < HOLD_OUT:
        raise UsageError(
            f"{folder} has {len(files)} pictures; every tenth is held out, so ten are needed.",
            remedy="Name a folder of photographs, such as BSD68.",
        )
    train: list[F32] = []
    test: list[F32] = []
    for number, file in enumerate(files):
        (test if number % HOLD_OUT == HOLD_OUT - 1 else train).append(_read(file))
    return train, test


def noisy_patches(
    pictures: Sequence[F32], *, sigma: float, seed: int | tuple[int, ...], batch: int = BATCH
) -> Batches:
    """Yield batches of noisy patches and the clean ones, B,1,40,40; turned and mirrored."""
    random = np.random.default_rng(seed)
    while True:
        patches = []
        for number in random.integers(len(pictures), size=batch):
            picture = pictures[number]
            top, left = (random.integers(side - PATCH + 1) for side in picture.shape)
            patch = picture[top : top + PATCH, left : left + PATCH]
            patch = np.rot90(patch, int(random.integers(4)))
            patches.append(patch[:, ::-1] if random.integers(2) else patch)
        clean = np.stack(patches)[:, None]
        yield torch.from_numpy(clean + _noise(clean.shape, sigma, random)), torch.from_numpy(clean)


def _noise(shape: tuple[int, ...], sigma: float, random: np.random.Generator) -> F32:
    return random.standard_normal(shape, dtype=np.float32) * np.float32(sigma / 255)


def _clean(network: nn.Module, noisy: F32) -> F32:
    with torch.inference_mode():
        found: F32 = network(torch.from_numpy(noisy)[None, None])[0, 0].clamp(0, 1).numpy()
    return found
