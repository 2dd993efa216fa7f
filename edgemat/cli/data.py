"""`edgemat data`: make training data out of what a user has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.cli.common import BackgroundsOption
from edgemat.errors import UsageError
from edgemat.terminal import AsJson, out, print_json

app = typer.Typer(help="Make training data out of what you have.", no_args_is_help=True)
SHOWN = 10


@app.callback()
def data() -> None:
    """Make training data out of what you have."""


@app.command()
def soften(
    source: Annotated[Path, typer.Argument(help="Folder with image/ and mask/.")],
    output: Annotated[Path, typer.Argument(help="Folder for image/, alpha/ and foreground/.")],
    inside: Annotated[
        float, typer.Option(min=0, help="Unknown region inside the mask, px at 640 px.")
    ] = 10.0,
    outside: Annotated[
        float, typer.Option(min=0, help="Unknown region outside the mask, px at 640 px.")
    ] = 14.0,
    labels: Annotated[
        str | None,
        typer.Option(help="Class numbers that are foreground, where masks hold them: 1,15."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Turn photographs with masks into soft alpha mattes, by closed-form matting at their edges."""
    from edgemat.data.soften import soften_folder
    from edgemat.progress import share_bar

    with share_bar("softening masks") as show:
        done = soften_folder(
            source,
            output,
            inside=inside,
            outside=outside,
            labels=_numbers(labels),
            progress=show,
        )
    if as_json:
        skipped = [{"name": name, "reason": reason} for name, reason in done.skipped]
        print_json({"made": done.made, "kept": done.kept, "skipped": skipped})
        return
    out.print(f"{done.made} mattes made, {done.kept} kept from before, in {output}.")
    if done.skipped:
        out.print(f"{len(done.skipped)} skipped:")
        for name, reason in done.skipped[:SHOWN]:
            out.print(f"  {name}: {reason}", markup=False, soft_wrap=True)
        if len(done.skipped) > SHOWN:
            out.print(f"  and {len(done.skipped) - SHOWN} more; --json lists all.")


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no list of class numbers.", remedy="Write for example --labels 1,15."
        ) from error


@app.command()
def draw(
    output: Annotated[Path, typer.Argument(help="Folder for RGBA cut-outs.")],
    kinds: Annotated[str, typer.Option(help="all, portrait or objects.")] = "objects",
    count: Annotated[int, typer.Option(min=1)] = 1000,
    size: Annotated[int, typer.Option(min=64, help="Side of the pictures, px.")] = 512,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Draw procedural cut-outs once, for a training that is to read them many times."""
    from edgemat.data.compose import draw_folder
    from edgemat.data.open import KINDS
    from edgemat.errors import nearest
    from edgemat.progress import progress_bar

    if kinds not in KINDS:
        raise UsageError(f"There are no kinds named {kinds!r}.", remedy=nearest(kinds, KINDS))
    with progress_bar("drawing", count) as show:
        draw_folder(output, kinds=kinds, count=count, size=size, seed=seed, progress=show)
    out.print(f"{count} cut-outs in {output}.")


@app.command()
def compose(
    source: Annotated[str, typer.Argument(help='Cut-outs: "people", "procedural" or a folder.')],
    output: Annotated[Path, typer.Argument(help="Folder for image/ and alpha/.")],
    backgrounds: BackgroundsOption = None,
    count: Annotated[int, typer.Option(min=1, help="Composites.")] = 40,
    size: Annotated[int, typer.Option(min=64, help="Side of the composites, px.")] = 512,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only cut-outs that recipes hold out.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Write cut-outs over backgrounds, with their true alpha: a test set of pictures."""
    from edgemat.data.compose import compose_folder
    from edgemat.progress import progress_bar

    with progress_bar("composing", count) as show:
        compose_folder(
            source,
            output,
            backgrounds=backgrounds,
            count=count,
            size=size,
            part="held-out" if held_out else "all",
            seed=seed,
            progress=show,
        )
    out.print(f"{count} composites in {output}.")


@app.command("hold-out")
def hold_out(
    folder: Annotated[Path, typer.Argument(help="Folder of mattes, or of cut-outs.")],
    every: Annotated[
        int, typer.Option(min=2, help="Of the names in order, hold every so many-th out.")
    ] = 10,
) -> None:
    """Fix which mattes of a folder are never trained on, in its held-out.txt.

    Without that file a tenth is held out by a hash of the names. Write it where a set comes with a
    split of its own, a name a line; or by this command, where a rule is known.
    """
    from edgemat.data.folder import folder_names
    from edgemat.data.split import HELD_OUT_FILE, write_held_out

    names = sorted(folder_names(folder))
    chosen = names[every - 1 :: every]
    if not chosen:
        raise UsageError(
            f"{folder} has {len(names)} mattes or masks, too few for one in {every}.",
            remedy=f"Give more, or --every {max(len(names), 2)} or less.",
        )
    write_held_out(folder, chosen)
    out.print(f"{len(chosen)} of {len(names)} held out: {folder / HELD_OUT_FILE}", soft_wrap=True)
