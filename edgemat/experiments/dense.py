"""Tell the class or the depth of every pixel: the comparisons of Tables 3.7 to 3.10.

Segmentation learns as section 3.6.3 says, from random crops by the softmax loss, depth as section
3.6.4, by an L1 loss. Two protocols the thesis leaves to others' code, and they are not here: for
ADE20K that of UperNet's, for the network of Hu et al. theirs. Here these learn by the thesis' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.data.layouts.pictures import NO_CLASS
from edgemat.data.pairs import (
    CROP,
    DEPTH_SIDE,
    Pair,
    PairFiles,
    find_pairs,
    frame_depth,
    read_classes,
    read_depth,
    read_pair,
    vary_classes,
    vary_depth,
)
from edgemat.experiments.protocol import SeriesProtocol, Subject
from edgemat.experiments.trial import Trial, hash_files, order_of_epoch
from edgemat.models import create_model
from edgemat.models.network import Network
from edgemat.models.pretrained.load import TORCHVISION, check_source, load_encoder
from edgemat.scoring.dense import ClassCounts, depth_errors
from edgemat.training.holding import norms

SEGMENTATION = ("segnet", "segnet-carafe", "segnet-modelwise-nl", "segnet-m2o-nlc")
"""Rows of Table 3.7: max-unpooling, blind, guided."""
DEPTH = ("fastdepth-p", "fastdepth-p-carafe", "fastdepth-modelwise-nl", "fastdepth-unshared-l")
"""Rows of Table 3.9: blind, guided."""


def segmentation_trial(folder: Path, *, init: str | None = None, side: int = CROP) -> Trial:
    """Return the experiment of Tables 3.7 and 3.8 for a series.

    Parameters
    ----------
    folder:
        SUN RGB-D or ADE20K, laid out as `edgemat data layouts` shows.
    init:
        ImageNet's weights for the encoder: "torchvision" or a checkpoint. Its batch normalisations
        are then fixed, as in the thesis.
    side:
        Of random crops, px; a multiple of 32.

    Raises
    ------
    UsageError
        When the folder is laid out otherwise.
    """
    files = find_pairs("segmentation", folder)
    classes = files.layout.classes

    def read(image: Path, truth: Path) -> Pair:
        return read_pair(image, truth, partial(read_classes, count=classes))

    def judge(network: nn.Module) -> dict[str, float]:
        counts = ClassCounts(classes)
        for image, truth in files.test:
            pair = read(image, truth)
            scores = _whole(network, pair.image)
            counts.add(scores.argmax(0).numpy(), pair.truth.numpy())
        return {"miou": counts.mean_iou, "pixel accuracy": counts.pixel_accuracy}

    return _trial(
        "segment",
        SEGMENTATION,
        files,
        folder,
        draw=lambda image, truth, seed: vary_classes(read(image, truth), seed=seed, side=side),
        loss=class_loss,
        judge=judge,
        score="miou",
        init=init,
        config={"classes": classes},
        fixed=lambda network: norms(encoder_of(network)),
    )


def depth_trial(folder: Path, *, init: str | None = None, side: int = DEPTH_SIDE) -> Trial:
    """Return the experiment of Tables 3.9 and 3.10 for a series.

    Parameters
    ----------
    folder:
        NYUDv2, laid out as `edgemat data layouts` shows.
    init:
        As in :func:`segmentation_trial`, for networks on ResNet-50; batch normalisation is trained.
    side:
        Of the squares that are learned and judged, px; a multiple of 32.

    Raises
    ------
    UsageError
        When the folder is laid out otherwise.
    """
    files = find_pairs("depth", folder)

    def read(image: Path, truth: Path) -> Pair:
        return read_pair(image, truth, read_depth)

    def judge(network: nn.Module) -> dict[str, float]:
        found, truths = [], []
        for image, truth in files.test:
            pair = frame_depth(read(image, truth), side=side)
            with torch.inference_mode():
                found.append(_sized(network(pair.image[None]), pair.truth[None])[0].numpy())
            truths.append(pair.truth.numpy())
        return asdict(depth_errors(found, truths))

    return _trial(
        "depth",
        DEPTH,
        files,
        folder,
        draw=lambda image, truth, seed: vary_depth(read(image, truth), seed=seed, side=side),
        loss=depth_loss,
        judge=judge,
        score="rms",
        init=init,
    )


def class_loss(scores: Tensor, classes: Tensor) -> Tensor:
    """Return the mean softmax loss of B,C,H,W over the labelled pixels of B,H,W; 0 without any."""
    total = F.cross_entropy(scores, classes, ignore_index=NO_CLASS, reduction="sum")
    return total / (classes != NO_CLASS).sum().clamp(min=1)


def depth_loss(found: Tensor, truth: Tensor) -> Tensor:
    """Return the mean absolute difference in metres of B,1,H,W and B,H,W, where the truth has any.

    A network that tells depths at half the size is enlarged first.
    """
    known = truth > 0
    error = (_sized(found, truth) - truth).abs() * known
    return error.sum() / known.sum().clamp(min=1)


def _trial(
    subject: Subject,
    models: Sequence[str],
    files: PairFiles,
    folder: Path,
    *,
    draw: Callable[[Path, Path, int], Pair],
    loss: Callable[[Tensor, Tensor], Tensor],
    judge: Callable[[nn.Module], dict[str, float]],
    score: str,
    init: str | None,
    config: dict[str, int] | None = None,
    fixed: Callable[[nn.Module], Sequence[nn.Module]] = lambda network: (),
) -> Trial:
    trial = Trial(
        subject=subject,
        models=tuple(models),
        data=f"{folder.resolve().name}, {len(files.train)} pictures; {len(files.test)} judged",
        pixels=hash_files(path for pair in (*files.train, *files.test) for path in pair),
        epoch=partial(_epoch, files.train, draw),
        loss=loss,
        judge=judge,
        score=score,
        more_is_better=score == "miou",
        config=config or {},
    )
    if init is None:
        return trial
    return replace(
        trial,
        data=f"{trial.data}, the encoder's ImageNet weights from {_told(init)}",
        begin=lambda network: load_encoder(encoder_of(network), init),
        fixed=fixed,
    )


def check_init(models: Sequence[str], init: str, *, width: float) -> None:
    """Refuse weights that do not fit the encoder of each network, before any data are read.

    Raises
    ------
    UsageError
        For an encoder that they do not fit; public ones are of width 1.
    """
    for name in models:
        with torch.device("meta"):
            network = create_model(name, width=width)
        check_source(encoder_of(network), init)


def _told(init: str) -> str:
    """Return the source of weights as runs are compared by: a file by its name and contents."""
    return init if init == TORCHVISION else f"{Path(init).name}, {hash_files([Path(init)])}"


def encoder_of(network: nn.Module) -> nn.Module:
    """Return the part that starts from ImageNet's weights."""
    return network.get_submodule("encoder")


