"""`edgemat data`: make training data out of what a user has."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemat.cli import tables
from edgemat.cli.common import BackgroundsOption, RayOption, rgb_numbers
from edgemat.doctor import needs
from edgemat.errors import GateFailed, UsageError
from edgemat.terminal import AsJson, out, print_json

if TYPE_CHECKING:
    from edgemat.data.teacher import Teacher

app = typer.Typer(help="Make training data out of what you have.", no_args_is_help=True)
SHOWN = 10


@app.callback()
def data() -> None:
    """Make training data out of what you have."""


@app.command()
@needs("classical")
def soften(
    source: Annotated[Path, typer.Argument(help="Folder with image/ and mask/.")],
    output: Annotated[Path, typer.Argument(help="Folder for image/, alpha/ and foreground/.")],
    inside: Annotated[
        float, typer.Option(min=0, help="Unknown region inside the mask, px at 640 px.")
    ] = 10.0,
    outside: Annotated[
        float, typer.Option(min=0, help="Unknown region outside the mask, px at 640 px.")
    ] = 14.0,
    method: Annotated[str, typer.Option(help="closed-form, or knn.")] = "closed-form",
    labels: Annotated[
        str | None,
        typer.Option(help="Class numbers that are foreground, where masks hold them: 1,15."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Turn photographs with masks into soft alpha mattes, by classical matting at their edges."""
    from edgemat.data.soften import Softening, soften_folder
    from edgemat.progress import share_bar

    with share_bar("softening masks") as show:
        done = soften_folder(
            source,
            output,
            Softening(method, inside, outside, _numbers(labels)),
            progress=show,
        )
    if as_json:
        skipped = [{"name": name, "reason": reason} for name, reason in done.skipped]
        print_json({"made": done.made, "kept": done.kept, "skipped": skipped})
        return
    out.print(f"{done.made} mattes made, {done.kept} kept from before, in {output}.")
    reasons = [f"{name}: {reason}" for name, reason in done.skipped]
    _show_some(f"{len(reasons)} skipped:", reasons)


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
@needs("label")
def label(
    source: Annotated[Path, typer.Argument(help="Folder of photographs, or with image/.")],
    output: Annotated[Path, typer.Argument(help="Folder for image/, alpha/ and foreground/.")],
    teacher: Annotated[Path, typer.Option(help="Network that draws the mattes, an .onnx file.")],
    where: Annotated[
        str | None,
        typer.Option(help='Who says whose matte: RVM, or "mask" for the folder\'s own masks.'),
    ] = None,
    least_agreement: Annotated[
        float, typer.Option(min=0, max=1, help="IoU of both below which a label is left out.")
    ] = 0.9,
    side: Annotated[
        int, typer.Option(min=64, help="Longer side for a network of any size, px.")
    ] = 512,
    mean: Annotated[str | None, typer.Option(help="Of RGB in 0..1, as --teacher takes it.")] = None,
    std: Annotated[str | None, typer.Option(help="Deviation that --teacher divides by.")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Photographs at once.")] = 1,
    ray: RayOption = None,
    as_json: AsJson = False,
) -> None:
    """Draw soft mattes for photographs without any, by a large network, or by two."""
    from edgemat.data.label import LABELS_FILE, label_folder, masks_of, seen_by
    from edgemat.data.teacher import Feed, Teacher
    from edgemat.progress import share_bar

    if (mean is None) != (std is None):
        raise UsageError("--mean and --std go together.", remedy="Give both, or none.")
    feed = None
    if mean is not None and std is not None:
        feed = Feed(rgb_numbers("--mean", mean), rgb_numbers("--std", std))
        if min(feed.std) <= 0:
            raise UsageError(f"A deviation of {std} is impossible.", remedy="Give three above 0.")
    drawing = Teacher(teacher, feed=feed, side=side, threads=threads)
    by = drawing.identity
    says_where = None
    if where == "mask":
        says_where, by = masks_of(source), f"{by}+mask"
    elif where is not None:
        finder = _open_finder(Path(where), side=side, threads=threads)
        says_where, by = seen_by(finder.predict), f"{by}+{finder.identity}"
    with share_bar("labelling") as show:
        labels = label_folder(
            source,
            output,
            draw=drawing.predict,
            where=says_where,
            by=by,
            least_agreement=least_agreement,
            workers=jobs,
            ray=ray,
            progress=show,
        )
    if as_json:
        print_json([asdict(one) for one in labels])
        return
    left_out = [one for one in labels if one.left_out]
    out.print(f"{len(labels) - len(left_out)} labels in {output}, agreement in {LABELS_FILE}.")
    _show_some(f"{len(left_out)} left out:", [f"{one.name}: {one.left_out}" for one in left_out])


def _open_finder(path: Path, *, side: int, threads: int) -> Teacher:
    from edgemat.data.teacher import Teacher

    try:
        return Teacher(path, side=side, threads=threads)
    except UsageError as error:
        raise UsageError(
            f"--where: {error.message}", remedy="Give RVM's file, or mask; others draw alone."
        ) from error


def _show_some(title: str, lines: list[str]) -> None:
    if not lines:
        return
    out.print(title)
    for line in lines[:SHOWN]:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    if len(lines) > SHOWN:
        out.print(f"  and {len(lines) - SHOWN} more; --json lists all.")


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
    folder: Annotated[Path, typer.Argument(help="Folder of mattes, cut-outs or photographs.")],
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
            f"{folder} has {len(names)} mattes, masks or photographs, too few for one in {every}.",
            remedy=f"Give more, or --every {max(len(names), 2)} or less.",
        )
    write_held_out(folder, chosen)
    out.print(f"{len(chosen)} of {len(names)} held out: {folder / HELD_OUT_FILE}", soft_wrap=True)


