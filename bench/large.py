"""What a large photograph takes: memory and seconds of :func:`edgemat.matte`, in a process each.

The figure is the peak of a process that holds the picture and makes its matte, minus that of one
that holds the picture and loads nothing: the model, its working memory, what lies between, and the
matte itself, 4 bytes a pixel. The picture is drawn: its size counts, not what it shows.

    python -m edgemat.bench.large JSON      the work of one such process; prints bytes and seconds
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import ArtifactLike
from edgemat.bench.child import run_child
from edgemat.bench.devices.host import peak_rss_bytes
from edgemat.errors import MissingToolError, UsageError
from edgemat.images import BACKGROUND, FOREGROUND, MAX_SIDE, U8, UNKNOWN
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor

MEGA = 1_000_000
ASPECT = 4 / 3
LEAST, MOST = 0.01, MAX_SIDE**2 / ASPECT / MEGA
"""Megapixels of a picture that is matted."""
TIMEOUT_S = 600
RING = 24
"""Width of the unknown region around a disc, px: what people draw at such a size."""


@dataclass(frozen=True)
class Large:
    """A model on one size of pictures.

    Attributes
    ----------
    added_mb:
        Millions of bytes that the matte adds to a process that holds the picture; None where no
        system call tells.
    seconds:
        From the loaded model and the picture to its matte.
    """

    megapixels: float
    width: int
    height: int
    added_mb: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


def measure_large(
    model: ArtifactLike,
    *,
    megapixels: Sequence[float] = (12, 48, 100),
    threads: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Large]:
    """Measure the matte of a picture of each size, 4:3.

    Parameters
    ----------
    model:
        An artefact, its folder or name, or a .tflite file.
    progress:
        Called with the sizes done, and all.

    Raises
    ------
    UsageError
        For a size that :func:`edgemat.matte` refuses.
    MissingToolError
        When a process dies, for example for lack of memory, or takes more than ten minutes.
    """
    sizes = [_size(value) for value in megapixels]
    load_predictor(model, threads=threads)  # what is wrong with it is said before processes start
    path = model.path if isinstance(model, Artifact) else Path(model)
    found = []
    for done, (height, width) in enumerate(sizes, start=1):
        task = {"model": str(path), "height": height, "width": width, "threads": threads}
        idle, busy = (
            run_child(
                "edgemat.bench.large",
                task | {"works": works},
                measures=f"the memory of {path.name} at {width} x {height} px",
                timeout_s=TIMEOUT_S,
                remedy="Free some memory, or give a smaller --megapixels.",
            )
            for works in (False, True)
        )
        added = None
        if idle["peak_bytes"] is not None and busy["peak_bytes"] is not None:
            added = max(0, busy["peak_bytes"] - idle["peak_bytes"]) / MEGA
        found.append(Large(height * width / MEGA, width, height, added, busy["seconds"]))
        if progress is not None:
            progress(done, len(sizes))
    return found


def require_told() -> None:
    """Refuse to hold to a bound what cannot be measured, before it takes minutes.

    Raises
    ------
    MissingToolError
        When this system does not tell a process' peak memory.
    """
    if peak_rss_bytes() is None:
        raise MissingToolError(
            "This system does not tell how much memory a process took.",
            remedy="Measure on Linux or macOS.",
        )


def require_bound(found: Sequence[Large], bound_mb: float) -> bool:
    """Return whether every size stays below the bound; one of which nothing is told does not."""
    return all(one.added_mb is not None and one.added_mb < bound_mb for one in found)


def _size(megapixels: float) -> tuple[int, int]:
    if not LEAST <= megapixels <= MOST:  # nor is what is no number
        raise UsageError(
            f"{megapixels:g} megapixels are a size which no picture may have.",
            remedy=f"Give {LEAST:g} to {MOST:g}.",
        )
    height = round(math.sqrt(megapixels * MEGA / ASPECT))
    return height, round(height * ASPECT)


def _draw(height: int, width: int) -> tuple[U8, U8]:
    """Return a picture of stripes with a disc, and the disc's trimap, without float copies."""
    columns = (np.arange(width, dtype=np.int32) % 251).astype(np.uint8)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = columns[None, :, None]
    trimap = np.full((height, width), BACKGROUND, np.uint8)
    reach = 0.35 * height
    across = np.arange(width, dtype=np.float32) - width / 2
    for y in range(height):
        distance = np.hypot(across, np.float32(y - height / 2))
        trimap[y, distance < reach + RING] = UNKNOWN
        inside = distance < reach - RING
        trimap[y, inside] = FOREGROUND
        image[y, inside] = (220, 180, 160)
    return image, trimap


def _work(task: dict[str, Any]) -> None:
    """Do what `task` says; print this process' peak memory, and the seconds of the matte."""
    image, trimap = _draw(task["height"], task["width"])
    seconds = 0.0
    if task["works"]:
        predictor = load_predictor(task["model"], threads=task["threads"])
        given = trimap if predictor.feeding.channels == 4 else None
        start = time.monotonic()
        matte(image, given, model=predictor)
        seconds = time.monotonic() - start
    value = {"peak_bytes": peak_rss_bytes(), "seconds": seconds}
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    _work(json.loads(sys.argv[1]))
