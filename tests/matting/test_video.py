"""Videos: no frame lost or doubled, its time, sound, turn and colours kept; stopped and resumed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy_artifacts import write_portrait_model
from toy_videos import UNIT, read_frames, shade, times, write_clip

from edgemat.errors import (
    EdgematError,
    ImageError,
    MissingToolError,
    PictureWarning,
    UsageError,
)
from edgemat.images import U8
from edgemat.matting.cutting import Cutter
from edgemat.matting.finish import Finish
from edgemat.matting.video import cut as module
from edgemat.matting.video import film_parts, formats
from edgemat.matting.video.clip import open_clip
from edgemat.matting.video.cut import cut_video
from edgemat.matting.video.formats import check_video_name

av = pytest.importorskip("av")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model whose matte is the red channel."""
    return write_portrait_model(tmp_path / "portrait.tflite")


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemat.matting.video.film.PART_FRAMES", 5)


def run(
    source: Path, target: Path, model: Path, *, smoothing: float = 0.0, **finish: Any
) -> list[float]:
    shares: list[float] = []
    cut_video(
        source,
        target,
        Cutter(model, Finish(**finish)),
        smoothing=smoothing,
        settings={"model": str(model)},
        progress=shares.append,
    )
    return shares


def heard(path: Path, track: int = 0) -> Iterator[Any]:
    with av.open(str(path)) as container:
        yield from container.decode(audio=track)


def pitch(path: Path, track: int) -> int:
    """The strongest frequency of a track, in Hz, to a tenth of an octave."""
    wave = np.concatenate([frame.to_ndarray()[0] for frame in heard(path, track)])
    return int(np.abs(np.fft.rfft(wave)).argmax() * 48_000 / len(wave))


def assert_all_there(frames: list[tuple[float, U8]], count: int, *, within_s: float) -> None:
    assert len(frames) == count
    first = frames[0][0]
    expected = [float(time * UNIT) for time in times(count)]
    np.testing.assert_allclose([time - first for time, _ in frames], expected, atol=within_s)


