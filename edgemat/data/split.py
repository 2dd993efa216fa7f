"""Which mattes are trained on, and which are kept back to judge by: no foreground is in both.

A matte of a folder is held out by its own name: a matte that is added moves no other from one part
to the other. A folder that comes with a split of its own says so in held-out.txt, a name a line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgemat.data.sample import DatasetPart
from edgemat.errors import UsageError
from edgemat.files import explain_os_errors, write_text

HELD_OUT_FILE = "held-out.txt"
HOLD_OUT = 10  # one in so many
LEAST_TO_SPLIT = 5  # of fewer, none can be spared


@dataclass(frozen=True)
class Split:
    """The names of a set, by part; `held_out` is empty where there are too few to split."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 over all names and the part that each is in."""
        lines = [f"train {name}\n" for name in self.train]
        lines += [f"held-out {name}\n" for name in self.held_out]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def names(self, part: DatasetPart) -> tuple[str, ...]:
        """Return the names of a part, sorted; of a set that is not split, all for any part."""
        if part == "all" or not self.held_out:
            return tuple(sorted(self.train + self.held_out))
        return self.held_out if part == "held-out" else self.train


def split_names(names: Collection[str], folder: Path) -> Split:
    """Split the mattes of a folder: as its held-out.txt says, else a tenth of them by their names.

    >>> from pathlib import Path
    >>> from edgemat.data.split import split_names
    >>> names = ["anna", "ben", "carla", "dora", "emil", "fritz"]
    >>> split = split_names(names, Path("portraits"))
    >>> len(split.train), len(split.held_out)
    (5, 1)

    Raises
    ------
    UsageError
        When held-out.txt names what is not there, or leaves nothing to train on.
    """
    held_out = listed_held_out(folder, names)
    if held_out is None:
        held_out = _by_name(names)
    elif not set(names) - held_out:
        raise UsageError(
            f"{folder / HELD_OUT_FILE} leaves none to train.",
            remedy="Leave some of the names out of it.",
        )
    return Split(tuple(sorted(set(names) - held_out)), tuple(sorted(held_out)))


def listed_held_out(folder: Path, names: Collection[str]) -> set[str] | None:
    """Return the names that a folder's held-out.txt has; None where there is none.

    Raises
    ------
    UsageError
        When it cannot be read, or names what is not among `names`.
    """
    listed = _listed(folder)
    absent = sorted((listed or set()) - set(names))
    if absent:
        raise UsageError(
            f"{folder / HELD_OUT_FILE} names {absent[0]}, which is not there.",
            remedy="A line of it is the name of a matte of this folder, without the suffix.",
        )
    return listed


def write_held_out(folder: Path, names: Iterable[str]) -> None:
    """Write a folder's own split: the names that are never to be trained on."""
    with explain_os_errors(folder / HELD_OUT_FILE):
        write_text(folder / HELD_OUT_FILE, "".join(f"{name}\n" for name in sorted(names)))


def carry_held_out(source: Path, output: Path, names: Collection[str]) -> None:
    """Let what is made of a folder with a held-out.txt hold out the same.

    Called before the first is made with all names, and at the end with those that were: what is
    half done names what is not there, and cannot be trained on. Without any that is held out, the
    file leaves, and a tenth is held out by name.

    Parameters
    ----------
    names:
        Of `source`'s, those that `output` has or is to have.
    """
    listed = _listed(source)
    if listed is None:
        return
    others = (_listed(output) or set()) - set(names) - listed
    if kept := (listed & set(names)) | others:
        write_held_out(output, kept)
    else:
        (output / HELD_OUT_FILE).unlink(missing_ok=True)


def _listed(folder: Path) -> set[str] | None:
    file = folder / HELD_OUT_FILE
    if not file.is_file():
        return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}.", remedy="It is a text file, a name a line."
        ) from error
    return {line.strip() for line in lines if line.strip()}


def _by_name(names: Collection[str]) -> set[str]:
    if len(names) < LEAST_TO_SPLIT:
        return set()
    first = min(names, key=_number)
    return {name for name in names if _number(name) % HOLD_OUT == 0} or {first}


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
