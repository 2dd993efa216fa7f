"""Blocks of an adopted network: the modules of its author's code, as the paths of its weights say.

A path with many convolutions is taken apart into what lies below it. What a program computes behind
a block's convolutions, sums and activations, belongs to that block until the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from edgemat.models.adopted.network import Lowered
from edgemat.models.adopted.replacements import TransposedConv2d
from edgemat.models.blocks.affine import ScaleShift
from edgemat.quantize.frozen import FrozenFakeQuantize
from edgemat.quantize.watch import QuantizerWatch

MOST = 8
"""Convolutions of a block; with more it is taken apart, where it has parts."""
WRAPPER = "module."
"""The path of a network's own modules within what feeds and reads it."""
Path = tuple[str, ...]


def lowered_body(model: nn.Module) -> nn.Module | None:
    """Return the body of an adopted network in its deploy form; None for another model."""
    found = [module for module in model.modules() if isinstance(module, Lowered)]
    return found[0].body if found else None


def name_blocks(body: nn.Module) -> dict[str, str]:
    """Return the block of every layer of a lowered program, by the layer's path.

    >>> from torch import nn
    >>> from edgemat.quantize.program_blocks import name_blocks
    >>> stage = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1))
    >>> name_blocks(nn.ModuleDict({"first": stage, "last": nn.Conv2d(8, 1, 1)}))
    {'first.0': 'first', 'first.1': 'first', 'last': 'last'}
    """
    kinds = nn.Conv2d | nn.Linear | TransposedConv2d
    layers = [
        name
        for name, module in body.named_modules()
        if isinstance(module, kinds) and not isinstance(module, ScaleShift)
    ]
    outer = {name for name in layers if isinstance(body.get_submodule(name), TransposedConv2d)}
    layers = [n for n in layers if not any(n.startswith(f"{whole}.") for whole in outer)]
    paths = {tuple(name.removeprefix(WRAPPER).split(".")): name for name in layers}
    return {
        paths[path]: ".".join(block)
        for block, members in _parts((), list(paths), least=2)
        for path in members
    }


def _parts(above: Path, paths: Sequence[Path], *, least: int) -> list[tuple[Path, list[Path]]]:
    """Take paths apart into blocks of at most :data:`MOST`, and into at least so many."""
    if (len(paths) <= MOST and least < 2) or len(paths) == 1:
        return [(above or paths[0], list(paths))]
    below: dict[Path, list[Path]] = {}
    for path in paths:
        below.setdefault(path[: len(above) + 1], []).append(path)
    least = least if len(below) == 1 else 1
    return [
        part for block, members in below.items() for part in _parts(block, members, least=least)
    ]


class ProgramCalls(QuantizerWatch, TorchFunctionMode):
    """Notes, while a frozen adopted network runs, in which block every quantizer works.

    Attributes
    ----------
    seen:
        Quantizer to its block. What comes before all blocks belongs to the first.
    given:
        Quantizers whose tensors another block takes, or which are the network's result.
    """

    def __init__(self, frozen: nn.Module) -> None:
        TorchFunctionMode.__init__(self)
        QuantizerWatch.__init__(self, frozen)
        self.seen: dict[FrozenFakeQuantize, str] = {}
        self.given: set[FrozenFakeQuantize] = set()
        self._origin: dict[int, FrozenFakeQuantize] = {}
        body = lowered_body(frozen)
        assert body is not None
        blocks = name_blocks(body)
        self._block = next(iter(blocks.values()))
        for name, block in blocks.items():
            body.get_submodule(name).register_forward_pre_hook(self._entering(block))

    def run(self, frozen: nn.Module, example: Tensor) -> None:
        """Watch one run."""
        with torch.no_grad(), self:
            result = frozen(example)
        self._take([result], last=True)

    def _entering(self, block: str) -> Callable[..., None]:
        def enter(_module: nn.Module, _inputs: Any) -> None:
            self._block = block

        return enter

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self._take(tree_leaves((args, kwargs)))
        return func(*args, **(kwargs or {}))

    def after_quantizer(
        self, quantizer: FrozenFakeQuantize, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        self.seen.setdefault(quantizer, self._block)
        self._origin[self.memory(output)] = quantizer

    def _take(self, values: Iterable[Any], *, last: bool = False) -> None:
        """Note which of these tensors come from another block."""
        for value in values:
            if isinstance(value, Tensor) and value.ndim:
                quantizer = self._origin.get(value.untyped_storage().data_ptr())
                if quantizer is not None and (last or self.seen[quantizer] != self._block):
                    self.given.add(quantizer)
