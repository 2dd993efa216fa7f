"""Second opinions, by other tools on one network: `edgemat opinions MODEL`

Beside litert-torch's float files and NNCF's int8 file stand onnx2tf's float files, made by way of
ONNX, and the int8 file of ai-edge-quantizer, Google's own tool, with its own calibration. All are
scored on the same composites, measured in turns and by LiteRT's own benchmark, compared with the
float torch model, and run in tflite-runtime 2.14, which stands for an old phone. Where another tool
does better, edgemat has something to learn; where it computes something else, one of the two is
wrong.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgemat.errors import ConversionError, EdgematError, MissingToolError, UsageError

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Agreement
    from edgemat.convert.backend import Precision
    from edgemat.convert.old_runtime import OldRun
    from edgemat.convert.parity import Distance
    from edgemat.images import F32
    from edgemat.models.deploy import DeployForm
    from edgemat.scoring.evaluate import EvaluationSet

OURS, OTHER, AI_EDGE = "litert-torch", "onnx2tf", "ai-edge-quantizer"
OLD_PICTURES = 4  # reference kernels take their time


@dataclass(frozen=True)
class JudgedNetwork:
    """The network that the tools are asked about.

    Attributes
    ----------
    size:
        Height and width of the input, px.
    trained:
        Random weights have no errors worth a column.
    int8:
        Files that NNCF made of it, by name.
    """

    name: str
    deploy: DeployForm
    task: Literal["trimap", "portrait"]
    size: tuple[int, int]
    seed: int
    trained: bool
    int8: dict[str, Path]


@dataclass(frozen=True)
class Opinion:
    """One file.

    Attributes
    ----------
    p50_ms, litert_benchmark_ms:
        Median latency here by edgemat's benchmark, and by LiteRT's; None where that failed.
    sad, grad:
        In the unknown region, means over the validation composites; None with random weights.
    float_operators:
        Operators inside of an int8 file that still compute in float, by name.
    agreement:
        With the float torch model.
    from_ours:
        Distance of onnx2tf's file from litert-torch's of the same precision.
    agrees:
        Whether a float file computes what torch computes; None for int8.
    old:
        What became of it in the old runtime; None where that is not installed.
    """

    name: str
    precision: Precision
    p50_ms: float
    litert_benchmark_ms: float | None
    quiet: bool
    megabytes: float
    sad: float | None
    grad: float | None
    partitions: int
    float_operators: dict[str, int]
    agreement: Agreement
    from_ours: Distance | None
    agrees: bool | None
    old: OldRun | None

    @property
    def passed(self) -> bool:
        """Whether it computes torch's matte, and the same in the old runtime."""
        return self.agrees is not False and (self.old is None or self.old.agrees)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"agreement": self.agreement.model_dump(), "passed": self.passed}


def open_subject(named: str, int8_files: Sequence[Path] = (), *, size: int = 256) -> JudgedNetwork:
    """Open a float artefact or a shipped model, or make a network of an architecture.

    Parameters
    ----------
    int8_files:
        tflite-int8 artefacts that were made of it; by default a shipped model's own.
    size:
        Height and width of an architecture's input, px; its weights are random.

    Raises
    ------
    UsageError
        When there is no such network, it is none in float, or an int8 file is none of its task.
    """
    from edgemat.artifacts.shipped import (
        SHIPPED_TARGET,
        find_artifact,
        open_artifact,
        shipped_models,
    )
    from edgemat.artifacts.weights import load_deploy
    from edgemat.bench.roofline import random_form
    from edgemat.models import list_models, model_info

    if named in [info.name for info in list_models()]:
        info = model_info(named)
        deploy = random_form(named, (info.in_channels, size, size))
        return JudgedNetwork(named, deploy, info.matting_task, (size, size), 0, False, {})
    base = open_artifact(named)
    manifest = base.manifest
    if manifest.kind != "float":
        raise UsageError(
            f"{base.path.name} is {manifest.kind}, not a float network.",
            remedy="Give the artefact that training wrote; int8 files come after it.",
        )
    if named in shipped_models() and not int8_files:
        int8_files = [find_artifact(named, target=SHIPPED_TARGET)]
    int8 = [open_artifact(path) for path in int8_files]
    for other in int8:
        if other.manifest.target != SHIPPED_TARGET or other.manifest.task != manifest.task:
            raise UsageError(
                f"{other.path.name} is no int8 .tflite of the same task.",
                remedy="Give tflite-int8 artefacts made from the same network.",
            )
    return JudgedNetwork(
        name=manifest.name,
        deploy=load_deploy(base),
        task=manifest.matting_task,
        size=(manifest.feeding.height, manifest.feeding.width),
        seed=manifest.seed or 0,
        trained=True,
        int8={other.path.name: other.payload for other in int8},
    )


