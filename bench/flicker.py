"""Does a matte flicker? Stills that are moved and zoomed, so that every frame's alpha is known.

A held-out rendered person before a background is looked at by a camera that pans, zooms and
trembles, with a sensor's noise in every frame. Each model runs on every frame as on a photograph,
with and without the smoothing that videos are given. On a clip, where no truth is known, float and
int8 can be compared alone: what changes from frame to frame is true motion, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.bench.bias import put_before
from edgemat.bench.peers.ours import Ours
from edgemat.data.folder import FolderSource
from edgemat.data.mix import Backgrounds
from edgemat.data.sample import DatasetPart
from edgemat.data.sections import PEOPLE
from edgemat.data.warp import Window
from edgemat.errors import UsageError
from edgemat.images import F32, U8, to_float
from edgemat.matting.smoothing import SMOOTHING, Smoother
from edgemat.matting.video.clip import open_clip

SHARES = (0.0, SMOOTHING)
"""Of the matte before, which stays: without smoothing, and with the apps' own."""
SIDE = 320  # of a frame, px
PAN, ZOOM, TREMBLE = 0.05, 0.08, 0.6  # of the picture's side, of its scale; px
TURN = math.pi / 23  # of the camera's path in a frame: a second has half of it
MARGIN = 0.02  # of the side, which the camera never leaves
NOISE = 2.0  # standard deviation of a sensor's noise, of 255
SEED = 11
PEOPLE_MOVED = 8


@dataclass(frozen=True)
class Flicker:
    """How steady one file's mattes are.

    Attributes
    ----------
    file:
        Name of the artefact.
    smoothing:
        What stays of the matte before.
    dtssd:
        See :func:`dtssd`; of a clip, of alpha itself, as no truth is known.
    mad:
        Mean absolute difference from the true alpha; None for a clip.
    frames:
        All that were looked at.
    """

    file: str
    smoothing: float
    dtssd: float
    mad: float | None
    frames: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Scene:
    """Frames, HxWx3 uint8, and their true alphas, HxW float32, where these are known."""

    frames: Sequence[U8]
    truths: Sequence[F32] | None


def dtssd(alphas: Sequence[F32], truths: Sequence[F32] | None = None) -> float:
    """Return dtSSD: how much more or less than the truth a matte changes between frames.

    The root of the mean square over pixels of the difference between both changes, its mean over
    pairs of frames, times 100 (Erofeev et al., *Perceptually Motivated Benchmark for Video
    Matting*, BMVC 2015; scaled as Robust Video Matting prints it). Without truths, of a truth that
    stands still.

    >>> import numpy as np
    >>> from edgemat.bench.flicker import dtssd
    >>> still, other = np.zeros((2, 2), np.float32), np.full((2, 2), 0.1, np.float32)
    >>> round(dtssd([still, other], [still, still]), 4), dtssd([still, other], [still, other])
    (10.0, 0.0)
    """
    steps = [b - a for a, b in pairwise(alphas)]
    if truths is not None:
        true = [b - a for a, b in pairwise(truths)]
        steps = [found - wanted for found, wanted in zip(steps, true, strict=True)]
    return 100 * float(np.mean([math.sqrt(float(np.mean(np.square(step)))) for step in steps]))


def measure_flicker(
    models: Mapping[str, Path],
    scenes: Sequence[Scene],
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Flicker]:
    """Return how steady the mattes of some files are, each with every smoothing of `SHARES`.

    Parameters
    ----------
    models:
        Artefacts or .tflite files that take no trimap, by the names that they are shown with.
    progress:
        Called with the number of scenes done, over all files, and the number of all.

    Raises
    ------
    UsageError
        When a model takes a trimap, of which moved pictures have none; or without two frames.
    """
    contestants = {name: Ours(path, threads=threads) for name, path in models.items()}
    for name, one in contestants.items():
        if one.facts.takes_trimap:
            raise UsageError(
                f"{name} takes a trimap, which a video does not have.",
                remedy="Give a portrait network.",
            )
    if not scenes or min(len(scene.frames) for scene in scenes) < 2:
        raise UsageError(
            "Flicker needs two frames.", remedy="Give more --frames, or a longer video."
        )
    found = []
    for number, (name, one) in enumerate(contestants.items()):
        mattes = []
        for index, scene in enumerate(scenes, start=1):
            mattes.append([one.predict(frame, None) for frame in scene.frames])
            progress(number * len(scenes) + index, len(contestants) * len(scenes))
        found += [_flicker(name, share, scenes, mattes) for share in SHARES]
    return found


