"""`edgemat data shard`: a set of mattes as WebDataset shards."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from edgemat.callbacks import Progress
from edgemat.data.folder import files_split
from edgemat.data.layouts import shards
from edgemat.data.layouts.files import MatteFiles, StoredFile, require_partners
from edgemat.data.layouts.table import OF_BOTH_KINDS, DatasetLayout, find_mattes
from edgemat.data.split import write_held_out
from edgemat.errors import UsageError
from edgemat.files import atomic_path, explain_os_errors

TarMember = tuple[str, StoredFile]


def write_shards(
    path: Path,
    output: Path,
    *,
    layout: DatasetLayout = "own",
    megabytes: int = 256,
    progress: Progress | None = None,
) -> list[Path]:
    """Write a set of mattes as WebDataset shards, its files byte by byte as they are.

    The same set gives the same shards. What it holds out is held out in the shards.

    Parameters
    ----------
    output:
        A folder that does not exist yet, or is empty.
    megabytes:
        A shard is closed when it has so many; a sample is never divided.
    progress:
        Called with the samples that are written, and their number.

    Returns
    -------
    list of Path
        The shards.

    Raises
    ------
    UsageError
        A set that is not laid out so, a name with a dot, an `output` that holds something.
    DiskError
        It cannot be written.
    """
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UsageError(f"{output} is there already.", remedy="Name a new folder.")
    found = list(_both_kinds(path, layout))
    samples = _samples(found)
    split = files_split(found[0], path)
    with explain_os_errors(output), atomic_path(output, directory=True) as folder:
        folder.mkdir(exist_ok=True)
        names = _write(samples, folder, megabytes, progress)
        if split.held_out:
            write_held_out(folder, split.held_out)
    return [output / name for name in names]


def _both_kinds(path: Path, layout: DatasetLayout) -> Iterator[MatteFiles]:
    """Yield a set's files, once with each kind of colours that it has."""
    first = find_mattes(path, layout=layout)
    yield first
    find = OF_BOTH_KINDS.get(layout)
    if find is None or not (first.colours and first.has_layers):
        return
    try:
        photographs = find(path, "image")
    except UsageError:
        return  # it has foregrounds alone
    require_partners(photographs, path)
    yield photographs


def _samples(found: list[MatteFiles]) -> dict[str, list[TarMember]]:
    """Return the files of each key, with the kind that each is of."""
    first = found[0]
    alpha = shards.ALPHA if first.colours else shards.CUTOUT
    samples: dict[str, list[TarMember]] = {
        key: [(alpha, file)] for key, file in sorted(first.alphas.items())
    }
    for files in found:
        kind = shards.FOREGROUND if files.has_layers else shards.IMAGE
        for key, file in files.colours.items():
            samples[key].append((kind, file))
    for key, file in first.trimaps.items():
        samples[key].append((shards.TRIMAP, file))
    for number, file in enumerate(first.backgrounds):
        samples.setdefault(f"background-{number:06d}", []).append((shards.BACKGROUND, file))
    dotted = next((key for key in samples if "." in key), None)
    if dotted is not None:
        raise UsageError(
            f"{dotted} has a dot in its name, which in a shard ends the key.",
            remedy="Rename the files of it.",
        )
    return samples


def _write(
    samples: dict[str, list[TarMember]], folder: Path, megabytes: int, progress: Progress | None
) -> list[str]:
    names: list[str] = []
    waiting = iter(enumerate(samples.items(), start=1))
    done = 0
    while done < len(samples):
        names.append(f"{len(names):06d}.tar")
        left = megabytes * 1_000_000
        with tarfile.open(folder / names[-1], "w", format=tarfile.GNU_FORMAT) as shard:
            for done, (key, members) in waiting:
                for kind, file in members:
                    left -= _add(shard, f"{key}.{kind}{_suffix(file)}", file)
                if progress is not None:
                    progress(done, len(samples))
                if left <= 0:
                    break
    return names


def _add(shard: tarfile.TarFile, name: str, file: StoredFile) -> int:
    """Add a file, and return its bytes."""
    content = file.read_bytes() if isinstance(file, Path) else file.read()
    member = tarfile.TarInfo(name)  # no owner and no time: the same bytes again
    member.size = len(content)
    shard.addfile(member, io.BytesIO(content))
    return len(content)


def _suffix(file: StoredFile) -> str:
    return Path(file.name).suffix.lower()
