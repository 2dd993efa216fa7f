"""`edgemat quality`, `bias` and `flicker`: how good models are, for whom, and how steady."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import ArtifactPath, BackgroundsOption, extras_of
from edgemat.doctor import require
from edgemat.errors import UsageError
from edgemat.terminal import AsJson, err, out, print_json

if TYPE_CHECKING:
    from edgemat.data.mix import Backgrounds


def quality(
    bars: Annotated[Path, typer.Argument(help="Bars, such as recipes/weights/bars.toml.")],
    threads: Annotated[int, typer.Option(min=1)] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Photographs of each set.")] = None,
    as_json: AsJson = False,
) -> int:
    """Judge the shipped models, float and int8, by quality bars on photographs."""
    from edgemat.bench.quality import load_bars, measure_quality
    from edgemat.errors import GateFailed

    rows = measure_quality(load_bars(bars), threads=threads, limit=limit, progress=err.print)
    if as_json:
        print_json([row.to_json() for row in rows])
    else:
        tables.show_quality(out, rows)
    failed = any(row.verdict is not None and not row.verdict.passed for row in rows)
    return GateFailed.exit_code if failed else 0


def bias(
    model: ArtifactPath = Path("portrait"),
    backgrounds: BackgroundsOption = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also people that recipes train on.")
    ] = False,
    worst: Annotated[
        Path | None, typer.Option(help="Picture file for the people with the largest errors.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a model's errors by skin tone and hair, on rendered people."""
    from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact

    path = find_artifact(model, target=SHIPPED_TARGET)
    require(*extras_of([path]))
    from edgemat.bench.bias import measure_bias
    from edgemat.bench.peers.sheet import draw_sheet
    from edgemat.images import write_image
    from edgemat.progress import share_bar

    behind = _backgrounds(backgrounds)
    with share_bar("measuring") as show:
        found = measure_bias(
            path,
            behind,
            part="all" if everyone else "held-out",
            progress=show,
        )
    if as_json:
        print_json(found.to_json())
    else:
        tables.show_bias(out, found.groups)
    if worst is not None:
        write_image(worst, draw_sheet(found.worst, [path.name]))


def flicker(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Shipped models, in float and int8, or artefacts: portrait by default."
        ),
    ] = None,
    clip: Annotated[
        Path | None, typer.Option(help="A video instead of moved stills: no truth is known.")
    ] = None,
    people: Annotated[
        int | None, typer.Option(min=1, help="Rendered people, a scene of each: 8 by default.")
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="Of each scene, or of the video.")] = 24,
    backgrounds: BackgroundsOption = None,
    as_json: AsJson = False,
) -> None:
    """Measure how much mattes flicker (dtSSD), in float and int8, with and without smoothing."""
    files = _files_of(models or ["portrait"])
    require(*extras_of(files.values()))
    from edgemat.bench.flicker import PEOPLE_MOVED, clip_scene, measure_flicker, moved_people
    from edgemat.progress import share_bar

    if clip is not None and (backgrounds is not None or people is not None):
        raise UsageError(
            "A video has people and backgrounds of its own.",
            remedy="Leave --people and --backgrounds out, or --clip.",
        )
    if clip is None:
        behind = _backgrounds(backgrounds)
        scenes = moved_people(behind, count=people or PEOPLE_MOVED, frames=frames)
    else:
        scenes = [clip_scene(clip, frames=frames)]
    with share_bar("measuring") as show:
        found = measure_flicker(files, scenes, progress=show)
    if as_json:
        print_json([one.to_json() for one in found])
    else:
        tables.show_flicker(out, found)


def _files_of(models: Sequence[str]) -> dict[str, Path]:
    """Return the files of models by names that tell them apart; a shipped one has two."""
    from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact, shipped_models
    from edgemat.bench.peers.entries import name_models

    files = []
    for model in models:
        files.append(find_artifact(model))
        if model in shipped_models():
            files.append(find_artifact(model, target=SHIPPED_TARGET))
    return name_models(files)


def _backgrounds(folder: Path | None) -> Backgrounds:
    """Return what rendered people are put before: photographs, or drawn backgrounds."""
    from edgemat.data.drawn.source import ProceduralSource
    from edgemat.data.mix import Photographs

    return ProceduralSource(1, size=(512, 512)) if folder is None else Photographs(folder)
