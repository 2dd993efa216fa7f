"""The videos that are read, and those that are written: what each suffix means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType

from edgemat.errors import MissingToolError, UsageError
from edgemat.images import check_image_name

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")
"""Of files that are taken for videos."""


@dataclass(frozen=True)
class Encoding:
    """How pictures are encoded.

    Attributes
    ----------
    pixels:
        The encoder's pixel format.
    even:
        Only even widths and heights are possible.
    """

    codec: str
    pixels: str
    options: Mapping[str, str] = field(default_factory=dict)
    even: bool = False


@dataclass(frozen=True)
class VideoFormat:
    """What is written into files of one suffix.

    Attributes
    ----------
    opaque, transparent:
        How pictures are encoded; the latter is None where there is no transparency.
    sound:
        Codecs of sound that are copied as they are.
    sound_encoder:
        For other sound.
    """

    opaque: Encoding
    transparent: Encoding | None
    sound: tuple[str, ...]
    sound_encoder: str


# Without B-frames packets come in the order of frames: parts of a video can be put together.
_H264 = Encoding("libx264", "yuv420p", {"crf": "16", "preset": "fast", "bf": "0"}, even=True)
_PRORES = Encoding("prores_ks", "yuva444p10le", {"profile": "4444", "alpha_bits": "16"})
_VP9_OPTIONS = {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}
_VP9 = Encoding("libvpx-vp9", "yuv420p", _VP9_OPTIONS | {"auto-alt-ref": "0", "lag-in-frames": "0"})
_VP9_ALPHA = Encoding("libvpx-vp9", "yuva420p", _VP9.options)
FORMATS = MappingProxyType(
    {
        ".mov": VideoFormat(_H264, _PRORES, ("aac", "mp3", "pcm_s16le", "pcm_s24le"), "aac"),
        ".mp4": VideoFormat(_H264, None, ("aac", "mp3", "opus"), "aac"),
        ".webm": VideoFormat(_VP9, _VP9_ALPHA, ("opus", "vorbis"), "libopus"),
    }
)
"""Suffix to what is written: H.264; with transparency ProRes 4444 or VP9."""

_NUMBER = re.compile(r"%0?(\d*)d")


def is_video(path: Path) -> bool:
    """Return whether a name is that of a video."""
    return path.suffix.lower() in SUFFIXES


def is_sequence(path: Path) -> bool:
    """Return whether a name stands for numbered pictures, as ``%06d.png`` does."""
    return _NUMBER.search(path.name) is not None


def check_video_name(path: Path, *, transparent: bool) -> None:
    """Raise UsageError for a name that no video, or no transparent one, can be written to."""
    if is_sequence(path):
        if len(_NUMBER.findall(path.name)) > 1 or path.name.count("%") > 1:
            raise UsageError(
                f"{path} numbers pictures twice.", remedy="Write one number: frames/%06d.png."
            )
        check_image_name(path, transparent=transparent)
        return
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise UsageError(
            f"{path} is no name of a video.",
            remedy=f"Use one of {', '.join(FORMATS)}, or pictures: frames/%06d.png.",
        )
    if transparent and known.transparent is None:
        raise UsageError(
            f"{path} cannot hold transparency.",
            remedy="Use .mov (ProRes 4444), .webm (VP9) or frames/%06d.png, or give --background, "
            "--blur or --only-mask.",
        )


def load_av() -> ModuleType:
    """Return PyAV.

    Raises
    ------
    MissingToolError
        It is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingToolError(
            "Videos need PyAV, which is not installed.",
            remedy='Run: pip install "edgemat[video]"',
        ) from error
    av.logging.set_level(av.logging.PANIC)  # what goes wrong is raised
    module: ModuleType = av
    return module
