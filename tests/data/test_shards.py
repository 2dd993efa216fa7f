"""WebDataset shards: training sees what it sees in folders."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from calling import Call

from edgemat.data.folder import FolderSource, folder_split
from edgemat.data.layouts.check import check_set
from edgemat.data.sample import DatasetPart, Use
from edgemat.data.shard import write_shards
from edgemat.errors import UsageError
from edgemat.images import PackedFile, image_size, write_image

NAMES = tuple(f"p{number}" for number in range(12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set with everything: both kinds of colours, trimaps, backgrounds, a split of its own."""
    path, rng = tmp_path / "set", np.random.default_rng(1)
    for kind in ("alpha", "foreground", "image", "trimap", "background"):
        (path / kind).mkdir(parents=True)
    for name in NAMES:
        alpha = np.zeros((40, 50), np.uint8)
        alpha[10:30, 10:40] = rng.integers(1, 256, (20, 30))
        write_image(path / "alpha" / f"{name}.png", alpha)
        write_image(path / "trimap" / f"{name}.png", np.full((40, 50), 128, np.uint8))
        for kind in ("foreground", "image"):
            colours = rng.integers(0, 256, (40, 50, 3), np.uint8)
            write_image(path / kind / f"{name}.png", colours)
    write_image(path / "background" / "wall.png", rng.integers(0, 256, (40, 50, 3), np.uint8))
    (path / "held-out.txt").write_text("p3\np7\n")
    return path


def opened(path: Path, use: Use, part: DatasetPart, layout: str) -> FolderSource:
    return FolderSource(path, seed=1, size=(32, 32), use=use, part=part, layout=layout)  # type: ignore[arg-type]


@pytest.mark.parametrize("use", ["image", "foreground"])
@pytest.mark.parametrize("part", ["train", "held-out"])
def test_a_shard_gives_what_the_folder_gives(
    folder: Path, tmp_path: Path, use: Use, part: DatasetPart
) -> None:
    write_shards(folder, tmp_path / "shards")
    was, now = (
        opened(folder, use, part, "own"),
        opened(tmp_path / "shards", use, part, "webdataset"),
    )
    assert was.count == now.count == {"train": 10, "held-out": 2}[part]
    for index in range(was.count or 0):
        assert was.name(index) == now.name(index)
        a, b = was[index], now[index]
        assert np.array_equal(a.alpha, b.alpha)
        assert np.array_equal(a.colours, b.colours)
        assert a.trimap is not None
        assert b.trimap is not None
        assert np.array_equal(a.trimap, b.trimap)
        assert (a.foreground is None) == (b.foreground is None) == (use == "image")
        assert np.array_equal(was.background(index), now.background(index))


def test_cutouts_and_what_is_held_out_by_name(folder: Path, tmp_path: Path) -> None:
    cutouts = tmp_path / "cutouts"
    cutouts.mkdir()
    for name in NAMES:
        rgba = np.dstack([np.full((40, 50, 3), 9, np.uint8), np.arange(2000).reshape(40, 50) % 256])
        write_image(cutouts / f"{name}.png", rgba.astype(np.uint8))
    write_shards(cutouts, tmp_path / "shards")
    before, after = folder_split(cutouts), folder_split(tmp_path / "shards", "webdataset")
    assert before.sha256 == after.sha256
    was = opened(cutouts, "auto", "train", "own")
    now = opened(tmp_path / "shards", "auto", "train", "webdataset")
    assert np.array_equal(was[0].alpha, now[0].alpha)


