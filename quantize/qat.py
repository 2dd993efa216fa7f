"""Quantization-aware training: NNCF's quantizers, trained together with the weights.

    quantized (PTQ) -> thaw -> train with the matting losses and a float teacher -> freeze again

What is trained is what is shipped: batch normalisation is folded before, the fill is in, tensors
that a runtime keeps on one grid share one quantizer, and grids that are fixed beforehand (pixels,
masks, sigmoids) stay as they are.
"""

from __future__ import annotations

import copy

import torch
from nncf.common.quantization.structs import QuantizationScheme
from nncf.torch.function_hook import wrap_model
from nncf.torch.quantization.layers import (
    AsymmetricQuantizer,
    BaseQuantizer,
    PTQuantizerSpec,
    SymmetricQuantizer,
)
from torch import Tensor, nn

from edgemat.models.blocks.affine import PointAffine
from edgemat.models.blocks.pooling import Below, Ones
from edgemat.models.deploy import DeployForm
from edgemat.models.network import MattingOutput
from edgemat.quantize.align import snap_biases, tied_grids
from edgemat.quantize.fixed_grids import FixedGrids
from edgemat.quantize.frozen import attach
from edgemat.quantize.ptq import Quantized, load_without_hooks, read_grid
from edgemat.quantize.spec import TensorQuant
from edgemat.training.schedule import ParameterGroup


class TrainingForm(DeployForm):
    """A deploy form that also returns the trimap's scores, for the losses.

    Its operators have the names of :class:`DeployForm`'s, so that quantizers find their places.
    """

    def forward(self, x: Tensor) -> MattingOutput:  # type: ignore[override]
        output: MattingOutput = self.network(x)
        return output._replace(alpha=torch.clamp(output.alpha, 0.0, 1.0))

    def train(self, mode: bool = True) -> TrainingForm:
        """Stay in eval mode: dropout would be noise on top of the noise of rounding."""
        super().train(False)
        return self


