"""Post-training quantization with NNCF, for the deploy form of a matting network."""

from __future__ import annotations

import copy
import logging
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import nncf
import numpy as np
import torch
from nncf.common.quantization.structs import QuantizationScheme
from nncf.quantization.advanced_parameters import QuantizationParameters
from nncf.torch.function_hook import get_hook_storage
from nncf.torch.quantization.layers import BaseQuantizer
from torch import Tensor, nn

from edgemat.models.blocks.affine import ScaleShift
from edgemat.models.blocks.index import UnitSoftmax
from edgemat.models.blocks.leaky import rectified
from edgemat.models.blocks.pooling import Below
from edgemat.models.blocks.segmentation import DeployTrimapAttention
from edgemat.models.deploy import DeployForm, replace_modules
from edgemat.quantize.align import snap_biases, unify_grids
from edgemat.quantize.fixed_grids import FixedGrids, require_narrow_softmaxes
from edgemat.quantize.kernels import fused_kernels
from edgemat.quantize.nncf_fill import filled_for_tflite
from edgemat.quantize.spec import Place, QuantSpec, TensorQuant

MIN_CALIBRATION_IMAGES = 8

# Between two int8 values lies at least one step of the grid, which is far more than 2**-10 for
# activations in 0..6; and 2**10 keeps the product's multiplier in the range that XNNPACK takes.
INT8_SHARPNESS = 2.0**10


@dataclass(frozen=True)
class Quantized:
    """A quantized network: the deploy form with corrected weights, and its grids."""

    deploy: DeployForm
    spec: QuantSpec


def prepare_for_int8(deploy: DeployForm) -> DeployForm:
    """Return a copy of `deploy` in the variant that int8 arithmetic can follow.

    >>> from edgemat.models import create_matting
    >>> from edgemat.models.blocks.pooling import Below
    >>> from edgemat.models.deploy import to_deploy
    >>> from edgemat.quantize.ptq import prepare_for_int8
    >>> prepared = prepare_for_int8(to_deploy(create_matting("pspm-slim", width=0.25)))
    >>> {module.sharpness for module in prepared.modules() if isinstance(module, Below)}
    {1024.0}

    The masks of max-pooling become sharp enough for int8 steps instead of float32's, the softmax of
    index blocks drops terms below a tenth of an int8 step, and that of the trimap's classes becomes
    sigmoids. Leaky rectifiers become sums. A matte that is resized last goes through a convolution
    by one: the converter would otherwise cut what is resized to 0..1, and edges would be cut off
    before they are smoothed.
    """
    prepared = copy.deepcopy(deploy)
    for module in prepared.modules():
        if isinstance(module, Below):
            module.sharpness = INT8_SHARPNESS
        elif isinstance(module, UnitSoftmax):
            module.coefficients = UnitSoftmax.LINEAR
        elif isinstance(module, DeployTrimapAttention):
            module.by_sigmoids = True
    replace_modules(prepared, rectified)
    if prepared.network.ends_in_resize():
        prepared.last = ScaleShift(torch.ones(1), torch.zeros(1))
    return prepared


def quantize_ptq(deploy: DeployForm, calibration: Sequence[Tensor]) -> Quantized:
    """Quantize to int8: weights per channel, activations per tensor, biases corrected.

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.models.deploy import to_deploy
    >>> from edgemat.quantize.ptq import quantize_ptq
    >>> pictures = [torch.rand(1, 3, 32, 32) for _ in range(8)]
    >>> network = create_matting("pspm-slim", width=0.25).eval()
    >>> quantized = quantize_ptq(to_deploy(network), pictures)
    >>> {quant.bits for quant in quantized.spec.tensors}
    {8}

    Parameters
    ----------
    deploy:
        Deploy form of a float network, in eval mode.
    calibration:
        Inputs 1,C,H,W float32 in 0..1, of the kind that the network will see.

    Raises
    ------
    UnsupportedError
        As :func:`edgemat.quantize.fixed_grids.require_narrow_softmaxes`.
    """
    require_narrow_softmaxes(deploy, calibration[0])
    count = distinct(calibration)
    if count < MIN_CALIBRATION_IMAGES:
        warnings.warn(
            f"{count} calibration images are too few for trustworthy ranges: "
            f"give at least {MIN_CALIBRATION_IMAGES}, better 100.",
            stacklevel=2,
        )
    prepared = prepare_for_int8(deploy)
    logging.getLogger("nncf").setLevel(logging.WARNING)
    # NNCF shows its progress on standard output, which is the caller's: --json goes there
    with filled_for_tflite(), fused_kernels(), redirect_stdout(sys.stderr):
        quantized = nncf.quantize(
            copy.deepcopy(prepared),
            nncf.Dataset(list(calibration)),
            subset_size=len(calibration),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                overflow_fix=nncf.OverflowFix.DISABLE,  # the default halves the weights' range
                quantize_outputs=True,
                weights_quantization_params=QuantizationParameters(
                    mode=QuantizationScheme.SYMMETRIC, per_channel=True, signedness_to_force=True
                ),
                activations_quantization_params=QuantizationParameters(
                    mode=QuantizationScheme.ASYMMETRIC, per_channel=False
                ),
            ),
        )
    load_without_hooks(prepared, quantized)  # bias correction has changed the biases
    spec = unify_grids(prepared, extract_spec(quantized), calibration[0])
    snap_biases(prepared, spec, calibration[0])
    return Quantized(prepared, spec)


def distinct(pictures: Iterable[Tensor]) -> int:
    """Return how many of some tensors differ: pictures that come again widen no range."""
    return len({picture.numpy().tobytes() for picture in pictures})


def load_without_hooks(deploy: nn.Module, wrapped: nn.Module) -> None:
    """Load the weights of a model that NNCF has wrapped; its hooks, the quantizers, stay behind."""
    own = deploy.state_dict()
    deploy.load_state_dict({k: v for k, v in wrapped.state_dict().items() if k in own})


def extract_spec(quantized: nn.Module) -> QuantSpec:
    """Read the grids out of a model that NNCF has quantized, those that a runtime fixes pinned."""
    fixed = FixedGrids(quantized)
    places: dict[BaseQuantizer, list[Place]] = {}
    for key, hook in get_hook_storage(quantized).named_modules(remove_duplicate=False):
        if isinstance(hook, BaseQuantizer):
            places.setdefault(hook, []).append(_parse_place(key))
    return QuantSpec(
        tensors=tuple(fixed.pin(read_grid(quantizer, where)) for quantizer, where in places.items())
    )


def _parse_place(key: str) -> Place:
    """Parse a key of NNCF's hook storage: ``post_hooks.network/predict/0/conv2d/0__0.0``."""
    when, rest = key.split(".", 1)
    operator, port_and_id = rest.rsplit("__", 1)
    return Place(
        when="pre" if when == "pre_hooks" else "post",
        operator=operator.replace(":", "."),
        port=int(port_and_id.split(".")[0]),
    )


def read_grid(quantizer: BaseQuantizer, places: Sequence[Place]) -> TensorQuant:
    """Return the grid that one of NNCF's quantizers rounds to, at `places`."""
    low, high, scale, zero_point = quantizer.get_parameters_for_torch_fq()
    return TensorQuant(
        kind="weight" if quantizer.per_channel else "activation",
        places=tuple(places),
        scale=tuple(float(s) for s in scale.detach().reshape(-1)),
        zero_point=tuple(int(z) for z in zero_point.detach().reshape(-1)),
        low=int(low),
        high=int(high),
        axis=int(np.argmax(quantizer.scale_shape)) if quantizer.per_channel else None,
        origin="nncf",
    )
