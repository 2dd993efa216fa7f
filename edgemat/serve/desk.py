"""The cutting out behind the page: bounded in size, in time and in how much is done at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from edgemat.errors import EdgematError, UsageError, nearest
from edgemat.images import PictureBytes, encode_image, image_size, read_rgba
from edgemat.matting.cutting import Cutter, Frame
from edgemat.matting.finish import Finish

T = TypeVar("T")

OUTPUTS = MappingProxyType({"cutout": Finish(), "mask": Finish(only_mask=True)})
"""What can be asked for."""
PNG = Path("answer.png")


class Busy(EdgematError):
    """More waits already than will be answered."""


class TooLong(EdgematError):
    """The answer took longer than it may."""


class TooSlow(EdgematError):
    """A photograph that does not arrive in time."""


class TooLarge(EdgematError):
    """A photograph of more bytes or pixels than are taken."""


@dataclass(frozen=True)
class Limits:
    """What one server takes.

    Attributes
    ----------
    bytes:
        Of a photograph's file.
    pixels:
        Of a photograph.
    seconds:
        From a photograph's arrival to its answer.
    upload_seconds:
        For a photograph to arrive.
    at_once:
        Photographs that are worked on.
    waiting:
        Photographs that wait besides.
    """

    bytes: int = 32_000_000
    pixels: int = 50_000_000
    seconds: float = 60.0
    upload_seconds: float = 30.0
    at_once: int = 1
    waiting: int = 8


class Desk:
    """Takes encoded photographs and gives encoded results, a few at a time.

    Parameters
    ----------
    cutters:
        By the name that a request asks for; the first by default. Their own finish is not used.
    """

    def __init__(self, cutters: Mapping[str, Cutter], limits: Limits) -> None:
        self.cutters = cutters
        self.limits = limits
        self._pool = ThreadPoolExecutor(limits.at_once)
        self._open = 0

    async def cut_out(self, content: bytes, *, model: str, output: str) -> bytes:
        """Return the PNG of a photograph's cut-out, or of its mask.

        Raises
        ------
        UsageError
            There is no such model or output.
        ImageError
            It is no photograph.
        TooLarge, Busy, TooLong
            By the limits.
        """
        cutter = _chosen(self.cutters, model, "model")
        finish = _chosen(OUTPUTS, output, "output")
        if self._open >= self.limits.at_once + self.limits.waiting:
            raise Busy("Too many photographs are waiting.", remedy="Try again in a moment.")
        self._open += 1
        work = self._pool.submit(self._work, content, cutter, finish)
        future = asyncio.wrap_future(work)
        future.add_done_callback(lambda _: self._close_one())
        try:
            # shielded: what runs in a thread runs on, and counts until it ends
            return await asyncio.wait_for(asyncio.shield(future), self.limits.seconds)
        except TimeoutError as error:
            work.cancel()  # what has not begun never will: nobody waits for it
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise TooLong(
                f"It takes more than {self.limits.seconds:g} s.", remedy="Scale it down first."
            ) from error

    def close(self) -> None:
        """Drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _close_one(self) -> None:
        self._open -= 1

    def _work(self, content: bytes, cutter: Cutter, finish: Finish) -> bytes:
        picture = PictureBytes(content, "The photograph")
        height, width = image_size(picture)
        if height * width > self.limits.pixels:
            raise TooLarge(
                f"The photograph has {width} x {height} px, more than "
                f"{self.limits.pixels / 1e6:g} megapixels.",
                remedy="Scale it down first.",
            )
        picture.seek(0)
        frame = Frame(*read_rgba(picture))
        return encode_image(finish(frame.image, cutter.alpha(frame)), PNG)


def _chosen(known: Mapping[str, T], name: str, what: str) -> T:
    if name not in known:
        raise UsageError(f"There is no {what} {name[:40]!r}.", remedy=nearest(name[:40], known))
    return known[name]
