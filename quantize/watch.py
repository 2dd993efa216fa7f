"""Watch a frozen model while it runs: which tensor comes from which quantizer."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from edgemat.quantize.frozen import FrozenFakeQuantize


class QuantizerWatch(ABC):
    """Base of what follows tensors through one run of a frozen model.

    Attributes
    ----------
    quantizers:
        All of the model.
    """

    def __init__(self, frozen: nn.Module) -> None:
        self.quantizers = [m for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)]
        self._alive: dict[int, Tensor] = {}
        for quantizer in self.quantizers:
            quantizer.register_forward_hook(self.after_quantizer)

    @abstractmethod
    def after_quantizer(
        self, quantizer: FrozenFakeQuantize, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        """Take note of what a quantizer has rounded."""

    def memory(self, tensor: Tensor) -> int:
        """Return what tells a tensor apart: its memory, which views of it share.

        The tensor is kept alive, lest its memory be used for another one.
        """
        place = tensor.untyped_storage().data_ptr()
        self._alive.setdefault(place, tensor)
        return place
