"""All layouts by name: what recipes call `layout`, and `edgemat data check` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from edgemat.data.layouts import mattes
from edgemat.data.layouts.files import MatteFiles, require_partners
from edgemat.data.layouts.own import find_own
from edgemat.data.layouts.shards import SHARDS, find_shards
from edgemat.data.sample import Use
from edgemat.errors import UsageError, nearest

DatasetLayout = Literal[
    "own",
    "adobe",
    "distinctions-646",
    "simd",
    "aim-500",
    "alphamatting",
    "portrait-2k",
    "p3m-10k",
    "ppm-100",
    "webdataset",
]


@dataclass(frozen=True)
class MatteSet:
    """A set of mattes.

    Attributes
    ----------
    tree:
        Its folders, for people.
    find:
        Finds its files.
    sizes:
        How many mattes each part has when it is complete.
    """

    title: str
    tree: str
    find: Callable[[Path], MatteFiles]
    sizes: Mapping[str, int] = field(default_factory=dict)


OWN_TREE = """
    alpha/        alpha mattes
    foreground/   (or fg/) their colours, or
    image/        photographs
    trimap/       optional
    background/   optional
    held-out.txt  optional: names that are not trained on
    categories.csv  optional, in any layout: lines of NAME,CATEGORY, for edgemat evaluate
    or RGBA cut-outs in the folder itself"""

MATTE_SETS: Mapping[str, MatteSet] = MappingProxyType(
    {
        "own": MatteSet("any folder of mattes", OWN_TREE, find_own),
        "adobe": MatteSet(
            "Adobe Image Matting, Composition-1k",
            mattes.ADOBE,
            mattes.adobe,
            {"train": 431, "held-out": 50},
        ),
        "distinctions-646": MatteSet(
            "Distinctions-646",
            mattes.DISTINCTIONS,
            mattes.distinctions,
            {"train": 596, "held-out": 50},
        ),
        "simd": MatteSet("SIMD", mattes.SIMD, mattes.simd),
        "aim-500": MatteSet("AIM-500", mattes.AIM500, mattes.aim500, {"held-out": 500}),
        "alphamatting": MatteSet(
            "alphamatting.com, with truth",
            mattes.ALPHAMATTING,
            mattes.alphamatting,
            {"held-out": 27},
        ),
        "portrait-2k": MatteSet(
            "Portrait-2k", mattes.PORTRAIT2K, mattes.portrait2k, {"train": 1700, "held-out": 300}
        ),
        "p3m-10k": MatteSet(
            "P3M-10k", mattes.P3M10K, mattes.p3m10k, {"train": 9421, "held-out": 1000}
        ),
        "ppm-100": MatteSet("PPM-100", mattes.PPM100, mattes.ppm100, {"held-out": 100}),
        "webdataset": MatteSet("any set in WebDataset shards", SHARDS, find_shards),
    }
)

# Layouts that may hold foregrounds and photographs of the same mattes.
OF_BOTH_KINDS: Mapping[DatasetLayout, Callable[[Path, Use], MatteFiles]] = MappingProxyType(
    {"own": find_own, "webdataset": find_shards}
)


def known_layout(name: str, *, called: str = "layout") -> DatasetLayout:
    """Return a name that is a layout's.

    Raises
    ------
    UsageError
        For another; the nearest is offered. It is `called` so in the message.
    """
    if name not in MATTE_SETS:
        raise UsageError(f"There is no {called} {name!r}.", remedy=nearest(name, MATTE_SETS))
    return cast(DatasetLayout, name)


def find_mattes(path: Path, *, layout: DatasetLayout = "own", use: Use = "auto") -> MatteFiles:
    """Return the files of a set of mattes in a folder, each with its partners.

    Parameters
    ----------
    use:
        Which colours of a folder that has both; published sets have one kind.

    Raises
    ------
    UsageError
        When the folder is not laid out so, or a picture has no partner.
    """
    find = OF_BOTH_KINDS.get(layout)
    files = MATTE_SETS[layout].find(path) if find is None else find(path, use)
    require_partners(files, path)
    return files
