"""The command line. Every command imports what it needs when it runs: `--help` answers at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from edgemat import tables
from edgemat.errors import EdgematError, GateFailed, UsageError

if TYPE_CHECKING:
    from edgemat.artifact import Artifact
    from edgemat.evaluate import EvaluationSet
    from edgemat.recipe import DataSection

app = typer.Typer(
    name="edgemat",
    help="Image matting on phones: train, quantize, convert, prove, measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)

INTERRUPTED = 130
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
ArtifactPath = Annotated[Path, typer.Argument(help="Folder of an artefact, NAME@HASH.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for results; by default beside.")
]
DataOption = Annotated[str, typer.Option("--data", help='"procedural" or a folder of mattes.')]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, mps, ...")]
ImagesOption = Annotated[int, typer.Option("--images", min=1, help="Validation composites.")]


def main() -> None:
    """Run the command line; every error is a sentence and an exit status, never a traceback."""
    try:
        status = app(standalone_mode=False)
    except EdgematError as error:
        _fail(error)
    except ImportError as error:
        from edgemat.doctor import explain_missing

        _fail(explain_missing(error))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except Exception as error:
        # typer's own usage errors know how to show themselves; anything else is a bug of ours
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        sys.exit(error.exit_code)
    if status == INTERRUPTED:  # so does typer hand a KeyboardInterrupt on
        err.print("Interrupted. What was finished is kept: the same command goes on from there.")
    sys.exit(status if isinstance(status, int) else 0)


def _fail(error: EdgematError) -> NoReturn:
    err.print(f"[red]Error:[/red] {tables.plain(error.message)}", highlight=False, soft_wrap=True)
    if error.remedy:
        err.print(tables.plain(error.remedy), highlight=False, soft_wrap=True)
    sys.exit(error.exit_code)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True) + "\n")


@app.command()
def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/quickstart.toml.")],
    output: Output = None,
    device: DeviceOption = "auto",
    as_json: AsJson = False,
) -> int:
    """Do all that a recipe says: train, quantize, convert, verify, measure, judge, report."""
    from edgemat.pipeline import run_recipe

    result = run_recipe(recipe, folder=output, device=device)
    if as_json:
        _print_json(
            {
                "report": str(result.report.resolve()),
                "artifacts": [str(path) for path in result.artifacts],
                "did_nothing": result.did_nothing,
                "gates": [
                    {"model": r.model, "file": r.file, "scope": r.scope} | r.verdict.to_json()
                    for r in result.gates
                ],
            }
        )
    else:
        tables.show_run(out, result)
    return GateFailed.exit_code if result.failed else 0


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the networks, with the thesis' figures."""
    from edgemat.models import create_model, list_models
    from edgemat.models.count import count_operations, count_parameters

    rows = []
    for info in list_models():
        network = create_model(info.name)
        shape = (info.in_channels, 224, 224)
        rows.append(
            {
                "name": info.name,
                "task": info.task,
                "chapter": info.chapter,
                "table": info.table,
                "input_channels": info.in_channels,
                "parameters": count_parameters(network),
                "thesis_parameters_millions": info.thesis_parameters,
                "operations_thesis_convention": count_operations(
                    network, shape, convention="thesis"
                ),
                "thesis_operations": info.thesis_operations,
                "macs_billions": count_operations(network, shape),
            }
        )
    if as_json:
        _print_json(rows)
    else:
        tables.show_models(out, rows)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can and cannot do, and how to get it."""
    from edgemat.doctor import examine

    findings = examine()
    if as_json:
        _print_json([finding.to_json() for finding in findings])
    else:
        tables.show_findings(out, findings)


@app.command()
def matte(
    photo: Annotated[Path, typer.Argument(help="Photograph of any size.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")],
    model: Annotated[
        Path | None,
        typer.Option(help="Artefact or .tflite; by default the newest int8 file in runs/."),
    ] = None,
    trimap: Annotated[
        Path | None, typer.Option(help="Black background, grey unknown, white foreground.")
    ] = None,
    background: Annotated[Path | None, typer.Option(help="Picture to put behind.")] = None,
    blur: Annotated[
        float | None, typer.Option(help="Blur the background by this radius, px.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Cut a photograph out: transparent PNG, new background, or blurred background."""
    from edgemat.foreground import blur_background, cut_out, replace_background
    from edgemat.images import read_image, read_trimap, write_image
    from edgemat.matting import matte as compute_matte
    from edgemat.predict import newest_model
    from edgemat.progress import progress_bar

    if background is not None and blur is not None:
        raise UsageError("--background and --blur exclude each other.", remedy="Give one of them.")
    image = read_image(photo)
    known = None if trimap is None else read_trimap(trimap)
    behind = None if background is None else read_image(background)
    file = model or newest_model(needs_trimap=known is not None)
    with progress_bar("matting") as show:
        alpha = compute_matte(image, known, model=file, progress=lambda done, _: show(done))
        if behind is not None:
            write_image(output, replace_background(image, alpha, behind))
        elif blur is not None:
            write_image(output, blur_background(image, alpha, blur))
        else:
            write_image(output, cut_out(image, alpha))
    if as_json:
        height, width = alpha.shape
        _print_json({"output": str(output), "model": str(file), "width": width, "height": height})
    else:
        tables.show_path(out, output, before="Wrote ", after=f" with {file.name}.")


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe.")],
    output: Output = None,
    device: DeviceOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Train the networks of a recipe, and nothing else."""
    from edgemat.pipeline import train_recipe

    _show_artifacts(train_recipe(recipe, folder=output, device=device), as_json)


@app.command()
def evaluate(
    artifact: ArtifactPath,
    data: DataOption = "procedural",
    images: ImagesOption = 16,
    as_json: AsJson = False,
) -> None:
    """Score an artefact against the ground truth."""
    from convert.parity import file_predictors, torch_predictor
    from convert.target import find_target
    from edgemat.evaluate import predict_all, score
    from edgemat.loading import load_reference

    opened, validation = _open_with_validation(artifact, data, images)
    if opened.manifest.target is None:
        predict = torch_predictor(load_reference(opened))
    else:
        target = find_target(opened.manifest.target)
        predict = next(iter(file_predictors(opened.payload, target).values()))
    scores = score(predict_all(predict, validation), validation)
    if as_json:
        _print_json({region: value.model_dump() for region, value in scores.items()})
    else:
        tables.show_scores(out, f"{opened.path.name}, {images} composites", scores)


@app.command()
def quantize(
    artifact: ArtifactPath,
    data: DataOption = "procedural",
    calibration: Annotated[int, typer.Option(min=1, help="Calibration pictures.")] = 64,
    images: ImagesOption = 16,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Quantize a float artefact to int8 by NNCF's post-training quantization."""
    from edgemat.stages.quantizing import quantize_stage

    opened, validation = _open_with_validation(artifact, data, images)
    made = quantize_stage(
        opened,
        _data_section(opened, data),
        validation,
        count=calibration,
        out=output or opened.path.parent,
    )
    _show_artifacts([made], as_json)