def ask_tools(
    subject: JudgedNetwork,
    folder: Path,
    *,
    data: str | None = None,
    calibration: int = 64,
    images: int = 16,
    threads: int = 1,
    seconds: float = 5.0,
) -> tuple[list[Opinion], list[EdgematError]]:
    """Let every tool convert the network, and judge its files.

    Parameters
    ----------
    folder:
        Where the files go.
    data:
        Pictures; by default the task's.
    calibration, images:
        Pictures to calibrate on, and to judge by.
    seconds:
        Of measuring, for each file.

    Returns
    -------
    tuple[list[Opinion], list[EdgematError]]
        What was found, and why a tool is missing from it: one that is not installed or fails does
        not keep the others away.
    """
    from edgemat.matting.torch_predictor import torch_predictor
    from edgemat.scoring.evaluate import predict_all
    from edgemat.scoring.validation import (
        CALIBRATION_SEED,
        VALIDATION_SEED,
        calibration_set,
        default_data,
        evaluation_set,
    )

    section = default_data(subject.task, data)
    validation, calibrating = (
        draw(
            section,
            task=subject.task,
            size=subject.size,
            count=count,
            seed=stream + subject.seed,
        )
        for draw, count, stream in (
            (evaluation_set, images, VALIDATION_SEED),
            (calibration_set, calibration, CALIBRATION_SEED),
        )
    )
    references = predict_all(torch_predictor(subject.deploy), validation)
    errors: list[EdgematError] = []
    files = _make_files(subject, folder, validation, references, calibrating, errors)
    found = _judge(subject, files, validation, references, (threads, seconds), errors)
    return found, errors


@contextlib.contextmanager
def _noting(errors: list[EdgematError]) -> Iterator[None]:
    """Go on without a tool that is missing or fails, and remember why."""
    try:
        yield
    except (MissingToolError, ConversionError) as error:
        errors.append(error)


def _make_files(
    subject: JudgedNetwork,
    folder: Path,
    validation: EvaluationSet,
    references: F32,
    calibrating: EvaluationSet,
    errors: list[EdgematError],
) -> dict[str, tuple[Precision, Path]]:
    """Let each tool write its files; return them by the names that the tables show."""
    from edgemat.convert.ai_edge import quantize_with_ai_edge
    from edgemat.convert.backends import find_target
    from edgemat.convert.onnx2tf import convert_onnx2tf
    from edgemat.convert.tflite import convert_tflite
    from edgemat.progress import progress_bar

    files: dict[str, tuple[Precision, Path]] = {}
    shape = (validation.pixels.shape[-1], *subject.size)
    precisions: tuple[Precision, ...] = ("fp32", "fp16")
    for precision in precisions:
        path = folder / f"{subject.name}-{OURS}-{precision}.tflite"
        with progress_bar(path.name):
            target = find_target(f"tflite-{precision}")
            convert_tflite(subject.deploy, path, target=target, shape=shape, metadata={})
        files[f"{OURS} {precision}"] = (precision, path)
    name = f"{subject.name}-{OTHER}"
    with _noting(errors), progress_bar(name):
        for made in convert_onnx2tf(
            subject.deploy, folder, name, pictures=validation, references=references
        ):
            files[f"{OTHER} {made.precision}"] = (made.precision, made.path)
    files |= {name: ("int8", path) for name, path in subject.int8.items()}
    path = folder / f"{subject.name}-{AI_EDGE}-int8.tflite"
    with _noting(errors), progress_bar(path.name):
        inputs = [calibrating.inputs(i) for i in range(len(calibrating))]
        quantize_with_ai_edge(files[f"{OURS} fp32"][1], inputs, path)
        files[f"{AI_EDGE} int8"] = ("int8", path)
    return files


