"""Labels by large networks: who is fed how, two combined, the doubtful left out, resumed."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import Call
from toy_onnx import write_teacher

from edgemat.data.folder import folder_split
from edgemat.data.label import LABELS_FILE, combine, label_folder, masks_of, seen_by
from edgemat.data.open import open_data
from edgemat.data.sections import DataSection
from edgemat.data.split import write_held_out
from edgemat.data.teacher import MEMORIES, Feed, Teacher
from edgemat.errors import ArtifactError, ImageError, MissingToolError, UsageError
from edgemat.images import F32, U8, read_grey, write_image

HEIGHT, WIDTH = 96, 128
RED_IS_WHO = (1.0, 0.0, 0.0)


def disc(radius: float, *, soft: float = 6.0) -> F32:
    """Return a soft disc in the middle, HxW in 0..1."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    return np.clip((radius - distance) / soft + 0.5, 0, 1).astype(np.float32)


def photograph(red: F32, green: F32 | None = None) -> U8:
    """Return a picture whose red one teacher sees, and whose green another."""
    green = np.zeros_like(red) if green is None else green
    return (np.dstack([red, green, np.full_like(red, 0.3)]) * 255).round().astype(np.uint8)


def write_photographs(folder: Path, **pictures: U8) -> Path:
    for name, picture in pictures.items():
        write_image(folder / "image" / f"{name}.png", picture)
    return folder


# ---- one teacher ----------------------------------------------------------------------------

CHANNELS = dict(zip(MEMORIES, (16, 20, 40, 64), strict=True))
AS_IT_IS = Feed((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    "more",
    [
        {"memories": CHANNELS},
        {"memories": dict.fromkeys(MEMORIES, "any"), "ratio": True},  # as the authors export it
    ],
)
def test_a_network_of_rvms_inputs_is_fed_as_rvm_is(tmp_path: Path, more: dict[str, Any]) -> None:
    pytest.importorskip("onnxruntime")
    file = write_teacher(tmp_path / "rvm.onnx", weights=RED_IS_WHO, **more)
    alpha = disc(30)
    found = Teacher(file, side=128).predict(photograph(alpha))
    assert found.shape == alpha.shape and found.dtype == np.float32
    assert np.abs(found - alpha).max() < 0.01
    with pytest.raises(UsageError, match="is RVM by its inputs") as error:
        Teacher(file, feed=AS_IT_IS)
    assert error.value.remedy == "Leave --mean and --std out."


@pytest.mark.parametrize("size", [("H", "W"), (1024, 1024)])
def test_any_other_is_fed_as_it_is_told_to_be(tmp_path: Path, size: tuple[Any, Any]) -> None:
    """A square of 1,024 px may be IS-Net, BiRefNet or RMBG: each is fed otherwise."""
    pytest.importorskip("onnxruntime")
    file = write_teacher(tmp_path / "other.onnx", size=size, weights=RED_IS_WHO, name="input")
    alpha = disc(30)
    with pytest.raises(UsageError, match=r"How .* is fed is not known: it takes input \(1, 3, "):
        Teacher(file)
    feed = Feed((0.0, 0.5, 0.5), (2.0, 1.0, 1.0))
    found = Teacher(file, feed=feed).predict(photograph(alpha))
    # an edge is enlarged to 1,024 px and reduced again
    assert np.abs(found - alpha / 2).max() < (0.01 if size == ("H", "W") else 0.03)
    assert np.abs(found - alpha / 2).mean() < 0.002
    assert Teacher(file, feed=feed).identity != Teacher(file, feed=AS_IT_IS).identity


def test_what_is_no_matte_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    logits = write_teacher(tmp_path / "logits.onnx", weights=(8.0, 0.0, 0.0), bias=-4.0)
    with pytest.raises(ArtifactError, match="gives -4 to 4, which is no matte"):
        Teacher(logits, feed=AS_IT_IS).predict(photograph(disc(30)))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ArtifactError, match=r"is not an \.onnx file"):
        Teacher(tmp_path / "text.onnx")
    with pytest.raises(ArtifactError, match=r"is not an \.onnx file"):
        Teacher(tmp_path / "absent.onnx")