@app.command()
def convert(
    artifact: ArtifactPath,
    target: Annotated[list[str], typer.Option(help="tflite-fp32, tflite-int8, coreml-fp16, ...")],
    data: DataOption = "procedural",
    images: ImagesOption = 16,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Convert an artefact to mobile files, run each, and write down how well it agrees."""
    from convert.target import find_target
    from edgemat.stages.converting import convert_stage

    for name in target:
        find_target(name)
    opened, validation = _open_with_validation(artifact, data, images)
    shelf = output or opened.path.parent
    made = [convert_stage(opened, name, validation, out=shelf)[0] for name in target]
    _show_artifacts(made, as_json)


@app.command()
def verify(
    artifact: ArtifactPath,
    data: DataOption = "procedural",
    images: ImagesOption = 16,
    as_json: AsJson = False,
) -> None:
    """Run a mobile file and compare it with the model that it was made from."""
    from convert.target import find_target
    from edgemat.loading import find_parent
    from edgemat.stages.converting import verify_file

    opened, validation = _open_with_validation(artifact, data, images)
    if opened.manifest.target is None:
        raise UsageError(
            f"{opened.path.name} is no mobile file.", remedy="Give a tflite or coreml artefact."
        )
    target = find_target(opened.manifest.target)
    verified = verify_file(opened.payload, target, find_parent(opened), validation)
    if as_json:
        _print_json([agreement.model_dump() for agreement in verified.agreements])
    else:
        tables.show_verified(out, f"{opened.path.name}, {images} composites", verified)


@app.command()
def bench(
    files: Annotated[list[Path], typer.Argument(help="TFLite artefacts or .tflite files.")],
    threads: Annotated[list[int] | None, typer.Option(help="Once per number; 1 and 2.")] = None,
    runs: Annotated[int, typer.Option(min=1)] = 100,
    seconds: Annotated[float, typer.Option(min=0.0)] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Measure the latency of .tflite files on this machine, in turns."""
    from bench.devices.host import bench_host
    from bench.protocol import Protocol
    from edgemat.artifact import Artifact
    from edgemat.progress import progress_bar

    short = len({file.name for file in files}) == len(files)
    paths = {
        file.name if short else str(file): file
        if file.suffix == ".tflite"
        else Artifact(file).payload
        for file in files
    }
    with progress_bar("measuring on this host", 1000) as show:
        results = bench_host(
            paths,
            threads=tuple(threads or (1, 2)),
            protocol=Protocol(runs=runs, seconds=seconds),
            progress=lambda done, total: show(1000 * done // total),
        )
    if as_json:
        _print_json([result.to_json() for result in results])
    else:
        tables.show_latencies(out, results)


@app.command()
def gate(
    artifact: ArtifactPath,
    sad: Annotated[str, typer.Option(help="Bound on SAD in the unknown region.")] = "+5%",
    grad: Annotated[str, typer.Option(help="Bound on Grad in the unknown region.")] = "+10%",
    as_json: AsJson = False,
) -> None:
    """Hold a file's errors against the float model's; exit status 1 when a bound is broken."""
    from bench.gate import Bound, enforce, judge
    from edgemat.artifact import Artifact
    from edgemat.loading import float_ancestor

    opened = Artifact(artifact)
    reference = float_ancestor(opened).manifest.scores["unknown"].model_dump()
    bounds = (Bound("sad", sad), Bound("grad", grad))
    verdicts = judge(bounds, opened.manifest.scores["unknown"].model_dump(), reference=reference)
    if as_json:
        _print_json([verdict.to_json() for verdict in verdicts])
    else:
        tables.show_verdicts(out, verdicts)
    enforce(verdicts)


def _data_section(artifact: Artifact, data: str) -> DataSection:
    from edgemat.recipe import DataSection

    kinds = "portrait" if artifact.manifest.task == "portrait" else "all"
    return DataSection.model_validate({"source": data, "kinds": kinds})


def _open_with_validation(path: Path, data: str, images: int) -> tuple[Artifact, EvaluationSet]:
    from edgemat.artifact import Artifact
    from edgemat.validation import VALIDATION_SEED, evaluation_set

    artifact = Artifact(path)
    manifest = artifact.manifest
    validation = evaluation_set(
        _data_section(artifact, data),
        task=manifest.task,
        size=(manifest.feeding.height, manifest.feeding.width),
        count=images,
        seed=VALIDATION_SEED + (manifest.seed or 0),
    )
    return artifact, validation


def _show_artifacts(artifacts: list[Artifact], as_json: bool) -> None:
    if as_json:
        _print_json([a.manifest.model_dump(mode="json") | {"path": str(a.path)} for a in artifacts])
        return
    for artifact in artifacts:
        tables.show_path(out, artifact.path)


if __name__ == "__main__":
    main()
