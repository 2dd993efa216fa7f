"""Second opinions on int8: `python -m bench.opinions FLOAT_FILE INT8_FILE...`

The float .tflite is quantized once more by ai-edge-quantizer, Google's own tool, with its own
calibration on pictures of the same kind; all files are scored on the same composites and measured
in turns. Where the other tool does better, ours has something to learn.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgemat.errors import ConversionError, UsageError
from edgemat.files import atomic_path
from edgemat.tables import show_opinions
from edgemat.terminal import AsJson, out, print_json, run_app

if TYPE_CHECKING:
    from edgemat.artifact import Artifact
    from edgemat.evaluate import F32

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
AI_EDGE = "ai-edge-quantizer"


@dataclass(frozen=True)
class Opinion:
    """One file.

    Attributes
    ----------
    sad, grad:
        In the unknown region, means over the validation composites.
    float_operators:
        Operators inside of the file that still compute in float, by name.
    """

    name: str
    p50_ms: float
    quiet: bool
    megabytes: float
    sad: float
    grad: float
    partitions: int
    float_operators: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def quantize_with_ai_edge(float_file: Path, inputs: Sequence[F32], path: Path) -> None:
    """Quantize a float .tflite to int8 with ai-edge-quantizer's own calibration.

    Parameters
    ----------
    inputs:
        1,H,W,C float32 in 0..1, as the file takes them.

    Raises
    ------
    ConversionError
        When the tool refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    ((signature, tensors),) = Interpreter(str(float_file)).get_signature_list().items()
    (name,) = tensors["inputs"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            tool = quantizer.Quantizer(str(float_file))
            tool.load_quantization_recipe(recipe.static_wi8_ai8())
            ranges = tool.calibrate({signature: [{name: x} for x in inputs]})
            content = tool.quantize(ranges).quantized_model
        except (RuntimeError, ValueError) as error:
            raise ConversionError(
                f"{AI_EDGE} cannot quantize {float_file.name}: {str(error).splitlines()[0]}",
                remedy="Convert the float file again.",
            ) from error
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run_app(app))


@app.command()
def opinions(
    float_file: Annotated[Path, typer.Argument(help="A tflite-fp32 artefact.")],
    int8_files: Annotated[list[Path], typer.Argument(help="int8 artefacts to compare with.")],
    data: Annotated[str | None, typer.Option(help="Pictures; by default the task's.")] = None,
    calibration: Annotated[int, typer.Option(min=1, help="Calibration pictures.")] = 64,
    images: Annotated[int, typer.Option(min=1, help="Validation composites.")] = 16,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of measuring, for each file.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Compare int8 files with what another tool makes of the same float file."""
    from edgemat.shipped import open_shipped
    from edgemat.validation import CALIBRATION_SEED, default_data, evaluation_set_for

    base, *others = [open_shipped(path) for path in (float_file, *int8_files)]
    _check(base, others)
    manifest = base.manifest
    section = default_data(manifest.task, data)
    seed = CALIBRATION_SEED + (manifest.seed or 0)
    pictures = evaluation_set_for(manifest, section, count=calibration, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "ai-edge.tflite"
        quantize_with_ai_edge(base.payload, [pictures.inputs(i) for i in range(calibration)], made)
        files = {base.path.name: base.payload} | {a.path.name: a.payload for a in others}
        found = _judge(files | {AI_EDGE: made}, base, section, images, threads, seconds)
    if as_json:
        print_json([opinion.to_json() for opinion in found])
    else:
        show_opinions(out, found)


def _check(base: Artifact, others: Sequence[Artifact]) -> None:
    if base.manifest.target != "tflite-fp32":
        raise UsageError(
            f"{base.path.name} is no tflite-fp32 artefact.",
            remedy="Give the float file first: edgemat convert ARTEFACT --target tflite-fp32.",
        )
    for other in others:
        if other.manifest.target != "tflite-int8" or other.manifest.task != base.manifest.task:
            raise UsageError(
                f"{other.path.name} is no int8 .tflite of the same task.",
                remedy="Give tflite-int8 artefacts made from the same network.",
            )


def _judge(
    files: dict[str, Path],
    base: Artifact,
    section: Any,
    images: int,
    threads: int,
    seconds: float,
) -> list[Opinion]:
    from bench.devices.host import bench_host
    from bench.protocol import Protocol
    from convert.proof import float_operators
    from edgemat.evaluate import predict_all, score
    from edgemat.runtime import TfliteModel
    from edgemat.validation import evaluation_set_for

    validation = evaluation_set_for(base.manifest, section, count=images)
    measured = bench_host(files, threads=(threads,), protocol=Protocol(seconds=seconds))
    found = []
    for (name, path), result in zip(files.items(), measured, strict=True):
        model = TfliteModel(path)
        scores = score(predict_all(model.run, validation), validation)["unknown"]
        found.append(
            Opinion(
                name=name,
                p50_ms=result.latency.p50_ms,
                quiet=result.verdict == "valid",
                megabytes=path.stat().st_size / 1e6,
                sad=scores.sad,
                grad=scores.grad,
                partitions=model.delegate_coverage().partitions,
                float_operators=dict(Counter(float_operators(path))),
            )
        )
    return found


if __name__ == "__main__":
    main()
