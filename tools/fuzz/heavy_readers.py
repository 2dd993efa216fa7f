"""Readers that need torch, LiteRT, NNCF or coremltools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgemat.workflow.step import StepRecord
from tools.fuzz import seeds
from tools.fuzz.reader import Reader


def _run(file: Path) -> None:
    """Load whatever the artefact around `file` holds, and run it once."""
    from edgemat.artifacts.artifact import Artifact
    from edgemat.matting.predict import load_predictor

    predictor = load_predictor(Artifact(file.parent))
    feeding = predictor.feeding
    if max(feeding.height, feeding.width) <= 4 * seeds.SIDE:
        predictor.predict(
            np.zeros((1, feeding.height, feeding.width, feeding.channels), np.float32)
        )


def _write_mobile(folder: Path) -> None:
    seeds.write_tflite(folder / "model.tflite")


def _run_file(file: Path) -> None:
    from edgemat.matting.predict import load_predictor

    load_predictor(file)


def _read_schema(file: Path) -> None:
    from edgemat.convert.backends.tflite import TFLITE
    from edgemat.convert.operators import list_operators

    list_operators(file)
    TFLITE.count_int8(file)
    TFLITE.weights(file)


def _read_reference(file: Path) -> None:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.quantize.reference import load_reference

    load_reference(Artifact(file.parent))


def _write_program(folder: Path) -> None:
    seeds.write_mlpackage(folder / "model.mlpackage")


def _read_program(file: Path) -> None:
    from edgemat.convert.backends.coreml import COREML

    package = next(path for path in file.parents if path.suffix == ".mlpackage")
    COREML.count_int8(package)
    COREML.weights(package)


def _write_weights(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    state = {"0.0.weight": torch.zeros(4, 3, 3, 3), "0.1.weight": torch.ones(4)}
    torch.save(state, folder / "weights.pth")
    save_file(state, folder / "weights.safetensors")
    arrays: dict[str, Any] = {name: value.numpy() for name, value in state.items()}
    np.savez(folder / "weights.npz", **arrays)


def _start_encoder(file: Path) -> None:
    from edgemat.models.encoders.mobilenetv2 import MobileNetV2
    from edgemat.models.pretrained.load import load_encoder

    load_encoder(MobileNetV2(3), file)


def _write_released(folder: Path) -> None:
    import torch

    from edgemat.models.released.denoise import DNCNN

    (member,) = DNCNN.members
    state = {
        stored.name: torch.zeros(member.shapes[own])
        for own, stored in member.layout.tensors.items()
    }
    torch.save({"state_dict": state, "best": np.float64(31.7)}, folder / "weights.pth.tar")


def _load_released(file: Path) -> None:
    from edgemat.models.released.load import load_released

    load_released(file)


def _write_record(folder: Path) -> None:
    from functools import partial

    from edgemat.workflow.cache import Cache
    from edgemat.workflow.imports import Source
    from edgemat.workflow.step import Step

    source = Source(Path(__file__).parents[2], "tools")
    Cache(folder, source=source).run(Step("fuzz", "fuzz", partial(_end_step)))


def _end_step() -> StepRecord:
    return {"files": ["stages"]}


def _read_record(file: Path) -> None:
    _write_record(file.parents[1])


READERS = (
    Reader("record", _write_record, _read_record, 300, ("*.json",)),
    Reader("float", seeds.write_float, _run, 300, ("*.json", "*.safetensors"), seeds.seal_anew),
    Reader("quantized", seeds.write_quantized, _read_reference, 40, ("*.json", "*.safetensors"),
           seeds.seal_anew),
    Reader("tflite", _write_mobile, _run_file, 150),
    Reader("schema", _write_mobile, _read_schema, 500),
    Reader("program", _write_program, _read_program, 200),
    Reader("weights", _write_weights, _start_encoder, 200),
    Reader("released", _write_released, _load_released, 60),
)  # fmt: skip