def _epoch(
    files: Sequence[tuple[Path, Path]],
    draw: Callable[[Path, Path, int], Pair],
    seed: int,
    epoch: int,
    protocol: SeriesProtocol,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield an epoch's batches; a picture is varied by its seed, epoch and place alone."""
    place = 0
    for part in order_of_epoch(len(files), seed, epoch, protocol):
        drawn = []
        for image, truth in (files[number] for number in part):
            state = np.random.SeedSequence([seed, epoch, place]).generate_state(1)
            drawn.append(draw(image, truth, int(state[0])))
            place += 1
        yield torch.stack([x.image for x in drawn]), torch.stack([x.truth for x in drawn])


def _whole(network: nn.Module, image: Tensor) -> Tensor:
    """Return the scores, C,H,W, of a picture of any size: it is filled up to the stride."""
    height, width = image.shape[-2:]
    stride = cast(Network, network).stride
    below, right = -height % stride, -width % stride
    with torch.inference_mode():
        padded = F.pad(image[None], (0, right, 0, below), mode="replicate")
        scores: Tensor = network(padded)[0, :, :height, :width]
    return scores


def _sized(found: Tensor, truth: Tensor) -> Tensor:
    """Return depths B,H,W at the size of the truth."""
    size = truth.shape[-2:]
    return F.interpolate(found, size=size, mode="bilinear", align_corners=False)[:, 0]