def _judge(
    subject: JudgedNetwork,
    files: dict[str, tuple[Precision, Path]],
    validation: EvaluationSet,
    references: F32,
    measuring: tuple[int, float],
    errors: list[EdgematError],
) -> list[Opinion]:
    """Measure, run and compare all files; `measuring` is threads, and seconds for each."""
    from edgemat.bench.devices.host import bench_host
    from edgemat.bench.protocol import Protocol
    from edgemat.convert.onnx2tf import agrees
    from edgemat.convert.operators import float_operators
    from edgemat.convert.parity import compare, distance
    from edgemat.matting.runtime import TfliteModel
    from edgemat.scoring.evaluate import predict_all, score

    threads, seconds = measuring
    paths = {name: path for name, (_, path) in files.items()}
    measured = bench_host(paths, threads=(threads,), protocol=Protocol(seconds=seconds))
    expected = {name: one.latency.p50_ms for name, one in zip(files, measured, strict=True)}
    theirs = _ask_litert(paths, expected, measuring, errors)
    old_runs = _run_old(paths, validation, errors)
    found, mattes = [], {}
    for (name, (precision, path)), result in zip(files.items(), measured, strict=True):
        model = TfliteModel(path)
        mattes[name] = alphas = predict_all(model.run, validation)
        scores = score(alphas, validation)["unknown"] if subject.trained else None
        agreement = compare(alphas, references, reference="float", runtime="LiteRT, XNNPACK")
        ours = mattes[f"{OURS} {precision}"] if name.startswith(OTHER) else None
        found.append(
            Opinion(
                name=name,
                precision=precision,
                p50_ms=result.latency.p50_ms,
                litert_benchmark_ms=theirs.get(name),
                quiet=result.verdict == "valid",
                megabytes=path.stat().st_size / 1e6,
                sad=None if scores is None else scores.sad,
                grad=None if scores is None else scores.grad,
                partitions=model.delegate_coverage().partitions,
                float_operators=dict(Counter(float_operators(path))) if precision == "int8" else {},
                agreement=agreement,
                from_ours=None if ours is None else distance(alphas, ours),
                agrees=None if precision == "int8" else agrees(agreement, precision),
                old=old_runs.get(name),
            )
        )
    return found


def _ask_litert(
    paths: dict[str, Path],
    expected: dict[str, float],
    measuring: tuple[int, float],
    errors: list[EdgematError],
) -> dict[str, float]:
    """Measure all files by LiteRT's own benchmark, but those with which it fails."""
    from edgemat.bench.litert_benchmark import NAME, median_ms
    from edgemat.progress import track

    threads, seconds = measuring
    found = {}
    for name, path in track(list(paths.items()), NAME, len(paths)):
        with _noting(errors):
            expected_ms = expected[name]
            found[name] = median_ms(path, threads=threads, seconds=seconds, expected_ms=expected_ms)
    return found


def _run_old(
    paths: dict[str, Path], validation: EvaluationSet, errors: list[EdgematError]
) -> dict[str, OldRun]:
    """Run all files in the old runtime; an empty result where it is not installed."""
    from edgemat.convert.old_runtime import check_old_runtime
    from edgemat.progress import track

    with _noting(errors):
        few = validation.first(OLD_PICTURES)
        return {
            name: check_old_runtime(path, few)
            for name, path in track(list(paths.items()), "tflite-runtime 2.14", len(paths))
        }
    return {}
