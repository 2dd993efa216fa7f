"""What tensors are called in other people's checkpoints: by a function, or by a table of patterns.

A layout says for every tensor of a network which of the checkpoint's it is. What stands before the
names there (``module.``, ``backbone.``, ``state_dict.``) is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

TensorConversion = Callable[[Tensor], Tensor]
"""What makes a network's tensor of the checkpoint's."""

COUNTER = "num_batches_tracked"  # of batch normalisation: nothing is computed with it


class CheckpointTensor(NamedTuple):
    """A tensor of a checkpoint, and what has to be done to it; None for nothing."""

    name: str
    convert: TensorConversion | None = None


Rename = Callable[[list[str]], str | CheckpointTensor]  # from the parts of a name, between its dots


@dataclass(frozen=True)
class CheckpointLayout:
    """The names of one network's tensors in one kind of checkpoint.

    Attributes
    ----------
    title:
        Whose kind it is.
    tensors:
        By the name of edgemat's tensor, in the network's order.
    """

    title: str
    tensors: Mapping[str, CheckpointTensor]

    @classmethod
    def of(cls, title: str, rename: Rename, own: Iterable[str]) -> CheckpointLayout:
        """Return the layout of the tensors `own`, but for those that are no weights."""
        kept = (name for name in own if not name.endswith(COUNTER))
        return cls(title, {name: _tensor(rename(name.split("."))) for name in kept})

    @property
    def names(self) -> list[str]:
        """The names in the checkpoint, each once."""
        return list(dict.fromkeys(tensor.name for tensor in self.tensors.values()))


def _tensor(found: str | CheckpointTensor) -> CheckpointTensor:
    return CheckpointTensor(found) if isinstance(found, str) else found


# ---- tables ------------------------------------------------------------------------------------


class Renaming(NamedTuple):
    """A module there, the same one here, and conversions by the names of its tensors ("weight").

    ``{x}`` stands for a number, the same one on both sides; on their side also ``{x+1}`` and
    ``{6-x}``. Every tensor of the module keeps its last name.
    """

    theirs: str
    ours: str
    conversions: Mapping[str, TensorConversion] = {}


def renamed_by(rows: Iterable[Renaming]) -> Callable[[list[str]], CheckpointTensor]:
    """Return the function that finds a tensor's name there, by the first row that has it.

    >>> from edgemat.models.pretrained.renaming import Renaming, renamed_by
    >>> rename = renamed_by([Renaming("index{s}.indexnet{c+1}.{i}", "index.{s}.columns.{c}.{i}")])
    >>> rename("index.4.columns.0.3.weight".split(".")).name
    'index4.indexnet1.3.weight'
    """
    table = [(re.compile(_pattern(row.ours)), row) for row in rows]

    def rename(name: list[str]) -> CheckpointTensor:
        *path, leaf = name
        module = ".".join(path)
        for pattern, row in table:
            found = pattern.fullmatch(module)
            if found is not None:
                numbers = {key: int(value) for key, value in found.groupdict().items()}
                return CheckpointTensor(
                    f"{_filled(row.theirs, numbers)}.{leaf}", row.conversions.get(leaf)
                )
        raise LookupError(f"no row for {module}")

    return rename


def _pattern(ours: str) -> str:
    return re.sub(r"\\{(\w)\\}", r"(?P<\1>\\d+)", re.escape(ours))


def _filled(theirs: str, numbers: Mapping[str, int]) -> str:
    def number(found: re.Match[str]) -> str:
        minuend, name, addend = found.groups()
        value = numbers[name]
        return str(int(minuend) - value if minuend else value + int(addend or 0))

    return re.sub(r"\{(?:(\d+)-)?([a-z])([+-]\d+)?\}", number, theirs)


# ---- conversions -------------------------------------------------------------------------------


def first_half(tensor: Tensor) -> Tensor:
    """Return the first half of the rows: keys, of keys and values."""
    return tensor[: len(tensor) // 2]


def second_half(tensor: Tensor) -> Tensor:
    """Return the rows after :func:`first_half`."""
    return tensor[len(tensor) // 2 :]
