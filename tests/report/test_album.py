"""The sheet of photographs that a report shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import tflite_artifact

from edgemat.errors import UsageError
from edgemat.images import read_image, write_image
from edgemat.report.photo import ALBUM, ALBUM_COLUMNS, ALBUM_GAP, ALBUM_WIDTH, make_album


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
    rows = (3, 2)  # of equal photographs, each a pair; five photographs in two rows
    heights = [round(ALBUM_WIDTH / (count * 2 * 90 / 60)) for count in rows]
    assert sheet.shape == (sum(heights) + 2 * ALBUM_GAP, ALBUM_WIDTH, 3)
    middle, width = heights[0] // 2, ALBUM_WIDTH / rows[0] / 2
    photo, paper, kept = (sheet[middle, round(x * width)] for x in (0.25, 1.25, 1.75))
    assert photo[2] > 200 and paper[1] > paper[2] and kept[0] > 200
    assert (sheet[heights[0] + ALBUM_GAP // 2] > 235).all(), "paper between the rows"


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures"):
        make_album(tmp_path, tflite_artifact(tmp_path / "shelf"), tmp_path)
