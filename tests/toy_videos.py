"""Short videos for tests, written by PyAV: numbered frames, uneven times, sound, a turn."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

UNIT = Fraction(1, 12800)
STEP = 512
"""Of time between two frames, but for :data:`LATE`."""
LATE = 100
"""What every third frame comes late."""
BT709 = 1


def shade(number: int) -> int:
    """Return the green of the frame of that number: they differ by more than encoders change."""
    return 20 + 7 * (number % 30)


def times(count: int) -> list[int]:
    """Return the frames' times, in :data:`UNIT`."""
    return [number * STEP + LATE * (number % 3 == 1) for number in range(count)]


def picture(number: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Return a frame of (height, width): red on its left half, and green by its number."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[:, : size[1] // 2, 0] = 255
    pixels[..., 1] = shade(number)
    return pixels


def write_clip(
    path: Path,
    count: int = 12,
    *,
    size: tuple[int, int] = (48, 64),
    sound: bool = False,
    languages: tuple[str, ...] = ("und",),
    turned: int = 0,
    colours: tuple[int, int, int] = (BT709, BT709, BT709),
) -> Path:
    """Write a clip and return its path.

    Parameters
    ----------
    languages:
        Of the tracks of sound, each an octave above the one before.
    turned:
        Degrees that a player turns it by, against the clock.
    colours:
        Matrix, primaries and transfer that it tells: codes of ITU-T H.273.
    """
    import av

    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=25, options={"crf": "4", "bf": "0"})
        video.height, video.width = size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = UNIT
        for name, code in zip(("colorspace", "color_primaries", "color_trc"), colours, strict=True):
            setattr(video.codec_context, name, code)
        video.codec_context.color_range = 1
        if turned:
            video.set_display_rotation(turned)
        tracks: list[Any] = []
        for language in languages if sound else ():
            tracks.append(out.add_stream("aac", rate=48_000))
            tracks[-1].layout = "mono"
            tracks[-1].metadata["language"] = language
        for number, time in enumerate(times(count)):
            frame = av.VideoFrame.from_ndarray(picture(number, size), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=colours[0], src_color_range=2, dst_color_range=1
            )
            frame.pts, frame.time_base = time, UNIT
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for octave, audio in enumerate(tracks):
            samples = np.arange(48_000 * count // 25) / 17 * 2**octave
            tone = np.sin(samples).astype(np.float32)[None]
            for start in range(0, tone.shape[1], 1024):
                heard: Any = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(tone[:, start : start + 1024]),
                    format="fltp",
                    layout="mono",
                )
                heard.rate, heard.pts = 48_000, start
                heard.time_base = Fraction(1, 48_000)
                out.mux(audio.encode(heard))
            out.mux(audio.encode(None))
    return path


def read_frames(path: Path, *, decoder: str = "") -> list[tuple[float, npt.NDArray[np.uint8]]]:
    """Return each frame's time in seconds and its RGBA.

    Parameters
    ----------
    decoder:
        For VP9 with transparency, which only "libvpx-vp9" sees.
    """
    import av

    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        if decoder:
            context: Any = av.CodecContext.create(decoder, "r")
            packets = [packet for packet in container.demux(stream) if packet.size]
            frames = [frame for packet in packets for frame in context.decode(packet)]
            unit = stream.time_base
        else:
            frames, unit = list(container.decode(stream)), stream.time_base
        return [
            (
                float(frame.pts * unit),
                frame.to_ndarray(
                    format="rgba", src_colorspace=BT709, src_color_range=1, dst_color_range=2
                ),
            )
            for frame in frames
        ]
