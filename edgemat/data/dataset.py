"""Mattes as torch tensors: composites on the fly, each a pure function of (seed, index)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from edgemat.data.augment import augment, cover, fit, jitter
from edgemat.data.composite import composite
from edgemat.data.sample import MatteSource, Sample, rng_for, snap_alpha
from edgemat.data.trimap import fixed_trimap, trimap_from_alpha

# How far the unknown region reaches in validation, in pixels.
VALIDATION_DILATION = 8
_AUGMENTATION = 3  # key of the random stream; see `rng_for`


class MattingDataset(Dataset[dict[str, Tensor]]):
    """Samples of a source, for training (augmented) or validation (as they are).

    Item i is the same whatever worker draws it and whatever was drawn before, so that a training
    step reads the same pictures after a restart. A finite source is gone through again and again.

    Parameters
    ----------
    size:
        Height and width of every tensor.
    length:
        Number of items.

    Each item holds float32 tensors in 0..1: ``image``, ``foreground`` and ``background`` 3,H,W,
    ``trimap`` (0, 128/255, 1) and ``alpha`` 1,H,W. For photographs whose layers are not known,
    foreground and background are absent.
    """

    def __init__(
        self,
        source: MatteSource,
        *,
        size: tuple[int, int],
        seed: int,
        length: int,
        augment: bool = True,
    ) -> None:
        self.source, self.size, self.seed = source, size, seed
        self.length, self.augment = length, augment

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return to_tensors(self.sample(index))

    def sample(self, index: int) -> Sample:
        """Return item `index` as arrays."""
        rng = rng_for(self.seed, index, _AUGMENTATION)
        count = self.source.count
        matte = self.source[index if count is None else index % count]
        matte = augment(matte, size=self.size, rng=rng) if self.augment else fit(matte, self.size)
        alpha = snap_alpha(matte.alpha)
        trimap = matte.trimap
        if trimap is None and self.augment:
            trimap = trimap_from_alpha(alpha, rng=rng)
        elif trimap is None:
            trimap = fixed_trimap(alpha, dilation=VALIDATION_DILATION)
        if matte.foreground is None:
            return Sample(matte.colours, alpha, trimap, None, None)
        background = self.source.background(index)
        if self.augment:
            background = jitter(cover(background, size=self.size, rng=rng), rng=rng)
        else:
            background = cover(background, size=self.size)
        image = composite(matte.foreground, background, alpha=alpha)
        return Sample(image, alpha, trimap, matte.foreground, background)


def to_tensors(sample: Sample) -> dict[str, Tensor]:
    """Return a sample's planes as channel-first float32 tensors."""
    tensors = {
        "image": _channels_first(sample.image),
        "alpha": torch.from_numpy(sample.alpha)[None],
        "trimap": torch.from_numpy(sample.trimap)[None].float() / 255,
    }
    if sample.foreground is not None and sample.background is not None:
        tensors["foreground"] = _channels_first(sample.foreground)
        tensors["background"] = _channels_first(sample.background)
    return tensors


def _channels_first(picture: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32))
