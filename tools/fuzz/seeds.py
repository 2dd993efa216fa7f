"""Right inputs that the fuzzer damages: small artefacts, files and results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.artifacts.artifact import GOLDEN, MANIFEST, MATTES, QUANT, Artifact, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.artifacts.seal import BLANK, seal_text
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import Circumstances, Delegate, Result
from edgemat.bench.stats import summarise
from edgemat.files import sha256_file, sha256_tree

SIDE = 32
ARTIFACT = "artifact"
SAMPLES = tuple(10.0 + 0.01 * (n % 3) for n in range(20))


def write_tflite(path: Path) -> None:
    """Write one int8 convolution, from RGB to one channel."""
    from edgemat.bench.layer_costs import convolution_file
    from edgemat.quantize.pruning.channels import ConvolutionCost

    convolution = ConvolutionCost("w", (1, 3, 3, 3), (SIDE, SIDE), groups=1, stride=1)
    path.write_bytes(convolution_file(convolution, 3, 1))


def write_artifact_of(
    folder: Path, kind: str, payload: str, fill: Callable[[Path], object], **fields: Any
) -> Artifact:
    """Write an artefact with golden pictures as ``folder/artifact``."""

    def fill_all(inside: Path) -> None:
        fill(inside)
        pixels = np.zeros((2, SIDE, SIDE, 3), np.uint8)
        alphas = np.zeros((2, SIDE, SIDE), np.float32)
        np.savez_compressed(inside / GOLDEN, pixels=pixels, alphas=alphas, truths=alphas)
        np.savez_compressed(inside / MATTES, alphas=alphas)

    defaults: dict[str, Any] = {
        "architecture": "pspm-slim",
        "config": {"width": 0.25},
        "cost": Cost(parameters=3, macs=0.5),
        "feeding": Feeding(
            layout="NHWC" if kind == "tflite" else "NCHW",
            height=SIDE,
            width=SIDE,
            channels=3,
            stride=16,
        ),
    }
    draft = Draft(
        name="fuzz",
        kind=kind,
        payload=payload,
        parent=None,
        task="portrait",
        demonstration=True,
        licence="Apache-2.0",
        data_notice="none",
        **defaults | fields,
    )
    made = write_artifact(folder, fill_all, draft)
    return Artifact(made.path.rename(folder / ARTIFACT))  # without a hash, which would not hold


def write_float(folder: Path) -> Artifact:
    """Write a float artefact of an untrained network."""
    from safetensors.torch import save_file

    from edgemat.models import create_matting

    state = create_matting("pspm-slim", width=0.25).state_dict()
    payload = "weights.safetensors"
    return write_artifact_of(folder, "float", payload, lambda at: save_file(state, at / payload))


def write_quantized(folder: Path) -> Artifact:
    """Write a quantized artefact of an untrained network."""
    import torch
    from safetensors.torch import save_file

    from edgemat.models import create_matting
    from edgemat.models.deploy import to_deploy
    from edgemat.quantize.ptq import quantize_ptq

    torch.manual_seed(0)
    deploy = to_deploy(create_matting("pspm-slim", width=0.25).eval())
    made = quantize_ptq(deploy, [torch.rand(1, 3, SIDE, SIDE) for _ in range(3)])
    payload = "weights.safetensors"

    def fill(inside: Path) -> None:
        state = {key: value.contiguous() for key, value in made.deploy.state_dict().items()}
        save_file(state, inside / payload)
        made.spec.save(inside / QUANT)

    return write_artifact_of(folder, "quantized", payload, fill)


def write_mlpackage(path: Path) -> None:
    """Write an ML Program of one convolution."""
    import torch
    from torch import nn

    from edgemat.convert.coreml import convert_coreml

    torch.manual_seed(0)
    convert_coreml(
        nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Sigmoid()).eval(),
        path,
        height=SIDE,
        width=SIDE,
        channels=3,
        precision="fp16",
        quantized=False,
        metadata={},
        licence="Apache-2.0",
        author="edgemat",
        description="fuzz",
    )


def seal_anew(folder: Path) -> None:
    """Make the hashes of ``folder/artifact`` right for what now lies there, where it has any."""
    path = folder / ARTIFACT / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        manifest["seal"] = BLANK
        if (payload := folder / ARTIFACT / manifest["payload"]).exists():
            manifest["payload_sha256"] = sha256_tree(payload)
        files = {name: path.with_name(name) for name in manifest["files"]}
        manifest["files"] = {name: sha256_file(one) for name, one in files.items()}
        path.write_text(seal_text(json.dumps(manifest)))
    except (ValueError, TypeError, LookupError, OSError, RecursionError, AttributeError):
        return  # then they stay wrong


def make_result() -> Result:
    """Return a result as a phone might give it."""
    return Result(
        name="portrait",
        model_sha256="ab" * 32,
        model_bytes=1000,
        threads=1,
        delegate=Delegate(
            asked="xnnpack", used="xnnpack", operators=71, delegated=70, partitions=1
        ),
        init_ms=5.0,
        first_ms=12.0,
        warmup_runs=10,
        samples_ms=SAMPLES,
        latency=summarise(SAMPLES),
        verdict="valid",
        reason="",
        golden=None,
        protocol=Protocol(),
        circumstances=Circumstances(
            transport="adb",
            device_kind="physical",
            device="phone",
            soc="chip",
            cores=8,
            os="Android 15",
            abi="arm64-v8a",
            runtime="LiteRT 2.3.0",
        ),
        recorded_at="2026-11-23T10:00:00+00:00",
    )
