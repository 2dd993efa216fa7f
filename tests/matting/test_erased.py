"""What was erased of a picture already stays erased, whoever draws its matte."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from PIL import Image
from toy_artifacts import write_portrait_model
from toy_mattes import ChannelPredictor

from edgemat.data.folder import FolderSource
from edgemat.data.label import label_folder
from edgemat.errors import PictureWarning
from edgemat.images import F32, U8, read_grey, write_image
from edgemat.matting.cutting import Cutter
from edgemat.matting.finish import Finish
from edgemat.matting.matte import matte
from edgemat.matting.pictures import PictureSink, cut_picture
from edgemat.serve.desk import Desk, Limits

HEIGHT, WIDTH = 64, 96
X = np.mgrid[:HEIGHT, :WIDTH][1]
OPACITY = np.select([X < 30, X < 60], [0, 128], 255).astype(np.uint8)


def photograph() -> U8:
    """A red disc on blue, of which the left is erased, and the middle half."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)[..., None] < 26
    return np.dstack([np.where(inside, [255, 30, 30], [0, 30, 220]), OPACITY]).astype(np.uint8)


def as_drawn(image: U8) -> F32:
    """The matte of somebody who sees colours alone."""
    return (image[..., 0] > 200).astype(np.float32)


def require_erased(alpha: np.ndarray) -> None:
    """`alpha` is at most that of the picture, and is left where the disc is whole."""
    assert alpha.shape == (HEIGHT, WIDTH)
    values = np.round(np.asarray(alpha, np.float64) * (1 if alpha.dtype == np.uint8 else 255))
    assert (values <= OPACITY).all()
    assert values.max() > 200 and values[HEIGHT // 2, 50] == 128


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_image(tmp_path / "image" / "half.png", photograph())
    return tmp_path / "image" / "half.png"


@pytest.fixture
def mask(picture: Path) -> Path:
    path = picture.parents[1] / "mask" / "half.png"
    write_image(path, as_drawn(photograph()))
    return path


@pytest.mark.parametrize("by", ["model", "mask", "trimap"])
def test_of_a_cut_out(picture: Path, mask: Path, by: str) -> None:
    model = write_portrait_model(picture.parent / "portrait.tflite")
    target = picture.parents[1] / "cut.png"
    # a trimap or a mask of 0 and 255 leaves a model little to say
    told = {} if by == "model" else {by: mask}
    taken = model if by == "model" else "closed-form"
    cut_picture(picture, PictureSink(target), Cutter(taken, Finish()), **told)
    require_erased(np.array(Image.open(target))[..., 3])


def test_of_a_served_cut_out(picture: Path) -> None:
    model = write_portrait_model(picture.parent / "portrait.tflite")
    desk = Desk({"toy": Cutter(model, Finish())}, Limits())
    answer = asyncio.run(desk.cut_out(picture.read_bytes(), model="toy", output="cutout"))
    require_erased(np.array(Image.open(io.BytesIO(answer)))[..., 3])


def test_of_what_is_trained_on(picture: Path, mask: Path) -> None:
    mask.parent.rename(mask.parents[1] / "alpha")
    source = FolderSource(picture.parents[1], seed=0, size=(64, 64))
    require_erased(source[0].alpha)


def test_of_a_softened_mask(picture: Path, mask: Path, call: Call) -> None:
    folder = picture.parents[1]
    status, _, said = call("data", "soften", folder, folder / "soft")
    assert status == 0, said
    require_erased(read_grey(folder / "soft" / "alpha" / "half.png"))


def test_of_a_label(picture: Path) -> None:
    folder = picture.parents[1]
    (label,) = label_folder(folder, folder / "labelled", draw=as_drawn)
    assert not label.left_out
    require_erased(read_grey(folder / "labelled" / "alpha" / "half.png"))


# ---- and what leaves nothing, or everything, to be found ---------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "all background"), (255, "no unknown pixels"), (128, "unknown everywhere")],
)
def test_a_trimap_of_one_value_is_said(value: int, said: str) -> None:
    image = photograph()[..., :3]
    with pytest.warns(PictureWarning, match=said):
        matte(image, np.full((HEIGHT, WIDTH), value, np.uint8), model=ChannelPredictor(4))


def test_a_trimap_without_foreground_is_said() -> None:
    trimap = np.where(X > 40, 128, 0).astype(np.uint8)
    with pytest.warns(PictureWarning, match="no foreground"):
        matte(photograph()[..., :3], trimap, model=ChannelPredictor(4))


def test_a_transparent_photograph_is_said(tmp_path: Path) -> None:
    gone = photograph()
    gone[..., 3] = 0
    write_image(tmp_path / "gone.png", gone)
    with pytest.warns(PictureWarning, match=r"gone\.png is wholly transparent"):
        cut_picture(
            tmp_path / "gone.png",
            PictureSink(tmp_path / "cut.png"),
            Cutter(ChannelPredictor(3), Finish()),
        )


def test_an_empty_mask_is_said(picture: Path) -> None:
    empty = picture.parents[1] / "empty.png"
    write_image(empty, np.zeros((HEIGHT, WIDTH), np.uint8))
    cutter = Cutter("closed-form", Finish())
    with pytest.warns(PictureWarning, match=r"empty\.png is empty"):
        cut_picture(picture, PictureSink(picture.parents[1] / "cut.png"), cutter, mask=empty)
