"""WebDataset shards: .tar files of a few hundred megabytes, for sets of millions of files.

A sample is all files of one key, the name up to its first dot; what follows says what they are.
Samples are read where they lie, in any order: training sees what it would see in folders.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from edgemat.data.layouts.files import MatteFiles
from edgemat.data.listing import SUFFIXES
from edgemat.data.sample import Use
from edgemat.data.split import listed_held_out
from edgemat.errors import UsageError
from edgemat.images import PackedFile

SHARDS = """
    *.tar         uncompressed, with for each key
                  KEY.alpha.png       alpha matte
                  KEY.foreground.png  its colours, or
                  KEY.image.jpg       the photograph
                  KEY.trimap.png      optional
                  or KEY.rgba.png     a cut-out
                  and KEY.background.jpg, for whatever foreground
    held-out.txt  optional: keys that are not trained on"""

ALPHA, FOREGROUND, IMAGE, TRIMAP, CUTOUT, BACKGROUND = KINDS = (
    *("alpha", "foreground", "image", "trimap", "rgba", "background"),
)

BLOCKSIZE = 512
"""Of .tar files, in bytes: headers and contents begin at multiples of it."""

Kinds = Mapping[str, Mapping[str, PackedFile]]


def find_shards(path: Path, use: Use = "auto") -> MatteFiles:
    """Return the mattes in a folder's .tar files; `edgemat data layouts` shows the layout.

    Raises
    ------
    UsageError
        When there are none, a shard is damaged, two samples have the same key, or there are no
        colours of the kind that `use` asks for.
    """
    kinds = _read_index(path)
    backgrounds = tuple(kinds[BACKGROUND].values())
    # a set for testing alone holds all of its own out
    listed = listed_held_out(path, kinds[ALPHA] or kinds[CUTOUT])
    held_out = None if listed is None else frozenset(listed)
    if kinds[CUTOUT] and not kinds[ALPHA]:
        trimaps = kinds[TRIMAP]
        return MatteFiles(
            kinds[CUTOUT], trimaps=trimaps, backgrounds=backgrounds, held_out=held_out
        )
    if not kinds[ALPHA]:
        raise UsageError(
            f"The shards in {path} have no KEY.alpha.png and no KEY.rgba.png.",
            remedy="Write them by: edgemat data shard FOLDER OUTPUT",
        )
    colours, has_layers = _colours(kinds, path, use)
    return MatteFiles(kinds[ALPHA], colours, has_layers, kinds[TRIMAP], backgrounds, held_out)


def _colours(kinds: Kinds, path: Path, use: Use) -> tuple[Mapping[str, PackedFile], bool]:
    for kind, has_layers in ((FOREGROUND, True), (IMAGE, False)):
        if use in ("auto", kind) and kinds[kind]:
            return kinds[kind], has_layers
    wanted = f"KEY.{FOREGROUND}.png or KEY.{IMAGE}.jpg" if use == "auto" else f"KEY.{use}.png"
    raise UsageError(
        f"The shards in {path} have no {wanted}.",
        remedy="Every alpha needs its foreground's colours, or its photograph.",
    )


def _read_index(path: Path) -> dict[str, dict[str, PackedFile]]:
    """Return what lies where: kind, key, place."""
    kinds: dict[str, dict[str, PackedFile]] = {kind: {} for kind in KINDS}
    shards = sorted(path.glob("*.tar")) if path.is_dir() else []
    if not shards:
        raise UsageError(
            f"{path} has no .tar files.", remedy="Name the folder that the shards are in."
        )
    for shard in shards:
        for file in _members(shard):
            key, _, rest = PurePosixPath(file.name).name.partition(".")
            kind, _, suffix = rest.lower().partition(".")
            if kind not in KINDS or f".{suffix}" not in SUFFIXES:
                continue  # labels, captions and what else people keep in shards
            other = kinds[kind].setdefault(key, file)
            if other is not file:
                raise UsageError(
                    f"{other} and {file} have the same key.",
                    remedy="Give every sample a key of its own.",
                )
    return kinds


def _members(shard: Path) -> Iterator[PackedFile]:
    """Yield the files of a shard; tarfile stops without a word where a header is damaged."""
    end = 0
    try:
        with tarfile.open(shard, mode="r:") as archive:
            for member in archive:
                end = member.offset_data + -(-member.size // BLOCKSIZE) * BLOCKSIZE
                if member.isfile():
                    yield PackedFile(shard, member.name, member.offset_data, member.size)
        with shard.open("rb") as file:
            file.seek(end)
            if file.read(BLOCKSIZE) != bytes(BLOCKSIZE):  # which ends every archive
                raise tarfile.ReadError("damaged or cut off")
    except (tarfile.TarError, OSError, ValueError) as error:
        raise UsageError(
            f"{shard} is no .tar that can be read, or it is compressed, damaged or cut off.",
            remedy="Write it again, uncompressed: what lies in it is compressed already.",
        ) from error