def test_a_network_that_does_not_run_is_named(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    half_fixed = write_teacher(tmp_path / "half.onnx", size=(100, "W"), weights=RED_IS_WHO)
    with pytest.raises(ArtifactError, match=r"half\.onnx does not run on src \(1, 3, "):
        Teacher(half_fixed, feed=AS_IT_IS).predict(photograph(disc(30)))


def test_without_onnxruntime_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingToolError, match="is not installed") as error:
        Teacher(tmp_path / "rvm.onnx")
    assert 'pip install "edgemat[label]"' in str(error.value.remedy)


# ---- two teachers ---------------------------------------------------------------------------


def test_one_says_where_and_the_other_draws_the_edge() -> None:
    where, drawn = disc(30, soft=0.5), disc(30, soft=8)
    drawn[:20, :20] = 1  # a thing that stands out, far from who is there
    alpha, agreement = combine(where, drawn)
    assert not alpha[:20, :20].any()
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    band = (distance > 28.5) & (distance < 32)  # 2 px inside, 2.8 px outside in so small a picture
    assert ((drawn[band] > 0) & (drawn[band] < 1)).all()
    assert np.array_equal(alpha[band], drawn[band])
    assert alpha[HEIGHT // 2, WIDTH // 2] == 1
    assert agreement > 0.95


def test_disagreement_is_measured_where_someone_is() -> None:
    where = disc(30, soft=0.5)
    half = where.copy()
    half[:, WIDTH // 2 :] = 0
    assert combine(where, half)[1] == pytest.approx(0.5, abs=0.03)
    assert combine(np.zeros_like(where), np.zeros_like(where))[1] == 1
    assert combine(np.zeros_like(where), where)[1] == 0


# ---- a folder -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = write_photographs(
        tmp_path / "in",
        agreed=photograph(disc(30), disc(30, soft=0.5)),
        disputed=photograph(disc(12), disc(34)),
        empty=photograph(disc(0), disc(0)),
    )
    (source / "image" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    return source


def red(image: U8) -> F32:
    return image[..., 0].astype(np.float32) / 255


def green(image: U8) -> F32:
    return image[..., 1].astype(np.float32) / 255


def counted(draw: Callable[[U8], F32], calls: list[int]) -> Callable[[U8], F32]:
    def run(image: U8) -> F32:
        calls.append(1)
        return draw(image)

    return run


def test_doubtful_empty_and_damaged_ones_are_named_and_left_out(
    folder: Path, tmp_path: Path
) -> None:
    labels = label_folder(folder, tmp_path / "out", draw=red, where=seen_by(green))
    said = {one.name: one.left_out for one in labels}
    assert said.keys() == {"agreed", "damaged", "disputed", "empty"}
    assert said["agreed"] == "" and said["disputed"] == "the teachers disagree"
    assert said["empty"] == "nobody is in it" and "damaged.png" in said["damaged"]
    alphas = [path.name for path in (tmp_path / "out" / "alpha").iterdir()]
    assert alphas == ["agreed.png"]
    text = (tmp_path / "out" / LABELS_FILE).read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["name"]: row["left out"] for row in rows} == said


def test_what_is_made_can_be_trained_on(folder: Path, tmp_path: Path) -> None:
    label_folder(folder, tmp_path / "out", draw=red)
    source = open_data(DataSection(source=str(tmp_path / "out")), seed=1, size=(64, 64))
    assert source.count is not None and source.count >= 1
    alpha = read_grey(tmp_path / "out" / "alpha" / "agreed.png")
    assert np.abs(alpha - disc(30)).max() <= 1 / 255 + 1e-6


def test_a_second_run_draws_nothing_again(folder: Path, tmp_path: Path) -> None:
    calls: list[int] = []
    first = label_folder(folder, tmp_path / "out", draw=counted(red, calls), where=seen_by(green))
    assert len(calls) == 3  # the damaged one cannot be drawn
    again = label_folder(folder, tmp_path / "out", draw=counted(red, calls), where=seen_by(green))
    assert len(calls) == 3
    assert [one.name for one in again] == [one.name for one in first]


def test_another_bound_judges_anew(folder: Path, tmp_path: Path) -> None:
    def left_out(bound: float) -> dict[str, str]:
        labels = label_folder(
            folder, tmp_path / "out", draw=red, where=seen_by(green), least_agreement=bound
        )
        return {one.name: one.left_out for one in labels}

    assert left_out(0.9)["disputed"]
    assert not left_out(0.05)["disputed"]
    assert (tmp_path / "out" / "alpha" / "disputed.png").exists()
    assert left_out(0.9)["disputed"]
    assert not (tmp_path / "out" / "alpha" / "disputed.png").exists()


def test_own_masks_say_where(folder: Path, tmp_path: Path) -> None:
    write_image(folder / "mask" / "agreed.png", disc(30, soft=0.5))
    labels = label_folder(folder, tmp_path / "out", draw=red, where=masks_of(folder))
    said = {one.name: one.left_out for one in labels}
    assert said["agreed"] == "" and "has no mask" in said["disputed"]
    with pytest.raises(UsageError, match="has no masks in mask/"):
        masks_of(tmp_path)


def test_what_is_held_out_stays_held_out(folder: Path, tmp_path: Path) -> None:
    write_held_out(folder, ["disputed", "empty"])
    label_folder(folder, tmp_path / "out", draw=red)
    split = folder_split(tmp_path / "out")
    assert split.train == ("agreed",) and split.held_out == ("disputed",)


class Stopped(Exception):
    """Stands for Ctrl-C."""


def test_what_was_interrupted_is_resumed_and_not_trained_on_before(
    folder: Path, tmp_path: Path
) -> None:
    def stop(done: int, count: int) -> None:
        if done == 1:
            raise Stopped

    write_held_out(folder, ["disputed"])
    with pytest.raises(Stopped):
        label_folder(folder, tmp_path / "out", draw=red, progress=stop)
    with pytest.raises(UsageError, match="names disputed, which is not there"):
        open_data(DataSection(source=str(tmp_path / "out")), seed=1, size=(64, 64))
    calls: list[int] = []
    label_folder(folder, tmp_path / "out", draw=counted(red, calls))
    assert len(calls) == 2  # agreed was there
    assert folder_split(tmp_path / "out").held_out == ("disputed",)


def test_a_kill_leaves_no_label_that_the_list_calls_doubtful(folder: Path, tmp_path: Path) -> None:
    """Judged anew by another bound, and killed: nothing stays that a later run leaves out."""
    out = tmp_path / "out"

    def doubtful(bound: float, progress: Callable[[int, int], None] | None = None) -> None:
        label_folder(
            folder, out, draw=red, where=seen_by(green), least_agreement=bound, progress=progress
        )

    doubtful(0.99)
    before = sorted(path.name for path in (out / "alpha").glob("*"))
    if (child := os.fork()) == 0:
        doubtful(0.01, lambda done, count: os._exit(9) if done == count else None)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert len(list((out / "alpha").glob("*"))) > len(before), "the child has written labels"
    doubtful(0.99)
    assert sorted(path.name for path in (out / "alpha").glob("*")) == before


def test_a_list_that_is_somebody_elses_is_refused(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_image(out / "alpha" / "agreed.png", photograph(disc(20)))
    (out / LABELS_FILE).write_text("file,class\n")
    with pytest.raises(UsageError, match="its first row is file,class"):
        label_folder(folder, out, draw=red)
    assert (out / "alpha" / "agreed.png").exists()


def test_processes_make_the_same_files_and_the_same_list(folder: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        label_folder(folder, tmp_path / str(workers), draw=red, workers=workers)
    one, two = (
        {p.relative_to(top): p.read_bytes() for p in top.rglob("*") if p.is_file()}
        for top in (tmp_path / "1", tmp_path / "2")
    )
    assert one == two and len(one) > 3


def test_what_was_mended_or_lost_is_made_again(folder: Path, tmp_path: Path) -> None:
    def left_out() -> dict[str, str]:
        return {one.name: one.left_out for one in label_folder(folder, tmp_path / "out", draw=red)}

    assert "damaged.png" in left_out()["damaged"]
    write_photographs(folder, damaged=photograph(disc(25)))
    (tmp_path / "out" / "alpha" / "agreed.png").unlink()
    assert not left_out()["damaged"]
    assert (tmp_path / "out" / "alpha" / "agreed.png").exists()


def test_another_teacher_resumes_nothing(folder: Path, tmp_path: Path) -> None:
    label_folder(folder, tmp_path / "out", draw=red, by="one")
    with pytest.raises(UsageError, match="was labelled by others, or otherwise"):
        label_folder(folder, tmp_path / "out", draw=green, by="two")


def test_nothing_of_the_users_is_removed(folder: Path, tmp_path: Path) -> None:
    write_image(folder / "image" / "agreed.edited.png", photograph(disc(20)))
    originals = {path.name: path.read_bytes() for path in (folder / "image").iterdir()}
    for source, output in ((folder / "image", folder), (folder, folder)):
        with pytest.raises(UsageError, match="has the photographs themselves"):
            label_folder(source, output, draw=red)
    own = tmp_path / "own"
    write_image(own / "alpha" / "agreed.png", disc(10))
    with pytest.raises(UsageError, match="has pictures that this command did not make"):
        label_folder(folder, own, draw=red)
    assert {path.name: path.read_bytes() for path in (folder / "image").iterdir()} == originals
    label_folder(folder, tmp_path / "out", draw=red)
    label_folder(folder, tmp_path / "out", draw=red)
    made = {path.name for path in (tmp_path / "out" / "alpha").iterdir()}
    assert {"agreed.png", "agreed.edited.png"} <= made


def test_wrong_folders_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no photographs"):
        label_folder(tmp_path, tmp_path / "out", draw=red)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LABELS_FILE).write_text("name\nagreed\n")
    with pytest.raises(UsageError, match="is not as edgemat wrote it"):
        label_folder(folder, tmp_path / "out", draw=red)


def test_an_error_of_a_picture_is_an_error_of_that_picture_alone(
    folder: Path, tmp_path: Path
) -> None:
    def fussy(name: str, image: U8) -> F32:
        if name == "agreed":
            raise ImageError("No.", remedy="Leave it out.")
        return green(image)

    labels = label_folder(folder, tmp_path / "out", draw=green, where=fussy)
    (left_out,) = (one.left_out for one in labels if one.name == "agreed")
    assert left_out.startswith("No.")


# ---- the command ----------------------------------------------------------------------------


def test_the_command_labels_by_two_networks(folder: Path, tmp_path: Path, call: Call) -> None:
    pytest.importorskip("onnxruntime")
    drawing = write_teacher(tmp_path / "draws.onnx", weights=RED_IS_WHO)
    finder = write_teacher(tmp_path / "finds.onnx", weights=(0.0, 1.0, 0.0), memories=CHANNELS)
    words = ["data", "label", folder, tmp_path / "out", "--teacher", drawing, "--where", finder]
    feed = ["--mean", "0,0,0", "--std", "1,1,1"]
    status, _, said = call(*words)
    assert status == 2 and "is fed is not known" in said
    status, printed, said = call(*words, *feed)
    assert status == 0, said
    assert "1 labels in" in printed and "3 left out:" in printed
    assert "disputed: the teachers disagree" in printed
    for wrong, sentence in (
        (["--mean", "0,0,0"], "--mean and --std go together"),
        (["--mean", "0,0", "--std", "1,1,1"], "--mean '0,0' is not one number for each"),
        (["--mean", "0,0,0", "--std", "1,nan,1"], "--std '1,nan,1' is not one number for each"),
        (["--mean", "0,0,0", "--std", "1,0,1"], "A deviation of 1,0,1 is impossible"),
        ([*feed, "--side", "256"], "was labelled by others, or otherwise"),
        ([*feed, "--where", str(drawing)], "--where: How "),
    ):
        status, _, said = call(*words, *wrong)
        assert status == 2 and sentence in said, said