@app.command()
def layouts() -> None:
    """Show how the published sets are laid out, and what recipes call them."""
    from edgemat.data.layouts.check import known_sets

    for name, (title, tree) in known_sets().items():
        out.print(f"{name}: {title}{tree}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="Set, such as adobe; `layouts` shows them all.")],
    path: Annotated[Path, typer.Argument(help="Its folder, or an .npz of small pictures.")],
    as_json: AsJson = False,
) -> int:
    """Look whether a set is complete: counts, sizes, partners, mattes; exit status 1 if not."""
    from edgemat.data.layouts.check import check_set
    from edgemat.progress import share_bar

    with share_bar("checking") as show:
        found = check_set(name, path, progress=show)
    if as_json:
        print_json(found.to_json())
    else:
        tables.show_checked_set(out, found)
        _show_some(f"{len(found.problems)} problems:", found.problems)
    return GateFailed.exit_code if found.problems else 0


@app.command()
def shard(
    source: Annotated[Path, typer.Argument(help="Folder of a set of mattes.")],
    output: Annotated[Path, typer.Argument(help="New folder for the .tar files.")],
    layout: Annotated[
        str, typer.Option(help="How the set is laid out; `layouts` shows them all.")
    ] = "own",
    megabytes: Annotated[int, typer.Option(min=1, help="Of a shard, about.")] = 256,
    as_json: AsJson = False,
) -> None:
    """Write a set as WebDataset shards: a few large files instead of a million small ones."""
    from edgemat.data.layouts.table import known_layout
    from edgemat.data.shard import write_shards
    from edgemat.progress import share_bar

    known = known_layout(layout)
    with share_bar("writing shards") as show:
        written = write_shards(
            source,
            output,
            layout=known,
            megabytes=megabytes,
            progress=show,
        )
    if as_json:
        print_json({"shards": [str(path) for path in written]})
    else:
        out.print(f'{len(written)} shards in {output}: layout = "webdataset".', soft_wrap=True)


@app.command()
def pack(
    recipe: Annotated[Path, typer.Argument(help="A recipe; what it reads is packed.")],
    output: Annotated[Path, typer.Argument(help="New folder, in which the recipe can be trained.")],
    longer_side: Annotated[
        int, typer.Option(min=64, help="That no picture exceeds, px.")
    ] = 288,  # of which networks learn views of 256 px
    as_json: AsJson = False,
) -> None:
    """Write all that a recipe reads, made small, to be carried to a machine with a GPU."""
    from edgemat.progress import share_bar
    from edgemat.recipe.load import load_recipe
    from edgemat.workflow.packing import pack_recipe

    with share_bar("packing") as show:
        count, size = pack_recipe(load_recipe(recipe), output, side=longer_side, progress=show)
    if as_json:
        print_json({"pictures": count, "bytes": size, "folder": str(output)})
    else:
        out.print(f"{count:,} pictures, {size / 1e6:.1f} MB in all, in {output}.", soft_wrap=True)


@app.command("compose-published")
def compose_published(
    name: Annotated[str, typer.Argument(help="Set with foregrounds, such as adobe.")],
    path: Annotated[Path, typer.Argument(help="Its folder.")],
    backgrounds: Annotated[Path, typer.Argument(help="Folder of backgrounds, such as VOC's.")],
    output: Annotated[Path, typer.Argument(help="Folder for image/, alpha/ and trimap/.")],
    order: Annotated[
        Path | None, typer.Option(help="Text file with the backgrounds' names in order.")
    ] = None,
    foregrounds: Annotated[
        Path | None, typer.Option(help="Text file with the foregrounds' names in order.")
    ] = None,
    trimaps: Annotated[
        Path | None, typer.Option(help="Folder of NAME_0.png, NAME_1.png ...")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Backgrounds for each foreground.")] = 20,
) -> None:
    """Write a set's test composites by the published rule of Composition-1k."""
    from edgemat.data.layouts.table import known_layout
    from edgemat.data.published import compose_published as compose
    from edgemat.progress import progress_bar

    layout = known_layout(name, called="set")
    with progress_bar("composing", 1000) as show:
        made = compose(
            path,
            output,
            layout=layout,
            backgrounds=backgrounds,
            names=_lines(order),
            foregrounds=_lines(foregrounds),
            each=each,
            trimaps=trimaps,
            progress=show,
        )
    out.print(f"{made} composites in {output}.")


def _lines(file: Path | None) -> list[str] | None:
    if file is None:
        return None
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {error}.", remedy="It is a text file, a name a line."
        ) from error
