"""`edgemat experiments`: the small experiments of the thesis, on short schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgemat.cli import experiment_tables as tables
from edgemat.doctor import needs
from edgemat.errors import UsageError, nearest
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.experiments.fit import Fitted
    from edgemat.experiments.trial import Trial

app = typer.Typer(help="Small experiments of the thesis, on short schedules.", no_args_is_help=True)

Models = Annotated[
    list[str] | None, typer.Option("--model", help="Network to compare; repeat for more.")
]
Steps = Annotated[int, typer.Option(min=1, help="Batches that each network sees.")]
Width = Annotated[float, typer.Option(min=0.05, max=4.0, help="Multiplier of all channels.")]
Seed = Annotated[int, typer.Option(min=0)]
FiguresOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="JSON file for the figures.")
]


@app.callback()
def experiments() -> None:
    """Compare samplings as the thesis does, on short schedules."""


@app.command()
@needs("report", "train")
def reconstruct(
    data: Annotated[
        Path | None,
        typer.Option(help="Fashion-MNIST: folder of idx files, or .npz; a built-in set without."),
    ] = None,
    model: Models = None,
    steps: Steps = 1000,
    width: Width = 1.0,
    seed: Seed = 1,
    output: FiguresOption = None,
    as_json: AsJson = False,
) -> None:
    """Give pictures back through one sampling or another (Table 3.2)."""
    from edgemat.data.small_pictures import read_small_pictures
    from edgemat.experiments.kinds import order_holds
    from edgemat.experiments.reconstruct import MODELS, run_reconstruction

    models = model or MODELS
    pictures = read_small_pictures(data)
    with _progress(models, steps) as show:
        fitted = run_reconstruction(
            pictures, models=models, steps=steps, width=width, seed=seed, progress=show
        )
    holds = order_holds({one.model: one.fidelity.psnr for one in fitted})
    _finish("Reconstruction", fitted, {"order_of_table_3_2": holds}, output, as_json)
    if holds is not None and not as_json:
        out.print(
            "Guided above max-unpooling above blind upsampling, as in Table 3.2: "
            + ("yes." if holds else "no, not on this schedule.")
        )


@app.command()
@needs("report", "train")
def denoise(
    images: Annotated[Path, typer.Argument(help="Folder of photographs; every tenth is held out.")],
    sigma: Annotated[float, typer.Option(min=0.1, max=255, help="Of the noise, in 0..255.")] = 25.0,
    model: Models = None,
    steps: Steps = 400,
    width: Width = 1.0,
    seed: Seed = 1,
    output: FiguresOption = None,
    as_json: AsJson = False,
) -> None:
    """Take noise out of pictures through one sampling or another (Table 3.6)."""
    from edgemat.experiments.denoise import MODELS, run_denoising

    models = model or MODELS
    with _progress(models, steps) as show:
        fitted = run_denoising(
            images,
            sigma=sigma,
            models=models,
            steps=steps,
            width=width,
            seed=seed,
            progress=show,
        )
    _finish("Denoising", fitted, {"sigma": sigma}, output, as_json)


@app.command()
@needs("train")
def degrade(
    model: Annotated[str, typer.Option(help="Network that takes a trimap.")] = "indexnet-slim",
    steps: Steps = 400,
    seed: Seed = 1,
    output: FiguresOption = None,
    as_json: AsJson = False,
) -> None:
    """Blur and compress training pictures, with the old matte or with theirs (Table 5.1)."""
    from edgemat.experiments.degrade import ROWS, run_degradation

    with _progress(tuple(ROWS), steps) as show:
        rows = run_degradation(model=model, steps=steps, seed=seed, progress=show)
    value = {"rows": [one.to_json() for one in rows], "seed": seed, "steps": steps}
    _tell(value, output, as_json, lambda: tables.show_degradation(out, rows))


@app.command()
@needs("train")
def series(
    subject: Annotated[
        str, typer.Argument(help="reconstruct, denoise, segment, depth or portraits.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File of runs, to resume from.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Fashion-MNIST; or photographs to denoise: those to learn from, then, again with "
            "--data, those to judge by; or the folder of SUN RGB-D, ADE20K or NYUDv2."
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="ImageNet's weights for encoders of VGG-16, MobileNetV2 and ResNet-50 at full "
            "width (--protocol thesis): torchvision, or a file."
        ),
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="short, or thesis: weeks or more; or the path of a .toml file.")
    ] = "short",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the protocol, such as epochs=5; repeat for more."),
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(min=0.1, max=255, help="Of noise to take out, in 0..255; 25 else."),
    ] = None,
    model: Models = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Repeat; 1, 2, 3 else.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train networks from several seeds, in a file that a killed command resumes from."""
    from edgemat.bench.devices.host import host_processor
    from edgemat.experiments.protocol import SUBJECTS, read_protocol
    from edgemat.experiments.series import run_series
    from edgemat.progress import share_bar

    known = next((one for one in SUBJECTS if one == subject), None)
    if known is None:
        raise UsageError(f"There is no {subject!r}.", remedy=nearest(subject, SUBJECTS))
    own = read_protocol(known, protocol, changes or ())
    if init is not None and subject in ("segment", "depth"):
        from edgemat.experiments.dense import DEPTH, SEGMENTATION, check_init

        default = SEGMENTATION if subject == "segment" else DEPTH
        check_init(model or default, init, width=own.width)
    trial = _trial(subject, data or [], sigma, init)
    with share_bar("training") as show:
        found = run_series(
            output,
            trial,
            own,
            models=model,
            seeds=seed or (1, 2, 3),
            processor=host_processor(),
            progress=show,
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        tables.show_series(out, found)


def _trial(subject: str, data: Sequence[Path], sigma: float | None, init: str | None) -> Trial:
    """Return the experiment on the data that an option names."""
    if init is not None and subject not in ("segment", "depth"):
        raise UsageError(
            f"{subject} starts from random weights.", remedy="Leave --init to segment and depth."
        )
    if sigma is not None and subject != "denoise":
        raise UsageError(f"{subject} has no noise.", remedy="Leave --sigma to denoise.")
    if subject == "reconstruct" and len(data) <= 1:
        from edgemat.data.small_pictures import read_small_pictures
        from edgemat.experiments.reconstruct import reconstruction_trial

        path = data[0] if data else None
        name = path.resolve().stem if path else "the built-in set"
        return reconstruction_trial(read_small_pictures(path), data=name)
    if subject == "denoise" and len(data) >= 2:
        from edgemat.experiments.denoise import denoising_trial

        return denoising_trial(data[0], data[1:], sigma=25.0 if sigma is None else sigma)
    if subject == "segment" and len(data) == 1:
        from edgemat.experiments.dense import segmentation_trial

        return segmentation_trial(data[0], init=init)
    if subject == "depth" and len(data) == 1:
        from edgemat.experiments.dense import depth_trial

        return depth_trial(data[0], init=init)
    if subject == "portraits" and not data:
        from edgemat.experiments.portraits import portraits_trial

        return portraits_trial()
    raise UsageError(
        f"{len(data)} times --data is not what {subject} takes.",
        remedy="reconstruct: one at most; denoise: photographs to learn from, then those to judge "
        "by; segment and depth: one folder; portraits: none.",
    )


@contextmanager
def _progress(models: Sequence[str], steps: int) -> Iterator[Callable[[str, int], None]]:
    from edgemat.progress import progress_bar

    with progress_bar("training", len(models) * steps) as show:
        yield lambda name, step: show(list(models).index(name) * steps + step)


def _finish(
    title: str,
    fitted: Sequence[Fitted],
    facts: dict[str, Any],
    output: Path | None,
    as_json: bool,
) -> None:
    """Show and write what came out."""
    value = {"outcomes": [one.to_json() for one in fitted]} | facts
    _tell(value, output, as_json, lambda: tables.show_fitted(out, title, fitted))


def _tell(
    value: dict[str, Any], output: Path | None, as_json: bool, show: Callable[[], None]
) -> None:
    """Write figures to a file, if asked for, and print them as JSON or as `show` does."""
    from edgemat.files import write_json

    if output is not None:
        write_json(output, value)
    if as_json:
        print_json(value)
    else:
        show()
