"""Composition-1k: the published rule by which test foregrounds meet their backgrounds.

For foreground i of the test's list, backgrounds 20 i to 20 i + 19 of the other list, in order. A
background that is smaller than the foreground is enlarged to cover it, by cubic interpolation; its
top left corner is taken. Composite k of NAME is NAME_k, and so is its trimap.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from edgemat.data.composite import composite
from edgemat.data.folder import FolderSource
from edgemat.data.layouts.table import DatasetLayout, find_mattes
from edgemat.data.listing import pictures
from edgemat.errors import UsageError
from edgemat.files import atomic_path
from edgemat.images import U8, read_background, resize, to_float, to_uint8, write_image

PER_FOREGROUND = 20


def compose_published(
    path: Path,
    output: Path,
    *,
    layout: DatasetLayout,
    backgrounds: Path,
    names: Sequence[str] | None = None,
    foregrounds: Sequence[str] | None = None,
    each: int = PER_FOREGROUND,
    trimaps: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the test composites of a set to OUTPUT/image, with OUTPUT/alpha and OUTPUT/trimap.

    Parameters
    ----------
    path, layout:
        The set, of which the held-out part is taken.
    backgrounds:
        Folder of pictures, Pascal VOC's for Composition-1k.
    names, foregrounds:
        Orders of the backgrounds and of the foregrounds; by name without.
    each:
        Backgrounds for each foreground.
    trimaps:
        Folder with NAME_k trimaps; none are written without.

    Returns
    -------
    The number of composites.

    Raises
    ------
    UsageError
        When there are too few backgrounds, one that is listed or a trimap is not there, or the set
        is of photographs.
    """
    if path.is_dir() and not find_mattes(path, layout=layout).has_layers:
        raise UsageError(
            f"{path} has photographs, whose own backgrounds would show through.",
            remedy="Give a set of foregrounds, such as adobe.",
        )
    source = FolderSource(path, seed=0, size=(64, 64), part="held-out", layout=layout)
    assert source.count is not None
    places = {source.name(i): i for i in range(source.count)}
    order = [_stem(name) for name in foregrounds] if foregrounds is not None else sorted(places)
    behind = pictures(backgrounds)
    chosen = [_stem(name) for name in names] if names is not None else sorted(behind)
    absent = [name for name in order if name not in places]
    absent += [name for name in chosen[: len(order) * each] if name not in behind]
    if absent:
        raise UsageError(
            f"{absent[0]} is listed, and is not there.", remedy="Name the set's own lists."
        )
    if len(chosen) < len(order) * each:
        raise UsageError(
            f"{backgrounds} has {len(chosen)} pictures; {len(order)} foregrounds over {each} each "
            f"need {len(order) * each}.",
            remedy="Give more, or fewer for each foreground.",
        )
    drawn = _trimaps(trimaps, [f"{stem}_{k}" for stem in order for k in range(each)])
    for number, stem in enumerate(order):
        matte = source[places[stem]]
        alpha = to_float(matte.alpha)
        for k in range(each):
            picture = read_background(behind[chosen[number * each + k]])
            covering = to_float(_cover_from_corner(picture, matte.alpha.shape))
            image = composite(to_float(matte.colours), covering, alpha=alpha)
            name = f"{stem}_{k}"
            write_image(output / "image" / f"{name}.png", to_uint8(image))
            write_image(output / "alpha" / f"{name}.png", matte.alpha)
            if name in drawn:
                _copy(drawn[name], output / "trimap" / f"{name}{drawn[name].suffix}")
            if progress is not None:
                progress(number * each + k + 1)
    return len(order) * each


def _cover_from_corner(picture: U8, size: tuple[int, ...]) -> U8:
    height, width = size
    ratio = max(height / picture.shape[0], width / picture.shape[1])
    if ratio > 1:
        enlarged = (math.ceil(picture.shape[0] * ratio), math.ceil(picture.shape[1] * ratio))
        picture = resize(picture, enlarged, method="bicubic")
    return picture[:height, :width]


def _trimaps(folder: Path | None, names: Sequence[str]) -> dict[str, Path]:
    """Return the trimap of each composite; none without a folder."""
    if folder is None:
        return {}
    found = pictures(folder)
    absent = [name for name in names if name not in found]
    if absent:
        raise UsageError(
            f"{folder} has no trimap {absent[0]}.", remedy="Name the set's folder of trimaps."
        )
    return {name: found[name] for name in names}


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _stem(name: str) -> str:
    return Path(name.strip()).stem