def test_shards_are_closed_in_time_and_are_the_same_again(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    for name in NAMES[:3]:  # noise of 1.5 MB
        for kind, shape in (("alpha", (500, 500)), ("trimap", (500, 500))):
            write_image(folder / kind / f"{name}.png", np.full(shape, 128, np.uint8))
        for kind in ("foreground", "image"):
            noise = rng.integers(0, 256, (500, 500, 3), np.uint8)
            write_image(folder / kind / f"{name}.png", noise)
    first = write_shards(folder, tmp_path / "a", megabytes=1)
    second = write_shards(folder, tmp_path / "b", megabytes=1)
    assert len(first) == 4
    assert [x.read_bytes() for x in first] == [x.read_bytes() for x in second]
    keys = []
    for path in first:
        with tarfile.open(path) as shard:
            keys.append({name.partition(".")[0] for name in shard.getnames()})
    assert sum(len(one) for one in keys) == len(set.union(*keys)) == 13, "a sample is divided"
    assert opened(tmp_path / "a", "image", "train", "webdataset").count == 10


def test_the_command_and_the_check(folder: Path, tmp_path: Path, call: Call) -> None:
    status, told, _ = call("data", "shard", folder, tmp_path / "shards")
    assert (status, "1 shards" in told) == (0, True)
    assert check_set("webdataset", tmp_path / "shards").counts == {"train": 10, "held-out": 2}
    status, _, error = call("data", "shard", folder, tmp_path / "shards")
    assert (status, "is there already" in error) == (2, True)
    status, _, error = call("data", "shard", folder, tmp_path / "x", "--layout", "adobee")
    assert (status, "adobe" in error) == (2, True)


def write_tar(path: Path, *names: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name in names:
            shard.addfile(tarfile.TarInfo(name))


def test_what_is_no_shard_is_refused(folder: Path, tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(UsageError) as error:
            opened(path, "auto", "train", "webdataset")
        return error.value.message

    assert "no .tar files" in refused(folder)
    write_tar(tmp_path / "twice" / "a.tar", "x.alpha.png")
    write_tar(tmp_path / "twice" / "b.tar", "x.alpha.png")
    assert "same key" in refused(tmp_path / "twice")
    write_tar(tmp_path / "bare" / "a.tar", "x.jpg")
    assert "no KEY.alpha.png" in refused(tmp_path / "bare")
    write_tar(tmp_path / "grey" / "a.tar", "x.alpha.png")
    assert "no KEY.foreground.png" in refused(tmp_path / "grey")
    (shard,) = write_shards(folder, tmp_path / "cut")
    whole = shard.read_bytes()
    with tarfile.open(shard) as archive:
        second = archive.getmembers()[1]
    damaged = bytearray(whole)
    damaged[second.offset] ^= 1
    for content in (whole[:3000], whole[: second.offset], whole[: second.offset + 9], damaged):
        shard.write_bytes(content)
        assert "cut off" in refused(tmp_path / "cut")
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "a.tar", "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("x.alpha.png"))
    assert "compressed" in refused(tmp_path / "packed")


def test_a_set_for_testing_alone_is_one_in_shards(folder: Path, tmp_path: Path) -> None:
    (folder / "alpha").rename(folder / "matte")
    write_shards(folder, tmp_path / "shards", layout="ppm-100")
    assert opened(tmp_path / "shards", "image", "held-out", "webdataset").count == len(NAMES)
    with pytest.raises(UsageError, match="holds all of its own out"):
        opened(tmp_path / "shards", "image", "train", "webdataset")


def test_a_photograph_without_a_matte_is_not_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "image" / "p1.png").unlink()
    with pytest.raises(UsageError, match="no partner"):
        write_shards(folder, tmp_path / "shards")


def test_a_matte_may_be_called_as_a_background_is(folder: Path, tmp_path: Path) -> None:
    for kind in ("alpha", "foreground", "image", "trimap"):
        (folder / kind / "p1.png").rename(folder / kind / "background-000000.png")
    write_shards(folder, tmp_path / "shards")
    found = opened(tmp_path / "shards", "foreground", "all", "webdataset")
    assert found.count == len(NAMES)
    wall = opened(folder, "foreground", "all", "own").background(0)
    assert np.array_equal(found.background(0), wall)


def test_a_header_is_read_without_the_rest(folder: Path, tmp_path: Path) -> None:
    """Sizes of a hundred gigabytes are looked at before training: not by reading them."""
    (folder / "image" / "p1.png").unlink()
    noise = np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8)
    write_image(folder / "image" / "p1.jpg", noise)
    (shard,) = write_shards(folder, tmp_path / "shards")
    with tarfile.open(shard) as archive:
        member = archive.getmember("p1.image.jpg")
    packed = PackedFile(shard, member.name, member.offset_data, member.size)
    content = bytearray(shard.read_bytes())
    half = member.size // 2
    content[member.offset_data + half : member.offset_data + member.size] = bytes(
        member.size - half
    )
    shard.write_bytes(content)
    assert image_size(packed) == (40, 50)
    with packed.open() as file:
        file.seek(-1, 2)
        assert (file.tell(), file.read(9)) == (member.size - 1, bytes(1))


def test_a_name_with_a_dot_is_no_key(folder: Path, tmp_path: Path) -> None:
    for kind in ("alpha", "foreground", "image"):
        (folder / kind / "p1.png").rename(folder / kind / "p.1.png")
    (folder / "trimap" / "p1.png").unlink()
    with pytest.raises(UsageError, match="has a dot"):
        write_shards(folder, tmp_path / "shards")
    assert not (tmp_path / "shards").exists()
