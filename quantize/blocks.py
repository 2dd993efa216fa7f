"""Blocks of a network: what is quantized, or kept in float, together.

A block is the outermost module that a network calls: an encoder stage, a decoder stage, the
segmentation branch. What the network does between its blocks belongs to the block "between". Those
of an adopted network are named by the modules of its author's code
(:mod:`edgemat.quantize.program_blocks`).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from edgemat.errors import UsageError, nearest
from edgemat.models.deploy import DeployForm
from edgemat.quantize.frozen import FrozenFakeQuantize, freeze
from edgemat.quantize.program_blocks import ProgramCalls, lowered_body, name_blocks
from edgemat.quantize.spec import QuantSpec
from edgemat.quantize.watch import QuantizerWatch

BETWEEN = "between"
NETWORK = "network"


@dataclass(frozen=True)
class BlockTensors:
    """The tensors, by number in the specification, that are quantized inside of one block.

    Attributes
    ----------
    inside:
        Weights and activations that no other block sees.
    border:
        What the block gives to others: on a grid even where the block itself computes in float, so
        that the others stay int8.
    """

    inside: frozenset[int]
    border: frozenset[int]


def find_blocks(deploy: DeployForm, spec: QuantSpec, example: Tensor) -> dict[str, BlockTensors]:
    """Return the blocks by name, in the order in which the network calls them.

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.models.deploy import to_deploy
    >>> from edgemat.quantize.blocks import find_blocks
    >>> from edgemat.quantize.spec import Place, QuantSpec, TensorQuant
    >>> place = Place(when="pre", operator="network/predict/conv2d/0", port=0)
    >>> feature = TensorQuant(
    ...     kind="activation", places=(place,), scale=(0.1,), zero_point=(0,), low=0, high=255
    ... )
    >>> deploy = to_deploy(create_matting("pspm-slim", width=0.25))
    >>> find_blocks(deploy, QuantSpec(tensors=(feature,)), torch.rand(1, 3, 64, 64))
    {'predict': BlockTensors(inside=frozenset({0}), border=frozenset())}
    """
    inside: dict[str, set[int]] = {}
    border: dict[str, set[int]] = {}
    numbers = {quant: number for number, quant in enumerate(spec.tensors)}
    for quantizer, block, given in _places(freeze(deploy, spec), example):
        activation = quantizer.quant.kind == "activation"
        kind = border if given and activation else inside
        kind.setdefault(block, set()).add(numbers[quantizer.quant])
        inside.setdefault(block, set())
    return {
        name: BlockTensors(frozenset(found), frozenset(border.get(name, ())))
        for name, found in inside.items()
        if found
    }


def _places(frozen: nn.Module, example: Tensor) -> list[tuple[FrozenFakeQuantize, str, bool]]:
    """Return the block of every quantizer, and whether what it rounds is given to others."""
    if lowered_body(frozen) is not None:
        program = ProgramCalls(frozen)
        program.run(frozen, example)
        return [(found, block, found in program.given) for found, block in program.seen.items()]
    watch = _BlockCalls(frozen)
    with torch.no_grad():
        frozen(example)
    return [
        (quantizer, block, block == BETWEEN or memory in watch.given[block])
        for quantizer, (block, memory) in watch.seen.items()
    ]


def check_blocks(
    deploy: DeployForm,
    example: Tensor,
    *,
    in_float: Collection[str] = (),
    w8a16: Collection[str] = (),
) -> None:
    """Check the names of blocks that are to be kept, before anything is quantized.

    Parameters
    ----------
    example:
        An input of the network, 1,C,H,W; run once to see what the network calls.

    Raises
    ------
    UsageError
        As :func:`keep`.
    """
    body = lowered_body(deploy)
    if body is None:
        calls = _OutermostCalls(copy.deepcopy(deploy))
        with torch.no_grad():
            calls.model(example)
        names = [*calls.names, BETWEEN]
    else:
        names = [*name_blocks(body).values()]
    _require_known([*dict.fromkeys(names)], in_float, w8a16)


def _require_known(
    blocks: Collection[str], in_float: Collection[str], w8a16: Collection[str]
) -> None:
    for name in (*in_float, *w8a16):
        if name not in blocks:
            raise UsageError(f"There is no block {name!r}.", remedy=nearest(name, blocks))
    if both := sorted(set(in_float) & set(w8a16)):
        raise UsageError(
            f"The block {both[0]!r} is to be kept in float and at w8a16.", remedy="Choose one."
        )


def keep(
    spec: QuantSpec,
    blocks: Mapping[str, BlockTensors],
    *,
    in_float: Collection[str] = (),
    w8a16: Collection[str] = (),
) -> QuantSpec:
    """Return `spec` with less quantized inside of some blocks.

    >>> from edgemat.quantize.blocks import BlockTensors, keep
    >>> from edgemat.quantize.spec import QuantSpec, TensorQuant
    >>> weight, feature = (
    ...     TensorQuant(kind=kind, places=(), scale=(1,), zero_point=(0,), low=0, high=255)
    ...     for kind in ("weight", "activation")
    ... )
    >>> spec = QuantSpec(tensors=(weight, feature))
    >>> blocks = {"segment": BlockTensors(inside=frozenset({0, 1}), border=frozenset())}
    >>> [quant.kind for quant in keep(spec, blocks, w8a16=["segment"]).tensors]
    ['weight']

    Parameters
    ----------
    in_float:
        Blocks without any grid inside.
    w8a16:
        Blocks whose weights alone are int8: smaller, not faster. What they compute is floating
        point (float32 in XNNPACK and in our quantized Core ML programs; a phone's GPU takes
        float16), for XNNPACK has no kernels for int16 activations.

    Raises
    ------
    UsageError
        For a name that is no block (the nearest are offered), or that is given twice.
    """
    _require_known(blocks, in_float, w8a16)
    weights = {n for n, quant in enumerate(spec.tensors) if quant.kind == "weight"}
    dropped = {n for name in in_float for n in blocks[name].inside}
    dropped |= {n for name in w8a16 for n in blocks[name].inside} - weights
    return _with(spec, set(range(len(spec.tensors))) - dropped)


def quantize_only(spec: QuantSpec, block: BlockTensors) -> QuantSpec:
    """Return `spec` with the grids of one block alone."""
    return _with(spec, block.inside | block.border)


def _with(spec: QuantSpec, numbers: Collection[int]) -> QuantSpec:
    tensors = tuple(quant for n, quant in enumerate(spec.tensors) if n in numbers)
    return spec.model_copy(update={"tensors": tensors})


class _OutermostCalls:
    """Notes, while a model runs, which of its network's modules are called, outermost first.

    Attributes
    ----------
    names:
        Of the blocks that have been called.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.names: list[str] = []
        self.stack: list[str] = []
        for name, module in model.named_modules():
            if name.startswith(f"{NETWORK}.") and not isinstance(module, FrozenFakeQuantize):
                short = name.removeprefix(f"{NETWORK}.")
                module.register_forward_pre_hook(self._before(short))
                module.register_forward_hook(self._after(short))

    def leave(self, name: str, output: Any) -> None:
        """Take note of what a module has returned."""

    def _before(self, name: str) -> Any:
        def enter(_module: nn.Module, _inputs: Any) -> None:
            if not self.stack:
                self.names.append(name)
            self.stack.append(name)

        return enter

    def _after(self, name: str) -> Any:
        def leave(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self.stack.pop()
            self.leave(name, output)

        return leave


class _BlockCalls(_OutermostCalls, QuantizerWatch):
    """Notes, while a frozen model runs, in which block every quantizer works.

    Attributes
    ----------
    seen:
        Quantizer to its block and to the memory of what it gave.
    given:
        Memory of what each block returned.
    """

    def __init__(self, frozen: nn.Module) -> None:
        QuantizerWatch.__init__(self, frozen)
        _OutermostCalls.__init__(self, frozen)
        self.seen: dict[FrozenFakeQuantize, tuple[str, int]] = {}
        self.given: dict[str, set[int]] = {}

    def leave(self, name: str, output: Any) -> None:
        tensors = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        self.given.setdefault(name, set()).update(map(self.memory, tensors))

    def after_quantizer(
        self, quantizer: FrozenFakeQuantize, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        block = self.stack[0] if self.stack else BETWEEN
        self.seen.setdefault(quantizer, (block, self.memory(output)))
