"""A video's parts and its sound, put together without encoding the pictures again."""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edgemat.files import explain_os_errors
from edgemat.images.labels import warn
from edgemat.matting.video.clip import Clip, decode
from edgemat.matting.video.formats import VideoFormat, load_av


def join(
    parts: Sequence[Path], times: Sequence[int], clip: Clip, target: Path, kind: VideoFormat
) -> None:
    """Write a video of the parts' packets, each at its frame's own time, and the clip's sound.

    Parameters
    ----------
    parts:
        Files of one encoder's packets in the order of frames, without B-frames.
    times:
        Of all frames, in the clip's unit.
    clip:
        Where the sound is: all tracks are taken, but for those that no decoder knows.

    Raises
    ------
    ImageError
        The sound is damaged.
    DiskError
        The video cannot be written.
    """
    av = load_av()
    options = {"movie_timescale": str(clip.unit.denominator)} if target.suffix != ".webm" else {}
    with (
        contextlib.ExitStack() as tracks,
        av.open(str(parts[0])) as first,
        av.open(str(target), "w", options=options) as out,
    ):
        part = first.streams.video[0]
        pictures = out.add_stream_from_template(part)
        pictures.time_base = clip.unit
        if target.suffix == ".webm" and "alpha_mode" in map(str.lower, part.metadata):
            pictures.metadata["alpha_mode"] = "1"
        packets = [_pictures(parts, times, clip, pictures)]
        for track in range(len(clip.container.streams.audio)):
            # each is read for itself: who goes through one's packets passes over the others'
            heard = tracks.enter_context(av.open(str(clip.path)))
            stream = heard.streams.audio[track]
            if stream.codec_context is None:
                warn(f"{clip.path} has sound of a kind that is not known; that track is left out.")
            else:
                packets.append(_sound(clip, heard, stream, out, kind))
        with explain_os_errors(target):
            for _, packet in heapq.merge(*packets, key=lambda pair: pair[0]):
                out.mux(packet)


def _pictures(
    parts: Sequence[Path], times: Sequence[int], clip: Clip, stream: Any
) -> Iterator[tuple[float, Any]]:
    """Yield each packet behind its time in seconds."""
    last = max(1, round(1 / (clip.rate * clip.unit)))
    lasting = [after - before for before, after in itertools.pairwise(times)] + [last]
    number = 0
    for path in parts:
        with load_av().open(str(path)) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size:
                    continue
                packet.stream = stream
                packet.time_base = clip.unit
                packet.pts = packet.dts = times[number]
                packet.duration = lasting[number]
                yield float(times[number] * clip.unit), packet
                number += 1


def _sound(
    clip: Clip, heard: Any, stream: Any, out: Any, kind: VideoFormat
) -> Iterator[tuple[float, Any]]:
    """Yield the sound's packets: as they are where the format takes them, else encoded anew."""
    if stream.codec_context.name in kind.sound:
        copy = out.add_stream_from_template(stream)
        _name(copy, stream)

        def copied() -> Iterator[tuple[float, Any]]:
            for packet in heard.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    yield float(packet.dts * packet.time_base), packet

        return copied()
    encoder = out.add_stream(kind.sound_encoder, rate=48_000)
    encoder.layout = "mono" if stream.channels == 1 else "stereo"
    _name(encoder, stream)

    def encoded() -> Iterator[tuple[float, Any]]:
        for frame in itertools.chain(decode(heard, stream, clip.path), [None]):
            for packet in encoder.encode(frame):
                yield float(packet.dts * packet.time_base), packet

    return encoded()


def _name(track: Any, source: Any) -> None:
    """Call a track as its source is called: in what language, and whether players begin with it."""
    for word in ("language", "title"):
        if word in source.metadata:
            track.metadata[word] = source.metadata[word]
    track.disposition = source.disposition
