"""Networks that nobody here wrote, through the whole chain: `python -m tools.own_networks`.

Each is adopted, quantized, converted to every target and proven, in a process of its own; what was
found is kept in docs/own-networks.json network by network, so that a stopped run resumes, and
docs/own-networks.md is written from it. They come from PyPI: pip install
segmentation-models-pytorch; three more are written in the tests. Weights are random, batch norms'
statistics those of a few pictures.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import nn

from edgemat.artifacts.artifact import Agreement, Artifact
from edgemat.convert.backends import find_target
from edgemat.convert.parity import compare
from edgemat.doctor import cpu_has_int8_dot_product
from edgemat.errors import EdgematError, UsageError, nearest
from edgemat.files import write_text
from edgemat.matting.runtime import TfliteModel
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.quantize.reference import load_reference
from edgemat.scoring.evaluate import predict_all
from edgemat.scoring.validation import calibration_set, default_data
from edgemat.terminal import run_app
from edgemat.workflow.api.adopt import adopt
from edgemat.workflow.api.compress import quantize
from edgemat.workflow.api.mobile import convert
from edgemat.workflow.api.opening import open_with_validation

ROOT = Path(__file__).parents[1]
FOUND, PAGE = Path("docs/own-networks.json"), Path("docs/own-networks.md")
STRANGERS = Path("tests/models/adopted/strangers.py")
SIDE = 256
CALIBRATION, IMAGES = 8, 2
PSNR_BAR, INT8_BAR, W8A8_BAR = 70.0, 0.005, 1e-4
TARGETS = ("tflite-fp32", "tflite-fp16", "tflite-int8", "coreml-fp16", "coreml-w8a8")
COLUMNS = (
    *("network", "M parameters", "G MACs", "fp32", "TFLite fp16", "Core ML fp16"),
    *("torch, weights in float16", "TFLite int8", "tensors equal", "Core ML W8A8"),
    *("int8 convolutions", "operators in float", "grids, TFLite", "grids, Core ML"),
    *("partitions", "s", "load", "int8 dot product"),
)

app = typer.Typer(add_completion=False)


def _torchvision(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        from torchvision.models import segmentation

        options = {"weights": None, "weights_backbone": None, "num_classes": 1}
        network: nn.Module = getattr(segmentation, name)(**options)
        return network

    return make


def _smp(decoder: str, encoder: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        import segmentation_models_pytorch as smp

        network: nn.Module = getattr(smp, decoder)(encoder, encoder_weights=None, classes=1)
        return network

    return make


def _raft() -> nn.Module:
    from torchvision.models.optical_flow import raft_small

    network: nn.Module = raft_small(weights=None)
    return network


def _of_tests(name: str) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        spec = importlib.util.spec_from_file_location("strangers", ROOT / STRANGERS)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network: nn.Module = module.randomised(getattr(module, name)())
        return network

    return make


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    f"torchvision {name}": _torchvision(name)
    for name in ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50")
}
NETWORKS |= {
    f"smp {decoder}, {encoder}": _smp(decoder, encoder)
    for decoder in ("Unet", "FPN", "DeepLabV3Plus", "MAnet")
    for encoder in ("mobilenet_v2", "tu-mobilenetv3_large_100", "tu-efficientnet_lite0")
}
NETWORKS["torchvision raft_small"] = _raft
NETWORKS |= {f"tests {name}": _of_tests(name) for name in ("UNet", "OddUNet", "Attention")}


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Of networks; all by default.")] = None,
    again: Annotated[bool, typer.Option(help="Measure anew what is there.")] = False,
    one: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Take networks through the chain, and write the page."""
    if one is not None:
        print(json.dumps(measure(one)))
        return
    path = ROOT / FOUND
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if unknown := [name for name in names or () if name not in NETWORKS]:
        raise UsageError(
            f"{unknown[0]} is none of the networks.", remedy=nearest(unknown[0], NETWORKS)
        )
    for name in names or NETWORKS:
        if name in found and not again:
            continue
        print(name, flush=True)
        command = [sys.executable, "-m", "tools.own_networks", "--one", name]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise EdgematError(f"{name} ended with {ran.stderr.strip().splitlines()[-1]}")
        found[name] = json.loads(ran.stdout.strip().splitlines()[-1])
        write_text(path, json.dumps(found, indent=1) + "\n")
        write_text(ROOT / PAGE, page(found))
    write_text(ROOT / PAGE, page(found))


