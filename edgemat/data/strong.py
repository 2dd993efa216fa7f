"""Strong augmentation of composites: AF, AFB and AC of RMat, and Table 5.1's degradation.

AF changes the foreground before it is composited, AFB foreground and background each for itself:
the matte stays true whatever is done (eq. 5.3). AC changes the composite. A linear operation leaves
the matte true there, too; after any other nobody knows the matte, and the network's own answer
takes its place in training (`edgemat.training.pseudo`). Shares: section 5.7.3 of the thesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from edgemat.data.composite import composite
from edgemat.data.operations import OPERATIONS, Category, blur, jpeg
from edgemat.data.sample import Sample
from edgemat.images import F32

Strong = Literal["af", "afb", "ac", "degrade", "degrade-alpha"]

ALONE, TOGETHER, AFTER = 0.5, 0.25, 0.1
"""Shares of AF or AFB alone, of each beside the other, and of AC where neither happened."""
LAYER_SHARES: dict[Category, float] = {"linear": 0.8, "nonlinear": 0.1, "region": 0.1}
COMPOSITE_SHARES: dict[Category, float] = {"linear": 0.2, "nonlinear": 0.4, "region": 0.4}
DEGRADED = 0.25  # share of blurred pictures, and of those written as JPEG again, in Table 5.1


def strengthen(sample: Sample, chosen: Sequence[Strong], rng: np.random.Generator) -> Sample:
    """Return a composite changed as `chosen` says; `pseudo` says whether its matte is unsure.

    A photograph whose layers are not known has neither AF nor AFB.
    """
    changed = False
    if sample.foreground is not None and sample.background is not None:
        share = TOGETHER if {"af", "afb"} <= set(chosen) else ALONE
        draw = rng.random()
        both = "afb" in chosen and draw < share
        alone = "af" in chosen and not both and draw < share * (1 + ("afb" in chosen))
        changed = both or alone
        if changed:
            foreground, background = sample.foreground, sample.background
            foreground = _changed(foreground, LAYER_SHARES, rng)
            if both:
                background = _changed(background, LAYER_SHARES, rng)
            sample = _composited(sample, foreground, background)
    if "ac" in chosen:
        sample = replace(sample, pseudo=False)
        if not changed and rng.random() < AFTER:
            sample = _change_composite(sample, rng)
    if "degrade" in chosen or "degrade-alpha" in chosen:
        sample = _degraded(sample, rng, alpha="degrade-alpha" in chosen)
    return sample


def _change_composite(sample: Sample, rng: np.random.Generator) -> Sample:
    category = _category(COMPOSITE_SHARES, rng)
    operations = OPERATIONS[category]
    change = operations[int(rng.integers(len(operations)))](sample.image, rng)
    if category != "linear":
        return replace(sample, image=_clip(change(sample.image)), pseudo=True)
    if sample.foreground is None or sample.background is None:
        return replace(sample, image=_clip(change(sample.image)))
    layers = (_clip(change(layer)) for layer in (sample.foreground, sample.background))
    return _composited(sample, *layers)


def _degraded(sample: Sample, rng: np.random.Generator, *, alpha: bool) -> Sample:
    """Blur and write as JPEG, the matte likewise or not (Table 5.1)."""
    image, matte = sample.image, np.repeat(sample.alpha[..., None], 3, axis=2)
    for operation in (blur, jpeg):
        if rng.random() < DEGRADED:
            change = operation(image, rng)
            image, matte = _clip(change(image)), _clip(change(matte))
    return replace(sample, image=image, alpha=matte[..., 0] if alpha else sample.alpha)


def _changed(picture: F32, shares: dict[Category, float], rng: np.random.Generator) -> F32:
    operations = OPERATIONS[_category(shares, rng)]
    return _clip(operations[int(rng.integers(len(operations)))](picture, rng)(picture))


def _category(shares: dict[Category, float], rng: np.random.Generator) -> Category:
    draw = rng.random()
    for category, share in shares.items():
        draw -= share
        if draw < 0:
            return category
    return "region"


def _composited(sample: Sample, foreground: F32, background: F32) -> Sample:
    image = composite(foreground, background, alpha=sample.alpha)
    return replace(sample, image=image, foreground=foreground, background=background)


def _clip(picture: F32) -> F32:
    clipped: F32 = np.clip(picture, 0, 1).astype(np.float32, copy=False)
    return clipped
