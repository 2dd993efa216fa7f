"""From a coarse matte to a trimap, and from that to a matte at full resolution."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from page_visitor import person
from toy_videos import write_clip

from edgemat.artifacts.artifact import Feeding
from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact
from edgemat.errors import ImageError, PictureWarning
from edgemat.images import F32, read_grey, to_uint8, write_image
from edgemat.matting import cutting
from edgemat.matting.cutting import Cutter, Frame
from edgemat.matting.finish import Finish
from edgemat.matting.matte import matte
from edgemat.matting.refine import fit_coarse, refine, trimap_of_coarse
from edgemat.matting.unknown import trimap_of_matte
from edgemat.workflow.api.matte_files import matte_files

SIDE = 250  # of which the reach is two pixels


def disc(radius: float, soft: float) -> F32:
    """A disc whose edge falls from 1 to 0 over `soft` pixels inwards and outwards."""
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - SIDE / 2, x - SIDE / 2)
    return ((radius + soft - distance) / (2 * soft)).clip(0, 1).astype(np.float32)


class Halves:
    """A trimap network that says one half, and keeps what it was given."""

    feeding = Feeding(layout="NHWC", height=64, width=64, channels=4, stride=1, trimap_channel=3)

    def __init__(self) -> None:
        self.tiles = 0

    def predict(self, x: F32) -> F32:
        self.tiles += 1
        return np.full((1, 64, 64, 1), 0.5, np.float32)


def test_only_the_band_is_looked_at_again() -> None:
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    coarse = disc(80, 2)
    alpha = refine(image, coarse, model=network)
    trimap = trimap_of_matte(coarse)
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    assert np.allclose(alpha[trimap == 128], 0.5, atol=1e-6)
    assert 0 < network.tiles < 36


def test_nobody_in_the_picture_needs_no_network() -> None:
    network = Halves()
    nothing = np.zeros((20, 20), np.float32)
    assert not refine(np.zeros((SIDE, SIDE, 3), np.uint8), nothing, model=network).any()
    assert network.tiles == 0


def test_a_coarse_matte_of_another_resolution() -> None:
    assert fit_coarse(disc(80, 2)[::5, ::5], (SIDE, SIDE)).shape == (SIDE, SIDE)


@pytest.mark.parametrize(
    "coarse",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 1), np.float32),
        np.full((4, 4), 255, np.float32),
        np.full((4, 4), np.nan, np.float32),
    ],
)
def test_what_is_no_matte_is_refused(coarse: F32) -> None:
    with pytest.raises(ImageError, match="coarse matte"):
        fit_coarse(coarse, (SIDE, SIDE))


class Coarse:
    """A portrait network that says a soft disc."""

    feeding = Feeding(layout="NHWC", height=SIDE, width=SIDE, channels=3, stride=1)

    def predict(self, x: F32) -> F32:
        return disc(80, 4)[None, ..., None]


def test_what_is_cut_out_is_looked_at_again() -> None:
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    once = Cutter(Coarse(), Finish()).alpha(Frame(image))
    twice = Cutter(Coarse(), Finish(), refiner=network).alpha(Frame(image))
    assert network.tiles > 0
    band = trimap_of_matte(once) == 128
    assert np.allclose(twice[band], 0.5, atol=1e-6)
    assert np.array_equal(twice[~band], (once > 0.5)[~band])


def test_a_video_s_frames_are_refined_on_request_alone() -> None:
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    cutter = Cutter(Coarse(), Finish(), refiner=network, refines_all=False)
    once = cutter.alpha(Frame(image, of_video=True))
    assert network.tiles == 0
    assert not np.array_equal(cutter.alpha(Frame(image)), once) and network.tiles > 0
    asked = Cutter(Coarse(), Finish(), refiner=network).alpha(Frame(image, of_video=True))
    assert np.array_equal(asked, cutter.alpha(Frame(image)))


def test_a_very_large_photograph_is_looked_at_once_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "MOST_REFINED", SIDE * SIDE - 1)
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    cutter = Cutter(Coarse(), Finish(), refiner=network, refines_all=False)
    with pytest.warns(PictureWarning, match="is looked at once; --refine looks again"):
        cutter.alpha(Frame(image))
    assert network.tiles == 0 and cutter.refiner_of(video=False, pixels=SIDE * SIDE) is None
    Cutter(Coarse(), Finish(), refiner=network).alpha(Frame(image))
    assert network.tiles > 0


@pytest.mark.parametrize(
    ("words", "refined"),
    [
        ([], True),
        (["--no-refine"], False),
        (["--model", "portrait"], False),
        (["--model", "portrait", "--refine"], True),
    ],
)
def test_a_photograph_is_looked_at_twice_unless_told_otherwise(
    words: list[str], refined: bool, tmp_path: Path, call: Call
) -> None:
    photo = np.asarray(person())
    write_image(tmp_path / "photo.png", photo)
    target = tmp_path / "matte.png"
    status, _, error = call("matte", tmp_path / "photo.png", "-o", target, "--only-mask", *words)
    assert status == 0, error
    coarse = matte(photo, model="portrait" if "--model" in words else None)
    expected = refine(photo, coarse) if refined else coarse
    found = read_grey(target)
    assert np.abs(found - expected).max() <= 0.5 / 255 + 1e-6
    assert not np.allclose(refine(photo, coarse), coarse, atol=0.1), "the second look matters"


def test_both_networks_are_named(tmp_path: Path, call: Call) -> None:
    person(96, 96).save(tmp_path / "photo.png")
    words = ("matte", tmp_path / "photo.png", "-o", tmp_path / "cut.png", "--json")
    names = [find_artifact(name, target=SHIPPED_TARGET).name for name in ("portrait", "trimap")]
    for more, refined_by in (((), names[1]), (("--no-refine",), None)):
        status, said, error = call(*words, *more)
        assert status == 0, error
        told = json.loads(said)
        assert Path(told["model"]).name == names[0]
        assert (told["refined_by"] and Path(told["refined_by"]).name) == refined_by


@pytest.mark.parametrize(("asked", "frames"), [(None, 0), (False, 0), (True, 3)])
def test_a_clip_is_refined_on_request_alone(
    asked: bool | None, frames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    write_clip(tmp_path / "clip.mp4", count=3)
    looks: list[F32] = []
    monkeypatch.setattr(
        "edgemat.matting.cutting.refine",
        lambda image, coarse, **_: looks.append(coarse) or coarse,
    )
    (outcome,) = matte_files(tmp_path / "clip.mp4", tmp_path / "clip.mov", refine=asked)
    assert outcome.error is None and len(looks) == frames


def test_a_mask_is_there_to_be_refined(tmp_path: Path, call: Call) -> None:
    photo = tmp_path / "photo.png"
    person(96, 96).save(photo)
    words = ("matte", photo, "-o", tmp_path / "cut.png", "--mask", photo, "--no-refine")
    status, _, error = call(*words)
    assert status == 2 and "to be refined" in error
    assert not (tmp_path / "cut.png").exists()


def test_with_a_trimap_there_is_nothing_to_refine(tmp_path: Path, call: Call) -> None:
    write_image(tmp_path / "photo.png", np.zeros((SIDE, SIDE, 3), np.uint8))
    words = ("matte", tmp_path / "photo.png", "-o", tmp_path / "cut.png")
    status, _, error = call(*words, "--refine", "--trimap", tmp_path / "photo.png")
    assert status == 2
    assert "nothing to refine" in error


def test_a_mask_from_elsewhere_takes_the_place_of_a_portrait_model(
    tmp_path: Path, call: Call
) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("a", "b"):
        write_image(tmp_path / "photos" / f"{name}.jpg", photo)
        write_image(tmp_path / "masks" / f"{name}.png", to_uint8(disc(80, 2)[::2, ::2]))
    words = ("matte", tmp_path / "photos", "--mask", tmp_path / "masks", "--only-mask")
    status, _, error = call(*words, "-o", tmp_path / "alphas", "--trimap-out", tmp_path / "trimaps")
    assert status == 0, error
    alpha = read_grey(tmp_path / "alphas" / "b.png")
    trimap = trimap_of_coarse(read_grey(tmp_path / "masks" / "b.png"), alpha.shape)
    assert np.array_equal(alpha[trimap != 128], (trimap == 255)[trimap != 128])
    assert alpha[trimap == 128].std() > 0.02, "nothing was refined"
    assert np.array_equal(alpha, read_grey(tmp_path / "alphas" / "a.png"))


def test_who_refined_a_mask_is_said(tmp_path: Path, call: Call) -> None:
    write_image(tmp_path / "photo.png", np.zeros((SIDE, SIDE, 3), np.uint8))
    write_image(tmp_path / "full.png", np.full((40, 40), 255, np.uint8))
    write_image(tmp_path / "disc.png", to_uint8(disc(80, 2)))
    named = []
    for mask in ("full", "disc"):
        words = ("matte", tmp_path / "photo.png", "--mask", tmp_path / f"{mask}.png", "--json")
        status, told, _ = call(*words, "-o", tmp_path / f"{mask}-cut.png")
        assert status == 0
        named.append(json.loads(told)["model"])
    assert named[0] is None
    assert "trimap-tflite-int8" in named[1]


def test_a_mask_that_was_turned_is_refused(tmp_path: Path, call: Call) -> None:
    write_image(tmp_path / "photo.png", np.zeros((80, 60, 3), np.uint8))
    write_image(tmp_path / "mask.png", np.full((60, 80), 255, np.uint8))
    words = ("matte", tmp_path / "photo.png", "--mask", tmp_path / "mask.png")
    status, _, error = call(*words, "-o", tmp_path / "cut.png")
    assert (status, "another shape" in error) == (2, True)
    assert not (tmp_path / "cut.png").exists()


def test_a_mask_is_no_trimap_and_none_of_a_video(tmp_path: Path, call: Call) -> None:
    write_image(tmp_path / "photo.png", np.zeros((SIDE, SIDE, 3), np.uint8))
    mask = ("--mask", tmp_path / "photo.png")
    both = call("matte", tmp_path / "photo.png", "-o", "c.png", *mask, "--trimap", "photo.png")
    (tmp_path / "clip.mp4").touch()
    clip = call("matte", tmp_path / "clip.mp4", "-o", tmp_path / "c.mov", *mask)
    assert (both[0], clip[0]) == (2, 2)
    assert "nothing to refine" in both[2]
    assert "masks are for pictures" in clip[2]