def measure(name: str) -> dict[str, Any]:
    """Take one network from its factory to proven files; returns what was found, or why not."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    try:
        network = settled(NETWORKS[name]().eval())
    except (TypeError, RuntimeError, ValueError):  # not one picture in: adopting tells
        network = NETWORKS[name]().eval()
    start = time.monotonic()
    row: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = adopt(
                network,
                size=(SIDE, SIDE),
                logits=True,
                name="network",
                images=IMAGES,
                output=folder,
            )
            row |= {"parameters": made.manifest.cost.parameters, "macs": made.manifest.cost.macs}
            row["half_weights_psnr_db"] = _of_half_weights(made).psnr_db
            quantized = quantize(made, calibration=CALIBRATION, images=IMAGES)
            row["float_to_frozen"] = quantized.manifest.agreements[0].mean_abs
            for target in map(find_target, TARGETS):
                source = quantized if target.quantized else made
                row[target.name] = _file(convert(source, target.name, images=IMAGES))
        except EdgematError as error:
            row["refused"] = str(error)
    row |= {
        "seconds": time.monotonic() - start,
        "load": os.getloadavg()[0],
        "int8_dot_product": cpu_has_int8_dot_product(),
    }
    return row


def _of_half_weights(artifact: Artifact) -> Agreement:
    """Return what weights in float16 alone change in torch, without any converter."""
    validation = open_with_validation(artifact, None, IMAGES).validation
    deploy, half = load_reference(artifact), load_reference(artifact)
    with torch.no_grad():
        for weight in half.parameters():
            weight.copy_(weight.half().float())
    mattes = [predict_all(torch_predictor(model), validation) for model in (half, deploy)]
    return compare(*mattes, reference="float", runtime="torch, weights in float16")


def _file(artifact: Artifact) -> dict[str, Any]:
    manifest = artifact.manifest
    proof = manifest.int8_proof
    found: dict[str, Any] = {
        "mean_abs": manifest.agreements[0].mean_abs,
        "psnr_db": min(agreement.psnr_db for agreement in manifest.agreements),
        "bytes": manifest.payload_bytes,
    }
    if proof is not None:
        found |= {
            "convolutions": proof.convolutions,
            "int8_convolutions": proof.int8_convolutions,
            "islands": len(proof.float_islands),
            "scales": proof.scales,
            "scales_exact": proof.scales_exact,
            "tensors": proof.tensors,
            "tensors_equal": proof.tensors_equal,
        }
    if manifest.kind == "tflite":
        found["partitions"] = TfliteModel(artifact.payload).delegate_coverage().partitions
    return found


def settled(network: nn.Module) -> nn.Module:
    """Give batch norms the statistics of a few pictures, as if trained on them; in place."""
    data = default_data("portrait")
    pictures = calibration_set(data, task="portrait", size=(SIDE, SIDE), count=4, seed=1)
    x = torch.from_numpy(np.ascontiguousarray(pictures.pixels.transpose(0, 3, 1, 2))).float() / 255
    network.train()
    with torch.no_grad():
        for _ in range(8):
            network(x)
    return network.eval()


def page(found: dict[str, Any]) -> str:
    """Return the page about what was found."""
    rows = "\n".join(_row(name, row) for name, row in found.items() if "refused" not in row)
    refused = "\n".join(
        f"- **{name}**: {row['refused']}" for name, row in found.items() if "refused" in row
    )
    waiting = ", ".join(name for name in NETWORKS if name not in found)
    seconds = sorted(row["seconds"] for row in found.values() if "refused" not in row)
    median = seconds[len(seconds) // 2] if seconds else 0
    columns = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
    return TEXT.format(
        side=SIDE,
        columns=columns,
        rows=rows,
        refused=refused or "None.",
        median=median,
        calibration=CALIBRATION,
        waiting=waiting or "None.",
        psnr_bar=PSNR_BAR,
        int8_bar=INT8_BAR,
        w8a8_bar=W8A8_BAR,
    )


def _row(name: str, row: dict[str, Any]) -> str:
    int8, w8a8 = row["tflite-int8"], row["coreml-w8a8"]
    floats = [row[target]["psnr_db"] for target in ("tflite-fp32", "tflite-fp16", "coreml-fp16")]
    cells = (
        name,
        f"{row['parameters'] / 1e6:.1f}",
        f"{row['macs']:.2f}",
        *(_marked(f"{db:.0f} dB", missed=db < PSNR_BAR) for db in floats),
        f"{row['half_weights_psnr_db']:.0f} dB" if "half_weights_psnr_db" in row else "",
        _marked(f"{int8['mean_abs']:.5f}", missed=int8["mean_abs"] > INT8_BAR),
        f"{int8['tensors_equal']}/{int8['tensors']}" if "tensors" in int8 else "",
        _marked(f"{w8a8['mean_abs']:.6f}", missed=w8a8["mean_abs"] > W8A8_BAR),
        f"{int8['int8_convolutions']}/{int8['convolutions']}",
        str(int8["islands"]),
        f"{int8['scales_exact']}/{int8['scales']}",
        f"{w8a8['scales_exact']}/{w8a8['scales']}",
        str(int8["partitions"]),
        f"{row['seconds']:.0f}",
        f"{row['load']:.1f}",
        "yes" if row["int8_dot_product"] else "no",
    )
    return f"| {' | '.join(cells)} |"


def _marked(text: str, *, missed: bool) -> str:
    return f"**{text}**" if missed else text


TEXT = """# Networks that are not edgemat's

Made by `python -m tools.own_networks`, which takes each from its factory through `edgemat adopt`,
`quantize` ({calibration} pictures) and `convert` to TFLite and Core ML, at {side} px. Weights are
random, batch norms' statistics those of a few pictures: this is about the chain, not about mattes.
Seconds are from `adopt` to all files proven, on two cores; their median is {median:.0f}. The load
is the machine's at the end: above 2, other work ran beside it. Whether the processor has an int8
dot product changes what int8 costs there.

PSNR is of the float files against torch (bar: {psnr_bar:g} dB; the float16 .tflite stores its
weights so, Core ML computes so); the two int8 columns are mean absolute differences of mattes
(0..1) from the frozen model (bars: {int8_bar:g} and {w8a8_bar:g}).
**What misses its bar is bold.** Grids are those found bit for bit at their own tensors; of the
.tflite's tensors, those that equal the frozen model's in every value, to the last bit.

Random weights damp nothing, and deep networks multiply what is off. What misses a bar in float16
does so in torch as well, without any converter, once its weights are rounded to float16: that is
the column beside. Behind operators in float, tensors are no longer equal to the bit: group norms
and attention are summed in another order.

{columns}
{rows}

## Refused

{refused}

## Not taken through it yet

{waiting}
"""


if __name__ == "__main__":
    sys.exit(run_app(app))
