"""The sheet of photographs that a report shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import tflite_artifact

from edgemat.errors import UsageError
from edgemat.images import read_image, write_image
from edgemat.photo import ALBUM, ALBUM_COLUMNS, ALBUM_HEIGHT, make_album


def test_an_album_shows_every_photograph_beside_its_cutout(tmp_path: Path) -> None:
    photographs = tmp_path / "in"
    photographs.mkdir()
    for number in range(ALBUM_COLUMNS + 1):
        red = np.full((60, 90, 3), (255, 0, 0), np.uint8)
        red[:, :45] = (0, 0, 255)  # the stand-in's alpha is red: the left half goes
        write_image(photographs / f"{number}.png", red)
    out = tmp_path / "out"
    out.mkdir()
    make_album(photographs, tflite_artifact(tmp_path / "shelf"), out)
    sheet = read_image(out / ALBUM)
    width = round(90 * ALBUM_HEIGHT / 60)
    assert sheet.shape == (2 * (ALBUM_HEIGHT + 4), 2 * width * ALBUM_COLUMNS, 3)
    middle = ALBUM_HEIGHT // 2
    photo, paper, kept = (sheet[middle, x] for x in (width // 4, width * 5 // 4, width * 7 // 4))
    assert photo[2] > 200 and paper[1] > paper[2] and kept[0] > 200
    assert (sheet[-middle, -5:] < 20).all(), "the last row is not full"


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures"):
        make_album(tmp_path, tflite_artifact(tmp_path / "shelf"), tmp_path)
