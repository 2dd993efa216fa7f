"""A video that is read: upright sRGB frames with their times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.errors import ImageError
from edgemat.images import MAX_SIDE, MIN_SIDE, U8
from edgemat.matting.cutting import Frame
from edgemat.matting.video.formats import load_av

# Codes of ITU-T H.273: matrices that the converter knows; the transfers of HDR, PQ and HLG; the
# primaries that reach beyond sRGB's, BT.2020 and the two P3.
_BT709, _BT601, _SMPTE170M = 1, 5, 6
_MATRICES = (_BT709, 4, _BT601, _SMPTE170M, 7, 9)
_HDR_TRANSFERS = (16, 18)
_WIDE_PRIMARIES = (9, 11, 12)
LIMITED, FULL = 1, 2
"""The converter's names of ranges of values: 16 to 235, 0 to 255."""
_HD_HEIGHT = 720
_FALLBACK_RATE = Fraction(25)


@dataclass(frozen=True)
class ColourDescription:
    """The meaning of a video's numbers: codes of ITU-T H.273, and whether they fill the range."""

    matrix: int
    primaries: int
    transfer: int
    full_range: bool

    @property
    def converter(self) -> int:
        """The matrix as the converter names it."""
        return _BT601 if self.matrix == _SMPTE170M else self.matrix

    @property
    def is_hdr(self) -> bool:
        """True for PQ and HLG."""
        return self.transfer in _HDR_TRANSFERS

    @property
    def is_srgb(self) -> bool:
        """True where the numbers look right in a picture that does not say what they mean."""
        return not self.is_hdr and self.primaries not in _WIDE_PRIMARIES


class Clip:
    """A video file that is open; its frames can be gone through once.

    Attributes
    ----------
    height, width:
        Of its upright frames, in pixels.
    rate:
        Frames a second, on average.
    count:
        Frames, as its header tells: nothing to rely on.
    unit:
        Seconds of one step of time.
    """

    def __init__(self, path: Path, container: Any) -> None:
        self.path = path
        self.container = container
        self.stream = container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.unit: Fraction = self.stream.time_base
        self.rate = _rate_of(self.stream)
        self.count = self.stream.frames or self._count_by_duration()
        self._frames = decode(container, self.stream, path)
        first = next(self._frames, None)
        if first is None:
            raise ImageError(f"{path} has no frames.", remedy="Save it again, or take another.")
        self._first = first
        self.turns = round(first.rotation / 90) % 4
        sides = first.height, first.width
        self.height, self.width = sides if self.turns % 2 == 0 else sides[::-1]
        if min(sides) < MIN_SIDE or max(sides) > MAX_SIDE:
            raise ImageError(
                f"{path} is {self.width} x {self.height} px; each side must have {MIN_SIDE} to "
                f"{MAX_SIDE:,} px.",
                remedy="Scale it first.",
            )
        self.colour = _colour_of(first)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame with its time, each later than the one before.

        Raises
        ------
        ImageError
            The file is damaged, or a frame has another size.
        """
        time: int | None = None
        for number, frame in enumerate(self._again()):
            given = frame.pts
            if given is None:  # some files tell no times
                given = round(number / (self.rate * self.unit))
            time = given if time is None or given > time else time + 1
            yield Frame(self._upright(frame), of_video=True, time=time)

    def _again(self) -> Iterator[Any]:
        yield self._first
        yield from self._frames

    def _upright(self, frame: Any) -> U8:
        size = (frame.height, frame.width)
        expected = (self.height, self.width)
        if size != (expected if self.turns % 2 == 0 else expected[::-1]):
            raise ImageError(
                f"{self.path} changes its size to {frame.width} x {frame.height} px.",
                remedy="Cut it into videos of one size each.",
            )
        colour = self.colour
        rgb = frame.to_ndarray(
            format="rgb24",
            src_colorspace=colour.converter,
            src_color_range=FULL if colour.full_range else LIMITED,
            dst_color_range=FULL,
        )
        return np.ascontiguousarray(np.rot90(rgb, self.turns))

    def _count_by_duration(self) -> int:
        seconds = 0.0
        if self.stream.duration is not None:
            seconds = float(self.stream.duration * self.unit)
        elif self.container.duration is not None:
            seconds = self.container.duration / 1_000_000
        return max(1, round(seconds * self.rate))


@contextlib.contextmanager
def open_clip(path: Path) -> Iterator[Clip]:
    """Open a video.

    Raises
    ------
    ImageError
        It is missing, damaged, or no video.
    MissingToolError
        PyAV is not installed.
    """
    av = load_av()
    if not path.is_file():
        raise ImageError(f"{path} does not exist.", remedy="Check the path.")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ImageError(
            f"{path} is not a video that can be read.", remedy="Save it again as MP4."
        ) from error
    with container:
        if not container.streams.video:
            raise ImageError(f"{path} has no pictures in it.", remedy="Take another file.")
        yield Clip(path, container)


def decode(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Yield the decoded pictures or sounds of a stream.

    Raises
    ------
    ImageError
        The file, `path`, is damaged.
    """
    av = load_av()
    try:
        yield from container.decode(stream)
    except (av.FFmpegError, ValueError) as error:
        raise ImageError(
            f"{path} is damaged: {error}.", remedy="Save it again, or take another."
        ) from error


def _rate_of(stream: Any) -> Fraction:
    """Return the frames a second that a header tells, if its unit of time can tell them apart.

    Of frames that do not come evenly, Matroska's tells the codec's ticks instead.
    """
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and rate * stream.time_base <= 1:
            return Fraction(rate)
    return _FALLBACK_RATE


def _colour_of(frame: Any) -> ColourDescription:
    matrix = int(frame.colorspace)
    if matrix not in _MATRICES:  # nothing is said: as players do, by the size
        matrix = _BT709 if min(frame.height, frame.width) >= _HD_HEIGHT else _SMPTE170M
    full = int(frame.color_range) == FULL or frame.format.name.startswith("yuvj")
    return ColourDescription(matrix, int(frame.color_primaries), int(frame.color_trc), full)