def assert_cut_out(picture: U8, number: int) -> None:
    """Red is opaque in its own colours, and black is gone."""
    middle = picture[picture.shape[0] // 2]
    assert middle[8, 3] > 200 and middle[-8, 3] < 40
    np.testing.assert_allclose(middle[8, :3], (255, shade(number), 0), atol=6)


@pytest.mark.parametrize(
    ("suffix", "decoder", "within_s"), [(".mov", "", 1e-9), (".webm", "libvpx-vp9", 6e-4)]
)
def test_every_frame_is_cut_out_at_its_time(
    tmp_path: Path, model: Path, suffix: str, decoder: str, within_s: float
) -> None:
    source = write_clip(tmp_path / "clip.mp4", 12, sound=True)
    target = tmp_path / f"cut{suffix}"
    shares = run(source, target, model)
    frames = read_frames(target, decoder=decoder)
    assert_all_there(frames, 12, within_s=within_s)
    for number, (_, picture) in enumerate(frames):
        assert_cut_out(picture, number)
    samples = sum(frame.samples for frame in heard(target))
    assert samples == pytest.approx(48_000 * 12 / 25, abs=3000)
    assert shares[-1] == 1 and shares == sorted(shares)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", target.name, model.name}


def test_before_a_background_it_is_an_mp4_in_its_own_colours(tmp_path: Path, model: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", 7, sound=True)
    green = np.full((10, 10, 3), (0, 200, 0), np.uint8)
    run(source, tmp_path / "new.mp4", model, background=green)
    frames = read_frames(tmp_path / "new.mp4")
    assert_all_there(frames, 7, within_s=1e-9)
    np.testing.assert_allclose(frames[3][1][24, 8, :3], (255, shade(3), 0), atol=6)
    np.testing.assert_allclose(frames[3][1][24, -8, :3], (0, 200, 0), atol=6)
    with av.open(str(tmp_path / "new.mp4")) as written:
        frame = next(written.decode(video=0))
        told = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
        assert [int(one) for one in told] == [1, 1, 1, 1]
    before, after = (
        np.concatenate([frame.to_ndarray()[0] for frame in heard(path)])
        for path in (source, tmp_path / "new.mp4")
    )
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_video_comes_out_upright(tmp_path: Path, model: Path, turned: int) -> None:
    source = write_clip(tmp_path / "clip.mp4", 3, turned=turned)
    run(source, tmp_path / "mask.mp4", model, only_mask=True)
    _, picture = read_frames(tmp_path / "mask.mp4")[0]
    # a player turns the red left half: against the clock, to the bottom first
    red = {90: np.s_[-8, 24], 180: np.s_[24, -8], 270: np.s_[8, 24]}[turned]
    other = {90: np.s_[8, 24], 180: np.s_[24, 8], 270: np.s_[-8, 24]}[turned]
    assert picture.shape[:2] == ((64, 48) if turned != 180 else (48, 64))
    assert picture[red][0] > 200 and picture[other][0] < 40


def test_frames_as_pictures(tmp_path: Path, model: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", 7)
    run(source, tmp_path / "frames" / "f%03d.png", model)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [f"f{number:03d}.png" for number in range(1, 8)]
    assert_cut_out(np.array(Image.open(tmp_path / "frames" / "f007.png")), 6)


@pytest.mark.parametrize("name", ["cut.mov", "cut.webm"])
def test_every_track_of_sound_is_kept(tmp_path: Path, model: Path, name: str) -> None:
    """Copied as it is, or encoded anew, under the language that it has."""
    source = write_clip(tmp_path / "clip.mp4", 12, sound=True, languages=("eng", "fra"))
    run(source, tmp_path / name, model)
    with av.open(str(tmp_path / name)) as written:
        tracks = written.streams.audio
        assert [one.metadata["language"] for one in tracks] == ["eng", "fra"]
        assert [bool(one.disposition & 1) for one in tracks] == [True, False]
    for track in range(2):
        assert pitch(tmp_path / name, track) == pytest.approx(pitch(source, track), rel=0.05)
    assert pitch(tmp_path / name, 1) == pytest.approx(2 * pitch(tmp_path / name, 0), rel=0.05)


def test_a_track_that_nobody_can_read_is_left_out_and_named(tmp_path: Path, model: Path) -> None:
    """As phones write one of spatial sound beside the usual one."""
    source = write_clip(tmp_path / "clip.mp4", 6, sound=True, languages=("eng", "fra"))
    before, _, after = source.read_bytes().rpartition(b"mp4a")  # the last track's kind, told twice
    source.write_bytes(before + b"qzqz" + after.replace(b"\x40\x15", b"\xfe\x15", 1))
    with pytest.warns(match="that track is left out"):
        run(source, tmp_path / "cut.mov", model)
    with av.open(str(tmp_path / "cut.mov")) as written:
        assert [one.metadata["language"] for one in written.streams.audio] == ["eng"]


HLG, WIDE = (9, 9, 18), (9, 9, 14)


@pytest.mark.parametrize(
    ("colours", "name", "finish", "said"),
    [
        (HLG, "f%03d.png", {}, "is HDR, which its pictures do not say"),
        (WIDE, "f%03d.png", {}, "is of a wide gamut, which its pictures do not say"),
        (HLG, "cut.mov", {}, "its colours are kept, with 8 bits each"),
        (WIDE, "cut.mov", {}, None),
        (HLG, "f%03d.png", {"only_mask": True}, None),
        ((1, 1, 1), "f%03d.png", {}, None),
    ],
)
def test_what_becomes_of_other_colours_is_said(
    tmp_path: Path,
    model: Path,
    colours: tuple[int, int, int],
    name: str,
    finish: dict[str, bool],
    said: str | None,
) -> None:
    source = write_clip(tmp_path / "clip.mp4", 2, colours=colours)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PictureWarning)
        run(source, tmp_path / name, model, **finish)
    told = [str(one.message) for one in caught if issubclass(one.category, PictureWarning)]
    assert len(told) == (said is not None) and all(str(said) in one for one in told)
    if name.endswith(".mov"):
        with av.open(str(tmp_path / name)) as written:
            frame = next(written.decode(video=0))
            kept = (frame.colorspace, frame.color_primaries, frame.color_trc)
            assert tuple(int(one) for one in kept) == colours


class Stopped(Exception):
    pass


@pytest.mark.parametrize("name", ["cut.mov", "cut.webm", "frames/%03d.png"])
def test_a_stopped_run_goes_on_to_the_same_frames(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = write_clip(tmp_path / "clip.mp4", 12, sound=True)
    whole, target = tmp_path / "whole" / name, tmp_path / "stopped" / name
    for path in (whole, target):
        path.parent.mkdir(parents=True)
    run(source, whole, model, smoothing=0.5)
    counted: list[int] = []
    alpha = Cutter.alpha

    def stop_at(limit: int) -> None:
        def counting(self: Cutter, *arguments: Any) -> Any:
            if len(counted) == limit:
                raise Stopped
            counted.append(1)
            return alpha(self, *arguments)

        monkeypatch.setattr(Cutter, "alpha", counting)

    stop_at(8)
    with pytest.raises(Stopped):
        run(source, target, model, smoothing=0.5)
    assert not target.exists()
    stop_at(100)
    run(source, target, model, smoothing=0.5)
    assert len(counted) == 8 + 7, "five of the eight were kept"
    if name.endswith(".png"):
        for number in range(1, 13):
            one, other = (path.with_name(path.name % number) for path in (whole, target))
            assert one.read_bytes() == other.read_bytes()
    else:
        for (_, one), (_, other) in zip(read_frames(whole), read_frames(target), strict=True):
            np.testing.assert_array_equal(one, other)
    assert not list(target.parent.glob(".*"))


def test_parts_of_other_settings_are_not_used(tmp_path: Path) -> None:
    first = film_parts.Parts(tmp_path / "a.mov", {"blur": 1})
    smoother = module.Smoother(0.5)
    smoother(np.zeros((40, 40, 3), np.uint8), np.ones((40, 40), np.float32))
    first.finish([3, 4], smoother)
    again = film_parts.Parts(tmp_path / "a.mov", {"blur": 1})
    assert (again.times, again.count) == ([3, 4], 1)
    other = film_parts.Parts(tmp_path / "a.mov", {"blur": 2})
    assert (other.times, other.count) == ([], 0)


def test_odd_sizes_lose_a_row_where_the_format_must(tmp_path: Path, model: Path) -> None:
    source = tmp_path / "odd.webm"
    with av.open(str(source), "w") as out:
        video = out.add_stream("libvpx-vp9", rate=25)
        video.width, video.height, video.pix_fmt = 65, 47, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((47, 65, 3), 90, np.uint8), format="rgb24")
        out.mux(video.encode(frame))
        out.mux(video.encode(None))
    with pytest.warns(match="odd size"):
        run(source, tmp_path / "mask.mp4", model, only_mask=True)
    assert read_frames(tmp_path / "mask.mp4")[0][1].shape[:2] == (46, 64)
    run(source, tmp_path / "mask.webm", model, only_mask=True)
    assert read_frames(tmp_path / "mask.webm")[0][1].shape[:2] == (47, 65)


@pytest.mark.parametrize(
    ("name", "transparent", "said"),
    [
        ("a.mp4", True, "transparency"),
        ("a.gif", False, "no name of a video"),
        ("frames/%d-%d.png", True, "twice"),
        ("frames/%04d.jpg", True, "transparency"),
        ("frames/%04d.xyz", False, "suffix"),
    ],
)
def test_a_wrong_name_is_refused(name: str, transparent: bool, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_video_name(Path(name), transparent=transparent)


def test_a_damaged_video_is_an_error_and_leaves_nothing(tmp_path: Path, model: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all")
    sound_only = tmp_path / "sound.m4v"
    with av.open(str(sound_only), "w", format="mp4") as out:
        audio = out.add_stream("aac", rate=48_000)
        audio.layout = "mono"
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        heard.rate = 48_000
        out.mux(audio.encode(heard))
        out.mux(audio.encode(None))
    before = {path.name for path in tmp_path.iterdir()}
    for path in (tmp_path / "text.mp4", sound_only, tmp_path / "none.mp4"):
        with pytest.raises(EdgematError):
            if not path.exists():
                with open_clip(path):
                    pass
            run(path, tmp_path / "out.mov", model)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_small_video_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ImageError, match="64 x 16 px"),
        open_clip(write_clip(tmp_path / "a.mp4", 1, size=(16, 64))),
    ):
        pass


def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingToolError, match=r"edgemat\[video\]"):
        formats.load_av()


def copy_clip(source: Path, target: Path, *, broken_sound: bool = False) -> Path:
    """Write the same packets into another kind of file."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        streams = {stream: out.add_stream_from_template(stream) for stream in given.streams}
        for number, packet in enumerate(given.demux()):
            if packet.dts is None:
                continue
            stream = streams[packet.stream]
            if broken_sound and packet.stream.type == "audio" and number > 8:
                broken = av.Packet(b"\xff" * packet.size)
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                packet = broken
            packet.stream = stream
            out.mux(packet)
    return target


def test_a_rate_that_cannot_be_is_not_believed(tmp_path: Path, model: Path) -> None:
    clip = copy_clip(write_clip(tmp_path / "whole.mp4", 12), tmp_path / "clip.mkv")
    with av.open(str(clip)) as container:
        assert container.streams.video[0].average_rate > 1000
    shares = run(clip, tmp_path / "out.webm", model)
    assert_all_there(read_frames(tmp_path / "out.webm"), 12, within_s=0.002)
    assert shares[-1] > 0.5, "the bar goes by a rate that can be"


def test_damaged_sound_is_an_error_and_leaves_nothing(tmp_path: Path, model: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", 12, sound=True)
    clip = copy_clip(whole, tmp_path / "clip.mkv", broken_sound=True)
    with pytest.raises(ImageError, match="is damaged"):
        run(clip, tmp_path / "out.webm", model)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip.mkv", "portrait.tflite", "whole.mp4"
    ]  # fmt: skip
