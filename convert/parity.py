"""Does a mobile file compute the same matte? Run it and compare, whole and layer by layer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from convert.target import Target
from edgemat.artifact import Agreement
from edgemat.evaluate import F32, EvaluationSet
from edgemat.runtime import TfliteModel
from quantize.frozen import FrozenFakeQuantize

Predict = Callable[[F32], F32]


def torch_predictor(model: nn.Module) -> Predict:
    """Return `model` (B,C,H,W to B,1,H,W) as a function from 1,H,W,C to 1,H,W,1."""

    def predict(x: F32) -> F32:
        with torch.no_grad():
            alpha: Tensor = model(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous())
        result: F32 = alpha.permute(0, 2, 3, 1).numpy()
        return result

    return predict


def file_predictors(path: Path, target: Target) -> dict[str, Predict]:
    """Return every way in which this machine can run a file, by the runtime's name.

    A .tflite runs in LiteRT, with XNNPACK and with the reference kernels; a Core ML package in
    our reference executor, and on a Mac in Core ML itself.
    """
    if target.runtime == "tflite":
        return {
            "LiteRT, XNNPACK": TfliteModel(path).run,
            "LiteRT, reference kernels": TfliteModel(path, kernels="reference").run,
        }
    from convert.mil import load_program, run_coreml, run_program

    program = load_program(path)
    predictors: dict[str, Predict] = {
        "edgemat's ML Program executor": lambda x: _from_coreml(
            run_program(program, _coreml_feeds(x))
        )
    }
    if sys.platform == "darwin":
        predictors["Core ML"] = lambda x: _from_coreml(run_coreml(path, _coreml_feeds(x)))
    return predictors


def _coreml_feeds(x: F32) -> dict[str, F32]:
    """Core ML takes pictures: 0..255, channels first, the trimap apart."""
    pixels = np.rint(x * 255).astype(np.float32).transpose(0, 3, 1, 2)
    feeds = {"image": np.ascontiguousarray(pixels[:, :3])}
    if pixels.shape[1] == 4:
        feeds["trimap"] = np.ascontiguousarray(pixels[:, 3:])
    return feeds


def _from_coreml(outputs: dict[str, Any]) -> F32:
    alpha: F32 = np.asarray(outputs["alpha"], np.float32).transpose(0, 2, 3, 1)
    return alpha


def compare(
    alphas: F32, references: F32, *, reference: Literal["float", "frozen"], runtime: str
) -> Agreement:
    """Compare N,H,W mattes with those of their reference."""
    difference = np.abs(alphas.astype(np.float64) - references)
    mean_square = float(np.mean(difference**2))
    return Agreement(
        reference=reference,
        runtime=runtime,
        max_abs=float(difference.max()),
        mean_abs=float(difference.mean()),
        # equal to the last bit has no PSNR; 200 dB is beyond float32
        psnr_db=min(200.0, -10 * np.log10(mean_square)) if mean_square else 200.0,
        images=len(alphas),
    )


@dataclass(frozen=True)
class LayerDifference:
    """One tensor of an int8 file against the frozen model, in steps of its own grid (LSB).

    Attributes
    ----------
    layer:
        Operator of the deploy form whose output it is.
    share_off:
        Share of values that differ at all, 0..1.
    """

    layer: str
    median_lsb: float
    p99_lsb: float
    max_lsb: float
    share_off: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class LayerTable:
    """Every tensor that could be told apart, in the order of the network.

    Attributes
    ----------
    unmatched:
        Tensors of the frozen model left out, because another has the same grid and shape.
    """

    rows: tuple[LayerDifference, ...]
    unmatched: int

    def first_above(self, lsb: float) -> LayerDifference | None:
        """Return the first layer whose median difference exceeds `lsb` steps."""
        return next((row for row in self.rows if row.median_lsb > lsb), None)


def compare_layers(path: Path, frozen: nn.Module, data: EvaluationSet) -> LayerTable:
    """Run one picture through a .tflite and the frozen model and compare tensor by tensor.

    Tensors of the file carry no names that survive conversion: they are matched by grid and shape,
    where both occur just once.
    """
    x = data.inputs(0)
    ours = _by_grid(_frozen_tensors(frozen, x))
    model = TfliteModel(path, kernels="reference", keep_tensors=True)
    model.run(x)
    theirs = _by_grid(
        ((t.scales[0], t.zero_points[0]), t.shape, t.index)
        for t in model.tensors()
        if t.dtype == np.int8 and len(t.scales) == 1 and len(t.shape) == 4
    )
    rows = []
    for key, entries in ours.items():
        found = theirs.get(key, [])
        if len(entries) == len(found) == 1:
            name, values = entries[0]
            rows.append(_difference(name, values, model.read(found[0]), key[0]))
    return LayerTable(tuple(rows), sum(map(len, ours.values())) - len(rows))


_Grid = tuple[float, int]
_Entry = tuple[_Grid, tuple[int, ...], Any]


def _by_grid(entries: Iterable[_Entry]) -> dict[tuple[_Grid, tuple[int, ...]], list[Any]]:
    groups: dict[tuple[_Grid, tuple[int, ...]], list[Any]] = {}
    for grid, shape, entry in entries:
        groups.setdefault((grid, shape), []).append(entry)
    return groups


def _frozen_tensors(frozen: nn.Module, x: F32) -> list[_Entry]:
    """Return grid, N,H,W,C shape, and (name, values) of every quantized activation, in order."""
    entries: list[_Entry] = []

    def keep(quantizer: FrozenFakeQuantize, _: Any, output: Tensor) -> None:
        quant = quantizer.quant
        if quant.kind == "activation" and output.ndim == 4:
            values = output.permute(0, 2, 3, 1).numpy()
            shift = 128 if quant.low == 0 else 0
            grid = (quant.scale[0], quant.zero_point[0] - shift)
            entries.append((grid, values.shape, (quant.places[0].operator, values)))

    quantizers = [m for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)]
    handles = [quantizer.register_forward_hook(keep) for quantizer in quantizers]
    try:
        torch_predictor(frozen)(x)
    finally:
        for handle in handles:
            handle.remove()
    return entries


def _difference(name: str, values: F32, integers: Any, grid: _Grid) -> LayerDifference:
    scale, zero_point = grid
    expected = np.rint(values / scale) + zero_point
    difference = np.abs(expected - integers)
    return LayerDifference(
        layer=name,
        median_lsb=float(np.median(difference)),
        p99_lsb=float(np.percentile(difference, 99)),
        max_lsb=float(difference.max()),
        share_off=float((difference > 0).mean()),
    )
