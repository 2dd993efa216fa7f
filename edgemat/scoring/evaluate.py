"""Score mattes on a fixed validation set, in the unknown region and in the whole image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgemat.artifacts.artifact import MattingErrors, Validation
from edgemat.artifacts.vocabulary import ERROR_NAMES, REGIONS, Region
from edgemat.images import F32, FOREGROUND, PIXEL_SCALE, U8, UNKNOWN
from edgemat.matting.predictor import Predict
from edgemat.progress import track
from edgemat.scoring.metrics import matting_errors


@dataclass(frozen=True)
class InputSet:
    """Pictures as an app would feed them.

    Attributes
    ----------
    pixels:
        N,H,W,C uint8; RGB, and the trimap as a fourth channel for trimap networks.
    """

    pixels: U8

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def needs_trimap(self) -> bool:
        return bool(self.pixels.shape[-1] == 4)

    def inputs(self, index: int) -> F32:
        """Return input `index` as 1,H,W,C float32 in 0..1."""
        return self.pixels[index : index + 1].astype(np.float32) * PIXEL_SCALE

    @property
    def sha256(self) -> str:
        """Hex SHA-256 over all inputs, in order."""
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class EvaluationSet(InputSet):
    """Validation composites, with what is true of them.

    Attributes
    ----------
    alphas:
        N,H,W float32 in 0..1, the ground truth.
    trimaps:
        N,H,W uint8 in {0, 128, 255}; says where "unknown" is for every network.
    validation:
        How they were chosen.
    """

    alphas: F32
    trimaps: U8
    validation: Validation | None = None

    def first(self, count: int) -> EvaluationSet:
        """Return the first `count` pictures, or all where there are fewer."""
        return replace(
            self,
            pixels=self.pixels[:count],
            alphas=self.alphas[:count],
            trimaps=self.trimaps[:count],
        )


def predict_all(predict: Predict, data: InputSet, title: str | None = None) -> F32:
    """Run a model on every picture; returns N,H,W float32 in 0..1.

    Parameters
    ----------
    title:
        Of a progress bar; none is shown without.
    """
    indices: Iterable[int] = range(len(data))
    if title is not None:
        indices = track(indices, title, len(data))
    return np.concatenate([predict(data.inputs(i))[..., 0] for i in indices])


def without_prior(predict: Predict) -> Predict:
    """Return the model with its trimap hidden: all of it is unknown (A2 of Table 6.1)."""

    def blind(inputs: F32) -> F32:
        hidden = inputs.copy()
        hidden[..., 3:] = np.float32(UNKNOWN) * PIXEL_SCALE
        return predict(hidden)

    return blind


def score(alphas: F32, data: EvaluationSet) -> dict[Region, MattingErrors]:
    """Return the mean errors of `alphas`, N,H,W in 0..1, against the ground truth.

    Known pixels of a trimap network's matte are overwritten from the trimap first, as every
    evaluation since Deep Image Matting does.
    """
    alphas = _known_kept(alphas, data)
    return {
        region: _mean(
            [
                matting_errors(
                    np.clip(a, 0, 1).astype(np.float32),
                    truth,
                    trimap=trimap if region == "unknown" else None,
                )
                for a, truth, trimap in zip(alphas, data.alphas, data.trimaps, strict=True)
            ]
        )
        for region in REGIONS
    }


def mean_sad(alphas: F32, data: EvaluationSet) -> float:
    """Return the mean SAD over whole pictures, in thousands: of :func:`score`, this figure alone.

    The gradient and connectivity errors take a hundred times as long.
    """
    difference = np.abs(np.clip(_known_kept(alphas, data), 0, 1) - data.alphas)
    return float(difference.sum(axis=(1, 2), dtype=np.float64).mean() / 1000)


def _known_kept(alphas: F32, data: EvaluationSet) -> F32:
    if not data.needs_trimap:
        return alphas
    return np.stack([keep_known(a, t) for a, t in zip(alphas, data.trimaps, strict=True)])


def keep_known(alpha: F32, trimap: U8) -> F32:
    """Return `alpha` with 0 and 1 where the trimap says so."""
    known = np.where(trimap == FOREGROUND, np.float32(1), np.float32(0))
    return np.where(trimap == UNKNOWN, alpha, known).astype(np.float32)


def _mean(errors: Sequence[MattingErrors]) -> MattingErrors:
    means = {name: float(np.mean([one.of(name) for one in errors])) for name in ERROR_NAMES}
    return MattingErrors(**means)