class QuantizationAware:
    """A quantized model in training.

    Parameters
    ----------
    quantized:
        Where to start from: what :func:`edgemat.quantize.ptq.quantize_ptq` returned.
    example:
        An input, 1,C,H,W float32 in 0..1; run once to see which tensors share a grid.

    Attributes
    ----------
    model:
        B,C,H,W in 0..1 in, :class:`MattingOutput` out, the alpha in 0..1; with gradients. Run it
        within :func:`edgemat.quantize.kernels.fused_kernels`.
    quantizers:
        One for each tensor of the specification; tied tensors have the same one.
    """

    def __init__(self, quantized: Quantized, example: Tensor) -> None:
        self._start, self._example = quantized, example
        spec, deploy = quantized.spec, quantized.deploy
        self._fixed = FixedGrids(deploy)
        self.quantizers = [self._quantizer(quant) for quant in spec.tensors]
        for group in tied_grids(deploy, spec, example):
            first = min(group)
            # a fixed one leads: the others then stay with it
            leader = next((n for n in sorted(group) if self._is_fixed(spec.tensors[n])), first)
            for number in group:
                self.quantizers[number] = self.quantizers[leader]
        self.model = self._build()

    def _build(self) -> TrainingForm:
        form = TrainingForm(copy.deepcopy(self._start.deploy.network)).eval().requires_grad_(True)
        for module in form.modules():
            if isinstance(module, Ones | PointAffine):
                module.requires_grad_(False)
            elif isinstance(module, Below):
                # a decision has no gradient; the sharp ramp that stands for it would explode
                module.register_forward_hook(lambda _module, _inputs, mask: mask.detach())
        wrapped: TrainingForm = wrap_model(form)
        for quant, quantizer in zip(self._start.spec.tensors, self.quantizers, strict=True):
            for place in quant.places:
                attach(wrapped, place, quantizer)
        return wrapped

    def parameter_groups(self, range_rate: float = 1.0) -> list[ParameterGroup]:
        """Return what is trained: weights and biases, and the ranges of the quantizers.

        All steps are relative. With batch normalisation folded in, the channels of one layer differ
        by orders of magnitude, and equal steps would overrun the small ones: a weight's step is a
        share of its channel's largest, a bias' of its layer's largest, a range's of itself.

        Parameters
        ----------
        range_rate:
            Learning rate of the ranges, as a factor; 0 keeps them.
        """
        groups = [ParameterGroup([], 1.0, []), ParameterGroup([], range_rate, [])]
        ranges: set[nn.Parameter] = set()
        for quantizer in dict.fromkeys(self.quantizers):
            own = [p for p in quantizer.parameters() if p.requires_grad]
            ranges.update(own)
            for parameter in own:
                _add(groups[1], parameter, _width(quantizer))
        for parameter in self.model.parameters():
            if parameter.requires_grad and parameter not in ranges:
                across = tuple(range(1, parameter.ndim)) or (0,)
                _add(groups[0], parameter, parameter.detach().abs().amax(across, keepdim=True))
        return groups

    def finish(self) -> Quantized:
        """Return the trained weights and grids; biases are rounded as runtimes hold them."""
        deploy = copy.deepcopy(self._start.deploy)
        load_without_hooks(deploy, self.model)
        tensors = tuple(
            self._fixed.pin(read_grid(quantizer, quant.places)).model_copy(
                update={"origin": quant.origin, "replaced": quant.replaced}
            )
            for quant, quantizer in zip(self._start.spec.tensors, self.quantizers, strict=True)
        )
        spec = self._start.spec.model_copy(update={"tensors": tensors})
        snap_biases(deploy, spec, self._example)
        return Quantized(deploy, spec)

    def _is_fixed(self, quant: TensorQuant) -> bool:
        return self._fixed.of(quant) is not None

    def _quantizer(self, quant: TensorQuant) -> BaseQuantizer:
        """Return NNCF's quantizer for the grid of `quant`."""
        if quant.axis is None:
            quantizer = AsymmetricQuantizer(_nncf_spec(QuantizationScheme.ASYMMETRIC, (1,)))
            step = quant.scale[0]
            low = torch.tensor([step * (quant.low - quant.zero_point[0])])
            width = torch.tensor([step * (quant.high - quant.low)])
            _fill(quantizer, {"input_low": low, "_input_range_param_storage": width})
        else:
            shape = [1, 1, 1, 1]
            shape[quant.axis] = len(quant.scale)
            quantizer = SymmetricQuantizer(_nncf_spec(QuantizationScheme.SYMMETRIC, tuple(shape)))
            scales = torch.tensor(quant.scale).reshape(shape) * quant.high
            _fill(quantizer, {"_scale_param_storage": scales})
        if self._is_fixed(quant):
            quantizer.requires_grad_(False)
        return quantizer


def _add(group: ParameterGroup, parameter: nn.Parameter, size: Tensor) -> None:
    assert group.sizes is not None
    group.parameters.append(parameter)
    group.sizes.append(size.clone())


def _width(quantizer: BaseQuantizer) -> Tensor:
    """Return the range of a quantizer, one for each of its channels."""
    if isinstance(quantizer, SymmetricQuantizer):
        width: Tensor = quantizer.scale
    else:
        width = quantizer.input_range
    return width.detach().abs()


def _nncf_spec(scheme: QuantizationScheme, shape: tuple[int, ...]) -> PTQuantizerSpec:
    symmetric = scheme == QuantizationScheme.SYMMETRIC
    return PTQuantizerSpec(
        num_bits=8,
        mode=scheme,
        signedness_to_force=True if symmetric else None,
        narrow_range=False,
        half_range=False,
        scale_shape=shape,
        logarithm_scale=False,
        is_quantized_on_export=False,
    )


def _fill(quantizer: BaseQuantizer, values: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            getattr(quantizer, name).copy_(value)
