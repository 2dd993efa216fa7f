"""The quantized network that an int8 .tflite was made of, read back from the file.

Post-training quantization corrects biases, training with quantizers moves weights: neither is in
the float network that ships beside the file. Both are in the file, as integers on known grids.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from edgemat.convert.backend import GridTensor
from edgemat.convert.operators import ConvolutionConstants, list_convolutions
from edgemat.convert.pairing import integers, pair_tensors
from edgemat.errors import ArtifactError
from edgemat.models.deploy import DeployForm
from edgemat.models.narrowing import child
from edgemat.quantize.align import quantized_layers, snap_biases
from edgemat.quantize.ptq import Quantized, prepare_for_int8
from edgemat.quantize.spec import QuantSpec, TensorQuant


def read_back(deploy: DeployForm, spec: QuantSpec, path: Path, example: Tensor) -> Quantized:
    """Return a quantized network whose weights and biases are those of a file.

    Parameters
    ----------
    deploy:
        Deploy form of the float network that the file was made of.
    spec:
        The file's grids.
    path:
        The int8 .tflite.
    example:
        An input, 1,C,H,W.

    Raises
    ------
    ArtifactError
        When the file is damaged, or is of another network.
    """
    prepared = prepare_for_int8(deploy)
    quants = quantized_layers(prepared, spec, example)
    layers = [child(prepared, name, nn.Conv2d) for name in quants]  # no others have weights
    own = [
        GridTensor(name, quant.stored, integers(layer.weight, quant))
        for layer, (name, quant) in zip(layers, quants.items(), strict=True)
    ]
    found = list_convolutions(path)
    pairs = pair_tensors(own, [convolution.weight for convolution in found])
    by_weight = {id(convolution.weight): convolution for convolution in found}
    for number, (name, quant) in enumerate(quants.items()):
        if number not in pairs:
            raise ArtifactError(
                f"{path.name} does not hold the weights of {name}.",
                remedy="Quantize the float model again: edgemat quantize.",
            )
        _set(layers[number], quant, by_weight[id(pairs[number])])
    snap_biases(prepared, spec, example)  # the file rounds the steps of their grids to float32
    return Quantized(prepared, spec)


def _set(layer: nn.Conv2d, quant: TensorQuant, convolution: ConvolutionConstants) -> None:
    """Give a layer the weights and the bias of a file's convolution, in place."""
    steps = torch.from_numpy(convolution.weight.values).movedim(-1, 1)  # O,H,W,I to O,I,H,W
    scales = torch.tensor(quant.scale, dtype=torch.float32).reshape(-1, 1, 1, 1)
    with torch.no_grad():
        layer.weight.copy_(steps.float() * scales)
        if convolution.bias is not None and layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(convolution.bias))
