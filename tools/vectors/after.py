"""Vectors of what happens to the network's output, up to a finished picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgemat.artifacts.feeding import Feeding
from edgemat.artifacts.vocabulary import Fit
from edgemat.errors import ImageError
from edgemat.images import F32, U8, resize, to_float, to_uint8
from edgemat.matting.foreground import blur_background, cut_out, replace_background
from edgemat.matting.guided import GUIDE_EPSILON, GUIDE_RADIUS, guided_coefficients, guided_upsample
from edgemat.matting.matte import matte, matte_as_fed
from edgemat.matting.smoothing import Smoother
from edgemat.matting.unknown import trimap_of_matte
from tools.vectors.pictures import Vector, alpha, as_json, picture, trimap


def guided() -> Vector:
    """`edgemat.matting.guided`: the filter's coefficients, and a small alpha at full size."""
    image, coarse = picture(24, 18, seed=61), alpha(9, 7, seed=62)
    small = to_float(resize(image, (9, 7), method="bilinear"))
    fitted = guided_coefficients(small, coarse, radius=GUIDE_RADIUS, epsilon=GUIDE_EPSILON)
    return {
        "upsample": [
            {
                "image": as_json(image),
                "small": as_json(small),
                "alpha": as_json(coarse),
                "coefficients": as_json(fitted),
                "output": as_json(guided_upsample(coarse, small, image)),
            }
        ]
    }


@dataclass(frozen=True)
class Mixer:
    """Stands for a network: alpha is a mixture of the input's channels, the same everywhere."""

    feeding: Feeding
    mixture: tuple[float, ...]

    def predict(self, x: F32) -> F32:
        """Return alpha; see :class:`edgemat.matting.predictor.Predictor`."""
        mixed: F32 = (x * np.array(self.mixture, np.float32)).sum(-1, keepdims=True)
        return mixed


def mattes() -> Vector:
    """`edgemat.matting.matte.matte` as a whole, with a mixture of channels for a network."""
    portrait, tiles = (1.5, -0.25, -0.5), (0.25, 0.25, 0.0, 0.5)
    cases = []
    for image, known, side, mixture in [
        (picture(32, 34, seed=71), None, 16, portrait),
        (picture(32, 33, seed=72), None, 48, portrait),
        (picture(34, 32, seed=73), trimap(34, 32, seed=74), 16, portrait),
        (picture(33, 34, seed=75), trimap(33, 34, seed=76), 16, tiles),
        (picture(32, 37, seed=77), trimap(32, 37, seed=78), 36, tiles),
    ]:
        feeding = Feeding(
            layout="NHWC", height=side, width=side, channels=4 if len(mixture) == 4 else 3, stride=1
        )
        cases.append(
            {
                "image": as_json(image),
                "trimap": None if known is None else as_json(known),
                "height": side,
                "width": side,
                "mixture": mixture,
                "alpha": as_json(matte(image, known, model=Mixer(feeding, mixture))),
            }
        )
    return {"matte": cases, "fed": _fed(), "sides": [_side(size) for size in _SIDES]}


def _fed() -> list[Any]:
    """Return mattes as imported networks are fed, before they are clipped and known pixels set."""
    three, four = (0.5, 0.25, 0.125), (0.25, 0.25, 0.0, 0.5)
    cases: list[tuple[Fit, tuple[int, int], tuple[int, int], tuple[float, ...]]] = [
        ("resize", (6, 7), (4, 5), four),
        ("resize", (3, 5), (4, 7), three),
        ("pad", (3, 5), (8, 6), four),  # further than its own height
        ("pad", (4, 3), (4, 5), three),
        ("pad", (4, 6), (4, 5), four),  # too large: tiles
        ("tiles", (3, 6), (4, 4), three),
    ]
    made = []
    for number, (fit, size, (height, width), mixture) in enumerate(cases):
        image = picture(*size, seed=100 + number)
        known = trimap(*size, seed=110 + number) if len(mixture) == 4 else None
        feeding = Feeding(
            layout="NHWC", height=height, width=width, channels=4 if len(mixture) == 4 else 3,
            stride=1, fit=fit,
        )  # fmt: skip
        found = matte_as_fed(image, known, Mixer(feeding, mixture))
        made.append(
            {
                "fit": fit, "image": as_json(image),
                "trimap": None if known is None else as_json(known),
                "height": height, "width": width, "mixture": mixture, "alpha": as_json(found),
            }
        )  # fmt: skip
    return made


_SIDES = ((32, 32), (31, 40), (40, 31), (32, 12_000), (12_001, 32))


def _side(size: tuple[int, int]) -> dict[str, Any]:
    known = np.zeros(size, np.uint8)  # so that no model is run
    try:
        matte(np.zeros((*size, 3), np.uint8), known, model=Mixer(_any_feeding(), ()))
        accepted = True
    except ImageError:
        accepted = False
    return {"size": size, "accepted": accepted}


def _any_feeding() -> Feeding:
    return Feeding(layout="NHWC", height=16, width=16, channels=4, stride=1)


def refinements() -> Vector:
    """`edgemat.matting.unknown.trimap_of_matte`: where a second look is worth it."""
    soft = alpha(14, 24, seed=91)
    soft[4:11, 3:10] = 0.6  # half-opaque over more than the reach
    return {
        "trimap": [
            {
                "alpha_bytes": as_json(to_uint8(soft)),
                "reach": reach,
                "output": as_json(trimap_of_matte(to_float(to_uint8(soft)), reach=reach)),
            }
            for reach in (None, 3)
        ]
    }


def smoothings() -> Vector:
    """`edgemat.matting.smoothing.Smoother`: two frames of a scene, a cut, and one of the next."""
    first, next_ = picture(4, 5, seed=92), 255 - picture(4, 5, seed=92)
    smooth = Smoother(0.3)
    frames = []
    for number, image in enumerate([first, first, next_, next_]):
        seen = alpha(4, 5, seed=93 + number)
        frames.append(
            {
                "image": as_json(image),
                "alpha": as_json(seen),
                "output": as_json(smooth(image, seen)),
            }
        )
    return {"share": [0.3], "frames": frames}


def foregrounds() -> Vector:
    """`edgemat.matting.foreground`: transparent pictures, other backgrounds, depth of field."""
    image, soft = picture(22, 27, seed=81), alpha(22, 27, seed=82)
    narrow, strip = picture(19, 3, seed=83), alpha(19, 3, seed=84)
    backgrounds = [
        picture(17, 12, seed=85),
        picture(9, 31, seed=86),
        np.full((22, 27, 3), (70, 120, 90), np.uint8),
    ]
    whole = _cut_out(image, soft) | {
        "replaced": [
            {"background": as_json(one), "output": as_json(replace_background(image, soft, one))}
            for one in backgrounds
        ],
        "blurred": [  # the largest on a reduced picture
            {"radius": radius, "output": as_json(blur_background(image, soft, radius))}
            for radius in (1.5, 4.0, 14.0)
        ],
    }
    return {"cut_out": [whole, _cut_out(narrow, strip) | {"replaced": [], "blurred": []}]}


def _cut_out(image: U8, soft: F32) -> dict[str, Any]:
    return {
        "image": as_json(image),
        "alpha_bytes": as_json(to_uint8(soft)),
        "rgba": as_json(cut_out(image, soft)),
    }