def _flicker(
    name: str, share: float, scenes: Sequence[Scene], mattes: Sequence[Sequence[F32]]
) -> Flicker:
    """Return how steady a file's mattes of all scenes are, smoothed by `share`."""
    changes, mads = [], []
    for scene, alphas in zip(scenes, mattes, strict=True):
        smooth = Smoother(share)
        steady = [smooth(x, a) for x, a in zip(scene.frames, alphas, strict=True)]
        changes.append(dtssd(steady, scene.truths))
        if scene.truths is not None:
            mads.append(_mad(steady, scene.truths))
    return Flicker(
        file=name,
        smoothing=share,
        dtssd=float(np.mean(changes)),
        mad=float(np.mean(mads)) if mads else None,
        frames=sum(len(scene.frames) for scene in scenes),
    )


def _mad(alphas: Sequence[F32], truths: Sequence[F32]) -> float:
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(alphas, truths, strict=True)]))


def moved_people(
    backgrounds: Backgrounds,
    *,
    people: Path = PEOPLE,
    part: DatasetPart = "held-out",
    count: int = PEOPLE_MOVED,
    frames: int = 24,
) -> list[Scene]:
    """Return scenes of rendered people, each before a background of its own.

    Parameters
    ----------
    part:
        "held-out" are those that no recipe trains on.
    frames:
        Of each scene.
    """
    source = FolderSource(people, seed=0, size=(64, 64), part=part)
    scenes = []
    for index in range(min(count, source.count or count)):
        matte = source[index]
        picture = put_before(matte, backgrounds.background(index))
        scenes.append(move(picture, matte.alpha, frames=frames, seed=SEED + index))
    return scenes


def move(picture: U8, alpha: U8, *, frames: int, seed: int) -> Scene:
    """Return a camera's look at a still: HxWx3 and HxW uint8."""
    random = np.random.default_rng(seed)
    seen, truths = [], []
    for window in _path(picture.shape[:2], frames, random):
        clean = window.sample(picture).astype(np.float32)
        noisy = clean + random.normal(0, NOISE, clean.shape)
        seen.append(np.clip(noisy.round(), 0, 255).astype(np.uint8))
        truths.append(to_float(window.sample(alpha, beyond="zeros")))
    return Scene(seen, truths)


def _path(size: tuple[int, ...], frames: int, random: np.random.Generator) -> Iterator[Window]:
    """Give each frame's window: within the picture, along a slow curve, trembling."""
    shorter = min(size)
    turn = random.uniform(0, 2 * math.pi)
    for frame in range(frames):
        phase = turn + TURN * frame
        zoom = 1 - 2 * (PAN + MARGIN) - ZOOM * (0.5 - 0.5 * math.cos(2 * phase))
        scale = shorter * zoom / SIDE
        shift = PAN * shorter * np.array([math.sin(phase), math.cos(phase)])
        row, column = shift + random.normal(0, TREMBLE, 2)
        centre = ((size[0] - 1) / 2 + row, (size[1] - 1) / 2 + column)
        yield Window(centre, np.eye(2) * scale, SIDE)


def clip_scene(path: Path, *, frames: int) -> Scene:
    """Return the first frames of a video, of which no truth is known.

    Raises
    ------
    ImageError, MissingToolError
        As :func:`edgemat.matting.video.clip.open_clip`.
    """
    with open_clip(path) as clip:
        return Scene([frame.image for frame in islice(clip.frames(), frames)], None)
