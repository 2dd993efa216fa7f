"""Large networks of others, as .onnx files, that draw mattes to learn from.

RVM is known by its inputs: RGB in 0..1, no memory of earlier frames. Any other network of one
picture is fed as it is told to be, ``(rgb - mean) / std`` of RGB in 0..1; that it looks like one
that is known, such as a square of 1,024 px, says nothing of it.

Lin et al., "Robust High-Resolution Video Matting with Temporal Guidance", WACV 2022.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.errors import ArtifactError, UsageError
from edgemat.files import sha256_file
from edgemat.images import F32, U8, resize, to_float
from edgemat.matting.onnx_session import open_onnx, run_onnx

STRIDE = 32
"""Sides of a network that takes any size are multiples of it."""
MEMORIES = {"r1i": 2, "r2i": 4, "r3i": 8, "r4i": 16}
"""RVM's recurrent inputs, and by how much they are smaller than the picture."""
RATIO = "downsample_ratio"
"""RVM's own files ask for it, too: 1 is the whole picture."""
SIDE = 512


@dataclass(frozen=True)
class Feed:
    """How a network takes RGB of 0..1: ``(rgb - mean) / std``."""

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Teacher:
    """A network that draws a matte of a whole picture.

    Parameters
    ----------
    path:
        An .onnx file: 1,3,H,W in, and one map 1,1,H,W in 0..1 among its outputs (the first one of
        one channel).
    feed:
        How it takes pictures, if it is of no family that is known.
    side:
        Longer side, px, of the picture that a network of any size is given.
    threads:
        Of onnxruntime.

    Raises
    ------
    MissingToolError
        Without onnxruntime.
    ArtifactError
        When the file is none, or takes something else.
    UsageError
        When nobody says how it is fed.
    """

    def __init__(
        self, path: Path, *, feed: Feed | None = None, side: int = SIDE, threads: int = 1
    ) -> None:
        self.path, self.side, self._threads = path, side, threads
        self._session = open_onnx(path, threads=threads)
        inputs = {one.name: tuple(one.shape) for one in self._session.get_inputs()}
        kinds = {one.type for one in self._session.get_inputs()}
        names = [name for name in inputs if name not in MEMORIES and name != RATIO]
        if len(names) != 1 or len(inputs[names[0]]) != 4 or inputs[names[0]][1] not in (3, "C"):
            raise ArtifactError(
                f"{path} takes {_shown(inputs)}: that is no network of one picture.",
                remedy="A teacher takes one picture, 1,3,H,W.",
            )
        if kinds != {"tensor(float)"}:
            raise ArtifactError(
                f"{path} takes {', '.join(sorted(kinds))}.", remedy="Give its float32 file."
            )
        self._input, self._has_ratio = names[0], RATIO in inputs
        self._memories = {name: inputs[name][1] for name in inputs if name in MEMORIES}
        height, width = inputs[self._input][2:]
        self._size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        if self._memories and feed is not None:
            raise UsageError(
                f"{path} is RVM by its inputs, which takes RGB in 0..1 as it is.",
                remedy="Leave --mean and --std out.",
            )
        if self._memories:
            feed = Feed()
        if feed is None:
            raise UsageError(
                f"How {path} is fed is not known: it takes {_shown(inputs)}.",
                remedy="Give its mean and deviation of RGB in 0..1, such as "
                "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225.",
            )
        self._feed = feed
        self._output = self._find_output()

    def __reduce__(self) -> tuple[Callable[..., Teacher], tuple[Path]]:
        """Another process opens the file anew."""
        feed = None if self._memories else self._feed
        return partial(Teacher, feed=feed, side=self.side, threads=self._threads), (self.path,)

    @property
    def identity(self) -> str:
        """What tells it apart from other networks, and from itself otherwise fed: 12 hex digits."""
        content = f"{sha256_file(self.path)} {self._feed} {self.side}"
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def predict(self, image: U8) -> F32:
        """Return alpha, HxW float32 in 0..1, of a photograph, HxWx3 uint8 RGB.

        Raises
        ------
        ArtifactError
            When the network gives what is no matte: not finite, or not within 0..1.
        """
        height, width = self._size or self._scaled(image.shape[0], image.shape[1])
        small = to_float(resize(image, (height, width), method="bilinear"))
        mean, std = (np.array(one, np.float32) for one in (self._feed.mean, self._feed.std))
        x = (small - mean) / std
        given = {self._input: np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32)}
        if self._has_ratio:
            given[RATIO] = np.ones(1, np.float32)
        for name, channels in self._memories.items():
            step, shape = MEMORIES[name], (1, 1, 1, 1)  # what any size takes for nothing
            if isinstance(channels, int):
                shape = (1, channels, -(-height // step), -(-width // step))
            given[name] = np.zeros(shape, np.float32)
        alpha = run_onnx(self._session, self._output, given, self.path)[0, 0]
        if not np.isfinite(alpha).all() or alpha.min() < -0.01 or alpha.max() > 1.01:
            raise ArtifactError(
                f"{self.path} gives {alpha.min():.3g} to {alpha.max():.3g}, which is no matte.",
                remedy="A teacher's map lies in 0..1: take its output behind the sigmoid.",
            )
        size = image.shape[0], image.shape[1]
        return resize(np.clip(alpha, 0, 1), size, method="bilinear")

    def _scaled(self, height: int, width: int) -> tuple[int, int]:
        scale = min(1.0, self.side / max(height, width))
        return _multiple(height * scale), _multiple(width * scale)

    def _find_output(self) -> str:
        outputs: list[Any] = self._session.get_outputs()
        for one in outputs:
            shape = tuple(one.shape)
            if len(shape) == 4 and shape[1] == 1:
                return str(one.name)
        shapes = {one.name: tuple(one.shape) for one in outputs}
        raise ArtifactError(
            f"{self.path} gives {_shown(shapes)}: none of them is a matte.",
            remedy="A teacher gives one map, 1,1,H,W.",
        )


def _multiple(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def _shown(shapes: dict[str, tuple[Any, ...]]) -> str:
    return ", ".join(
        f"{name} ({', '.join(str(n) for n in shape)})" for name, shape in shapes.items()
    )
