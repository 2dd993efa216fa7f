"""Mattes as torch tensors: composites on the fly, each a pure function of (seed, index)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from edgemat.data.augment import augment, cover, fit
from edgemat.data.composite import composite, merge
from edgemat.data.ignored import small_parts
from edgemat.data.photometric import augment_layers, match_brightness, photograph
from edgemat.data.pipelines import (
    MERGED,
    gca_view,
    indexnet_view,
    jitter_foreground,
    photograph_view,
)
from edgemat.data.sample import Matte, MatteSource, Sample, rng_for
from edgemat.data.strong import Strong, strengthen
from edgemat.data.trimap import CLASS_DILATION, fixed_trimap, loose_trimap
from edgemat.data.views import place_cutout, view_photograph
from edgemat.images import F32, U8, to_float

# How far the unknown region reaches in validation, in pixels.
VALIDATION_DILATION = 8
SECOND_SHARE = 0.12  # of composites of people show a second person behind the first
_AUGMENTATION = 3  # key of the random stream; see `rng_for`

Views = Literal["none", "edges", "people", "indexnet", "gca", "photographs"]


class MattingDataset(Dataset[dict[str, Tensor]]):
    """Samples of a source, for training (random views) or validation (as they are).

    Item i is the same whatever worker draws it and whatever was drawn before, so that a training
    step reads the same pictures after a restart. A finite source is gone through again and again.

    Parameters
    ----------
    size:
        Height and width of every tensor.
    length:
        Number of items.
    views:
        "edges": crops around partial alpha, for trimap networks. "people": whole pictures and
        people anywhere in them. "none": the whole matte over the whole background, unchanged. The
        others are the thesis' pipelines: see :mod:`edgemat.data.pipelines`.
    strong:
        RMat's strong augmentation, in the place of the views' own: see :mod:`edgemat.data.strong`.

    Each item holds float32 tensors in 0..1: ``image``, ``foreground`` and ``background`` 3,H,W,
    ``trimap`` (0, 128/255, 1) and ``alpha`` 1,H,W. For photographs whose layers are not known,
    foreground and background are absent. Views of people have ``ignored`` 1,H,W, bool, where
    nothing is learned. With "ac", ``pseudo`` is a bool: whether the matte is no longer the
    picture's.
    """

    def __init__(
        self,
        source: MatteSource,
        *,
        size: tuple[int, int],
        seed: int,
        length: int,
        views: Views = "edges",
        strong: Sequence[Strong] = (),
    ) -> None:
        self.source, self.size, self.seed = source, size, seed
        self.length, self.views, self.strong = length, views, tuple(strong)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return to_tensors(self.sample(index))

    def sample(self, index: int) -> Sample:
        """Return item `index` as arrays."""
        rng = rng_for(self.seed, index, _AUGMENTATION)
        matte = self._matte(index)
        if self.views != "none":
            sample = self._view(matte, index, rng)
            return strengthen(sample, self.strong, rng) if self.strong else sample
        matte = fit(matte, self.size)
        trimap = matte.trimap
        alpha = to_float(matte.alpha)
        if trimap is None:
            trimap = fixed_trimap(alpha, dilation=VALIDATION_DILATION)
        if matte.foreground is None:
            return Sample(to_float(matte.colours), alpha, trimap, None, None)
        background = to_float(cover(self.source.background(index), size=self.size))
        return _over(to_float(matte.foreground), background, alpha, trimap)

    def _view(self, matte: Matte, index: int, rng: np.random.Generator) -> Sample:
        match self.views:
            case "people":
                return self._person(matte, index, rng)
            case "edges":
                return self._edges(matte, index, rng)
            case "photographs":
                view = photograph_view(matte, self.size[0], rng)
            case "gca":
                second = self._matte(int(rng.integers(1 << 30))) if rng.random() < MERGED else None
                view = gca_view(matte, second, self.size[0], rng)
            case _:
                view = indexnet_view(matte, self.size[0], rng)
        alpha, trimap = to_float(view.alpha), view.trimap
        if trimap is None:
            trimap = fixed_trimap(alpha, dilation=max(1, round(self.size[0] * CLASS_DILATION)))
        if view.foreground is None:
            return Sample(to_float(view.colours), alpha, trimap, None, None)
        foreground = to_float(view.foreground)
        if self.views == "gca":
            foreground = jitter_foreground(foreground, alpha, rng)
        return _over(foreground, self._background(index, rng), alpha, trimap)

    def _edges(self, matte: Matte, index: int, rng: np.random.Generator) -> Sample:
        matte = augment(matte, size=self.size, rng=rng)
        alpha, trimap = to_float(matte.alpha), matte.trimap
        if trimap is None:
            trimap = loose_trimap(alpha, rng=rng)
        if matte.foreground is None:
            return Sample(to_float(matte.colours), alpha, trimap, None, None)
        foreground, background = to_float(matte.foreground), self._background(index, rng)
        if not self.strong:
            foreground, background = augment_layers(foreground, background, rng)
        return _over(foreground, background, alpha, trimap)

    def _person(self, matte: Matte, index: int, rng: np.random.Generator) -> Sample:
        if matte.foreground is None:
            view = view_photograph(matte, self.size, rng)
            image, alpha = to_float(view.colours), to_float(view.alpha)
        else:
            view = place_cutout(matte, self.size, rng)
            foreground, alpha = to_float(view.colours), to_float(view.alpha)
            if rng.random() < SECOND_SHARE:
                foreground, alpha = self._with_second(foreground, alpha, index, rng)
            foreground, background = augment_layers(foreground, self._background(index, rng), rng)
            foreground = match_brightness(foreground, background, rng)
            image = composite(foreground, background, alpha=alpha)
        ignored = small_parts(alpha, matte.ignore_below)
        meant = np.where(ignored, np.float32(0), alpha)  # no edge is unknown but of who is meant
        trimap = fixed_trimap(meant, dilation=max(1, round(self.size[0] * CLASS_DILATION)))
        return Sample(photograph(image, rng), alpha, trimap, None, None, ignored)

    def _with_second(
        self, foreground: F32, alpha: F32, index: int, rng: np.random.Generator
    ) -> tuple[F32, F32]:
        """Put another cut-out behind the first."""
        other = self._matte(index + self.length)
        if other.foreground is None:
            return foreground, alpha
        behind = place_cutout(other, self.size, rng)
        layers = to_float(behind.colours), to_float(behind.alpha)
        return merge((foreground, alpha), layers)

    def _background(self, index: int, rng: np.random.Generator) -> F32:
        return to_float(cover(self.source.background(index), size=self.size, rng=rng))

    def _matte(self, index: int) -> Matte:
        count = self.source.count
        return self.source[index if count is None else index % count]


def to_tensors(sample: Sample) -> dict[str, Tensor]:
    """Return a sample's planes as channel-first float32 tensors."""
    tensors = {
        "image": _channels_first(sample.image),
        "alpha": torch.from_numpy(sample.alpha)[None],
        "trimap": torch.from_numpy(sample.trimap)[None].float() / 255,
    }
    if sample.pseudo is not None:
        tensors["pseudo"] = torch.tensor(sample.pseudo)
    if sample.ignored is not None:
        tensors["ignored"] = torch.from_numpy(sample.ignored)[None]
    if sample.foreground is not None and sample.background is not None:
        tensors["foreground"] = _channels_first(sample.foreground)
        tensors["background"] = _channels_first(sample.background)
    return tensors


def _over(foreground: F32, background: F32, alpha: F32, trimap: U8) -> Sample:
    image = composite(foreground, background, alpha=alpha)
    return Sample(image, alpha, trimap, foreground, background)


def _channels_first(picture: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32))
