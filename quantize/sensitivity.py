"""Which block of a network does int8 hurt, and which must stay in float for a given quality."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from edgemat.artifacts.artifact import MattingErrors
from edgemat.artifacts.vocabulary import ErrorName
from edgemat.errors import UsageError
from edgemat.quantize.blocks import BlockTensors, find_blocks, keep, quantize_only
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.spec import QuantSpec

Score = Callable[[nn.Module], MattingErrors]
ADDED: tuple[ErrorName, ...] = ("sad", "grad")
"""The errors whose rise is told of each block."""


@dataclass(frozen=True)
class BlockError:
    """The cost of one block that alone is int8.

    Attributes
    ----------
    tensors:
        Weights and activations of the block that are on grids.
    errors:
        Errors in the unknown region with this block alone in int8.
    added:
        Its errors over the float model's, as a share: 0.01 is 1 % more.
    """

    block: str
    tensors: int
    errors: MattingErrors
    added: dict[ErrorName, float]

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return {
            "block": self.block,
            "tensors": self.tensors,
            "scores": self.errors.model_dump(),
            "added": self.added,
        }


def rank_blocks(
    quantized: Quantized, example: Tensor, score: Score, *, by: ErrorName = "sad"
) -> tuple[MattingErrors, list[BlockError]]:
    """Quantize one block at a time; return the float model's errors and the blocks, worst first.

    Parameters
    ----------
    quantized:
        The whole network's grids and corrected weights; with no grid at all it is the float model.
    example:
        An input, 1,C,H,W.
    score:
        Errors of a model in the unknown region.
    """
    deploy, spec = quantized.deploy, quantized.spec
    blocks = find_blocks(deploy, spec, example)
    base = score(freeze(deploy, spec.model_copy(update={"tensors": ()})))
    found = []
    for name, block in blocks.items():
        alone = score(freeze(deploy, quantize_only(spec, block)))
        added = {error: alone.of(error) / base.of(error) - 1 for error in ADDED}
        found.append(BlockError(name, len(block.inside | block.border), alone, added))
    return base, sorted(found, key=lambda row: row.errors.of(by), reverse=True)


@dataclass(frozen=True)
class Kept:
    """Which blocks stay in float, and what that gives."""

    names: tuple[str, ...]
    spec: QuantSpec
    errors: MattingErrors


def keep_under(
    quantized: Quantized,
    blocks: Mapping[str, BlockTensors],
    ranking: Collection[BlockError],
    score: Score,
    accept: Callable[[MattingErrors], bool],
) -> Kept:
    """Keep the worst blocks in float, one after another, until `accept` takes the errors.

    Raises
    ------
    UsageError
        When even the float model is not accepted.
    """
    names: list[str] = []
    order = [row.block for row in ranking]
    while True:
        spec = keep(quantized.spec, blocks, in_float=names)
        errors = score(freeze(quantized.deploy, spec))
        if accept(errors):
            return Kept(tuple(names), spec, errors)
        if not order:
            raise UsageError(
                "Even with every block in float the bound is not met.",
                remedy="Give a wider bound.",
            )
        names.append(order.pop(0))
