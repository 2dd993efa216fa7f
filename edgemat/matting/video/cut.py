"""One video cut out: read, matted, steadied, written, from where a stopped run left off."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from edgemat.errors import ImageError
from edgemat.images.labels import warn
from edgemat.matting.cutting import Cutter, cut
from edgemat.matting.smoothing import Smoother
from edgemat.matting.video.clip import Clip, open_clip
from edgemat.matting.video.film import Film, NumberedPictures
from edgemat.matting.video.film_parts import Parts
from edgemat.matting.video.formats import is_sequence


def cut_video(
    source: Path,
    target: Path,
    cutter: Cutter,
    *,
    smoothing: float,
    settings: dict[str, str],
    progress: Callable[[float], None],
) -> None:
    """Cut a video out.

    Parameters
    ----------
    target:
        A name that :func:`~edgemat.matting.video.formats.check_video_name` takes.
    smoothing:
        See :class:`~edgemat.matting.smoothing.Smoother`.
    settings:
        All else that the result depends on: a run with others does not resume from its parts.
    progress:
        Called with the share that is done, by the frames that the video's header promises.

    Raises
    ------
    ImageError
        The video cannot be read.
    DiskError
        The result cannot be written.
    """
    smoother = Smoother(smoothing)
    with open_clip(source) as clip:
        told = source.stat()
        key = {
            "source": [str(source.resolve()), told.st_size, told.st_mtime_ns],
            "target": target.name,
            "smoothing": smoothing,
            **settings,
        }
        parts = Parts(target, key)
        parts.restore(smoother)
        done = len(parts.times)
        if not cutter.finish.only_mask:
            _say_what_becomes_of_colours(clip, target)
        sink: Film | NumberedPictures
        if is_sequence(target):
            sink = NumberedPictures(clip, target, parts, smoother)
        else:
            sink = Film(clip, target, parts, smoother, transparent=cutter.finish.transparent)
        try:
            cut(
                islice(clip.frames(), done, None),
                cutter,
                sink,
                smoother=smoother,
                progress=lambda more: progress(min(1.0, (done + more) / clip.count)),
            )
            sink.close()
        except ImageError:  # which a further run would meet again
            parts.remove()
            raise


def _say_what_becomes_of_colours(clip: Clip, target: Path) -> None:
    """Warn of what the result cannot hold. PyAV's FFmpeg has no filter from HDR to sRGB."""
    if is_sequence(target):
        if not clip.colour.is_srgb:
            warn(
                f"{clip.path} is {'HDR' if clip.colour.is_hdr else 'of a wide gamut'}, which its "
                "pictures do not say: they will look pale. Convert it to BT.709 first, or give "
                "-o a video's name, which keeps its colours."
            )
    elif clip.colour.is_hdr:
        warn(f"{clip.path} is HDR: its colours are kept, with 8 bits each.")
