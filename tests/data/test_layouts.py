"""Published sets are read as they are laid out, and what is missing in one is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from toy_sets import SIDE, pairs, photo, write_set

from edgemat.data.folder import FolderSource, folder_split
from edgemat.data.held_out import for_validation, shares_foregrounds
from edgemat.data.layouts.check import check_set, known_sets
from edgemat.data.layouts.table import MATTE_SETS, DatasetLayout
from edgemat.data.open import open_data
from edgemat.data.published import compose_published
from edgemat.data.sections import DataSection
from edgemat.errors import UsageError
from edgemat.images import read_grey, read_image, write_image


@pytest.fixture(params=MATTE_SETS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[DatasetLayout, Path]:
    return request.param, write_set(tmp_path, request.param)


def test_a_layout_gives_its_own_parts(written: tuple[DatasetLayout, Path]) -> None:
    layout, path = written
    split = folder_split(path, layout)
    for_testing = layout in ("aim-500", "alphamatting", "ppm-100")
    assert split.train == (() if for_testing else ("a", "b"))
    assert split.held_out == (("y", "z") if layout == "p3m-10k" else ("z",))
    source = FolderSource(path, seed=0, size=(32, 32), part="held-out", layout=layout)
    matte = source[source.count - 1]  # type: ignore[operator]
    assert source.name(source.count - 1) == "z"  # type: ignore[operator]
    assert matte.alpha.shape == (SIDE, SIDE) and matte.alpha[0, 0] == 255
    has_layers = layout in ("own", "webdataset", "adobe", "distinctions-646", "simd")
    assert (matte.foreground is not None) is has_layers


def test_no_foreground_is_in_both_parts(written: tuple[DatasetLayout, Path]) -> None:
    layout, path = written
    data = DataSection(source=str(path), layout=layout)
    judging = for_validation(data, trained_on=data)
    assert not shares_foregrounds(judging, trained_on=data)
    assert open_data(judging, seed=0, size=(32, 32)).count in (1, 2)


def test_a_set_for_testing_is_not_trained_on(tmp_path: Path) -> None:
    data = DataSection(source=str(write_set(tmp_path, "aim-500")), layout="aim-500")
    with pytest.raises(UsageError, match="holds all of its own out"):
        open_data(data, seed=0, size=(32, 32))


def test_check_counts_and_measures(written: tuple[DatasetLayout, Path]) -> None:
    layout, path = written
    found = check_set(layout, path)
    assert sum(found.counts.values()) == {"p3m-10k": 4}.get(
        layout, 3 if found.counts["train"] else 1
    )
    assert found.sizes is not None and found.sizes.shortest == found.sizes.longest == SIDE
    assert found.alphas is not None and found.alphas.opaque == pytest.approx(0.5, abs=0.01)
    assert found.alphas.partial == pytest.approx(0.25, abs=0.01)
    # three mattes are no complete set, where its size is known, and that alone is said
    assert len(found.problems) == len(found.expected), found.problems


def test_check_names_what_is_wrong(tmp_path: Path) -> None:
    path = write_set(tmp_path, "distinctions-646")
    (path / "Train/FG/a.png").unlink()
    photo(path / "Train/FG/b.png", side=SIDE + 8)
    (path / "Test/GT/z.png").write_bytes((path / "Train/GT/a.png").read_bytes())
    write_image(path / "Test/GT/y.png", np.zeros((SIDE, SIDE), np.uint8))
    photo(path / "Test/FG/y.png")
    (path / "Test/GT/x.png").write_text("no picture")
    photo(path / "Test/FG/x.png")
    text = "\n".join(check_set("distinctions-646", path).problems)
    for said in (
        "a has no partner",
        f"b: the matte has {SIDE} x {SIDE} px, its colours {SIDE + 8}",
        "a and z are one matte, in both parts",
        "y: no pixel is foreground",
        "x.png is not an image",
    ):
        assert said in text


def test_a_name_in_two_parts_is_refused(tmp_path: Path) -> None:
    path = write_set(tmp_path, "simd")
    pairs(path / "test", "a", "fg", "alpha")
    with pytest.raises(UsageError, match="two parts have a picture a"):
        check_set("simd", path)


def test_a_folder_laid_out_otherwise_is_refused(tmp_path: Path) -> None:
    for layout in MATTE_SETS:
        with pytest.raises(UsageError) as caught:
            check_set(layout, tmp_path)
        assert caught.value.remedy


def test_the_published_rule(tmp_path: Path) -> None:
    """Foreground i meets backgrounds 2 i and 2 i + 1; a small one is enlarged, from its corner."""
    path = write_set(tmp_path / "set", "simd")
    pairs(path / "test", "y", "fg", "alpha")
    for n, side in enumerate((80, 32, 60, 50)):
        photo(tmp_path / "voc" / f"v{n}.jpg", side=side)
    made = compose_published(
        path,
        tmp_path / "out",
        layout="simd",
        backgrounds=tmp_path / "voc",
        names=["v3.jpg", "v2.jpg", "v1.jpg", "v0.jpg"],
        foregrounds=["z.png", "y.png"],
        each=2,
    )
    assert made == 4
    names = sorted(f.stem for f in (tmp_path / "out/image").iterdir())
    assert names == ["y_0", "y_1", "z_0", "z_1"]
    truth = read_grey(tmp_path / "out/alpha/z_1.png")
    behind = read_image(tmp_path / "voc/v2.jpg")[:SIDE, :SIDE].astype(float)
    front = read_image(path / "test/fg/z.png").astype(float)
    expected = truth[..., None] * front + (1 - truth[..., None]) * behind
    assert np.abs(read_image(tmp_path / "out/image/z_1.png") - expected).max() <= 1
    with pytest.raises(UsageError, match="need 40"):
        compose_published(path, tmp_path / "out", layout="simd", backgrounds=tmp_path / "voc")


def test_the_published_rule_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path, voc, out = write_set(tmp_path / "set", "simd"), tmp_path / "voc", tmp_path / "out"
    for n in range(2):
        photo(voc / f"v{n}.jpg", side=SIDE)
    (tmp_path / "drawn").mkdir()
    write_image(tmp_path / "drawn" / "z_0.png", np.zeros((SIDE, SIDE), np.uint8))
    given = {"backgrounds": voc, "each": 2, "trimaps": tmp_path / "drawn"}
    with pytest.raises(UsageError, match="no trimap z_1"):
        compose_published(path, out, layout="simd", **given)  # type: ignore[arg-type]
    photographs = write_set(tmp_path / "aim", "aim-500")
    with pytest.raises(UsageError, match="photographs, whose own backgrounds"):
        compose_published(photographs, out, layout="aim-500", backgrounds=voc, each=1)
    assert not out.exists()
    write_image(tmp_path / "drawn" / "z_1.png", np.zeros((SIDE, SIDE), np.uint8))
    assert compose_published(path, out, layout="simd", **given) == 2  # type: ignore[arg-type]
    assert sorted(f.name for f in (out / "trimap").iterdir()) == ["z_0.png", "z_1.png"]


def test_the_command_line(tmp_path: Path, call: Call) -> None:
    path = write_set(tmp_path, "simd")
    status, shown, _ = call("data", "check", "simd", str(path), "--json")
    assert status == 0 and json.loads(shown)["counts"] == {"train": 2, "held-out": 1}
    _, shown, _ = call("data", "layouts")
    assert all(name in shown for name in known_sets())
    (path / "test/fg/z.png").unlink()
    status, shown, _ = call("data", "check", "simd", str(path))
    assert status == 1 and "z has no partner" in shown
    status, _, error = call("data", "check", "adobbe", str(path))
    assert status == 2 and "adobe" in error
