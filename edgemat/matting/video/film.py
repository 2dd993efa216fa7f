"""Sinks of a video's frames: a video file, or numbered pictures; both resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgemat.errors import ConversionError
from edgemat.files import atomic_path, explain_os_errors, move_into_place
from edgemat.images import F32, U8, write_image
from edgemat.images.labels import warn
from edgemat.matting.cutting import Frame
from edgemat.matting.smoothing import Smoother
from edgemat.matting.video.clip import FULL, LIMITED, Clip
from edgemat.matting.video.film_parts import PART_FRAMES, Parts
from edgemat.matting.video.formats import FORMATS, Encoding, load_av
from edgemat.matting.video.join import join


class NumberedPictures:
    """Frames as picture files, from 1 on: ``frames/%06d.png``."""

    def __init__(self, clip: Clip, target: Path, parts: Parts, smoother: Smoother) -> None:
        self._target, self._parts, self._smoother = target, parts, smoother
        self._times: list[int] = []
        if clip.container.streams.audio:
            warn(f"{clip.path} has sound, which pictures cannot hold.")

    def add(self, frame: Frame, picture: U8, alpha: F32) -> None:
        """Write the next picture."""
        number = len(self._parts.times) + len(self._times) + 1
        write_image(self._target.with_name(self._target.name % number), picture)
        self._times.append(frame.time)
        if len(self._times) == PART_FRAMES:
            self._end_part()

    def close(self) -> None:
        """Say that there are no more."""
        self._parts.remove()

    def _end_part(self) -> None:
        self._parts.finish(self._times, self._smoother)
        self._times = []


class Film:
    """Frames as a video, encoded part by part, and put together with the sound at the end."""

    def __init__(
        self, clip: Clip, target: Path, parts: Parts, smoother: Smoother, *, transparent: bool
    ) -> None:
        self._kind = kind = FORMATS[target.suffix.lower()]
        self._clip, self._target, self._parts, self._smoother = clip, target, parts, smoother
        encoding = kind.transparent if transparent else kind.opaque
        assert encoding is not None  # see check_video_name
        self._encoding = encoding
        self._encoder: _Encoder | None = None

    def add(self, frame: Frame, picture: U8, alpha: F32) -> None:
        """Encode the next frame."""
        if self._encoder is None:
            path = self._parts.path(self._parts.count, ".mkv")
            self._encoder = _Encoder(path, self._clip, self._encoding)
        self._encoder.add(picture, frame.time)
        if len(self._encoder.times) == PART_FRAMES:
            self._end_part()

    def close(self) -> None:
        """Say that there are no more, and write the video."""
        self._end_part()
        parts = [self._parts.path(number, ".mkv") for number in range(self._parts.count)]
        with atomic_path(self._target) as temporary:
            join(parts, self._parts.times, self._clip, temporary, self._kind)
        self._parts.remove()

    def _end_part(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
            self._parts.finish(self._encoder.times, self._smoother)
            self._encoder = None


class _Encoder:
    """One part's file."""

    def __init__(self, path: Path, clip: Clip, encoding: Encoding) -> None:
        self._path, self._clip, self._encoding = path, clip, encoding
        self._working = path.with_name(f"working{path.suffix}")
        self.times: list[int] = []
        self._container = load_av().open(str(self._working), "w", format="matroska")
        self._stream = self._container.add_stream(encoding.codec, options=dict(encoding.options))
        self._stream.width, self._stream.height = self._size = _size(clip, encoding)
        self._stream.pix_fmt = encoding.pixels
        context = self._stream.codec_context
        context.time_base, context.framerate = clip.unit, clip.rate
        context.colorspace = clip.colour.matrix
        context.color_primaries = clip.colour.primaries
        context.color_trc = clip.colour.transfer
        context.color_range = LIMITED
        if encoding.pixels.startswith("yuva"):
            self._stream.metadata["alpha_mode"] = "1"
        self._packets = 0

    def add(self, picture: U8, time: int) -> None:
        """Encode HxW, HxWx3 or HxWx4 uint8."""
        self._mux(self._stream.encode(self._frame(picture, time)))
        self.times.append(time)

    def close(self) -> None:
        """Finish the file; it has as many frames as were added."""
        self._mux(self._stream.encode(None))
        with explain_os_errors(self._path):
            self._container.close()
        if self._packets != len(self.times):
            raise ConversionError(
                f"The encoder made {self._packets} frames of {len(self.times)}.",
                remedy="Choose another format of video.",
            )
        move_into_place(self._working, self._path)

    def _frame(self, picture: U8, time: int) -> Any:
        width, height = self._size
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        layout = "rgba" if picture.shape[2] == 4 else "rgb24"
        colour = self._clip.colour
        cropped = np.ascontiguousarray(picture[:height, :width])
        frame = (
            load_av()
            .VideoFrame.from_ndarray(cropped, format=layout)
            .reformat(
                format=self._encoding.pixels,
                dst_colorspace=colour.converter,
                src_color_range=FULL,
                dst_color_range=LIMITED,
                dst_color_primaries=colour.primaries,
                dst_color_trc=colour.transfer,
            )
        )
        frame.pts, frame.time_base = time, self._clip.unit
        return frame

    def _mux(self, packets: Any) -> None:
        with explain_os_errors(self._path):
            for packet in packets:
                self._container.mux(packet)
                self._packets += 1


def _size(clip: Clip, encoding: Encoding) -> tuple[int, int]:
    if encoding.even and (clip.width % 2 or clip.height % 2):
        warn(f"{clip.path} has an odd size; a row or column of pixels at its end is left out.")
        return clip.width // 2 * 2, clip.height // 2 * 2
    return clip.width, clip.height
