"""The page of the thesis' experiments: `python -m tools.experiments docs/experiments.md`.

Nothing is trained: it prints what `edgemat experiments series` has left in docs/experiments/.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgemat.experiments.protocol import SeriesProtocol
from edgemat.experiments.series import Series, read_series
from edgemat.experiments.summary import NetworkSummary, orders, summarise
from edgemat.files import write_text
from edgemat.terminal import run_app

FOLDER = Path(__file__).parents[1] / "docs" / "experiments"
TITLES = {
    "reconstruct": "Reconstruction (Tables 3.2 and 4.1)",
    "denoise": "Denoising (Table 3.6)",
    "segment": "Segmentation (Tables 3.7 and 3.8)",
    "depth": "Depth (Tables 3.9 and 3.10)",
    "portraits": "Mattes of rendered people (as Table 3.4 compares)",
}
SAMPLES = {
    **{"reconstruct": "pictures", "denoise": "patches", "segment": "crops", "depth": "pictures"},
    "portraits": "composites",
}
FIGURES = {
    **{"psnr": "PSNR, dB", "ssim": "SSIM", "mae": "MAE", "mse": "MSE", "sad": "SAD"},
    **{"miou": "mIoU", "accuracy": "accuracy", "rms": "rms, m", "rel": "rel", "log10": "log10"},
    **{"delta1": "delta < 1.25", "delta2": "delta < 1.25^2", "delta3": "delta < 1.25^3"},
}
INTRODUCTION = """\
# The thesis' experiments, in short

Made by `python -m tools.experiments docs/experiments.md` of the runs in `docs/experiments/`; a test
makes it again and compares.

The claim of chapter 3 is an order: upsampling that is guided by what the encoder saw (index
networks, A2U) beats max-unpooling, and that beats blind upsampling. **These figures are of short
protocols, not of the thesis'**: fewer pictures, narrower networks, other optimisers, as is said
above each table. They say whether the order shows as early as that, and nothing of what the
networks reach at full length. ± is the standard deviation over seeds; the best comes first, and a
network that is not in a table was not run. The claim is not about *other* ones: they keep all
values (space-to-depth), learn both ways (deconvolution), do not sample (DnCNN) or are guided in one
part alone (UperNet).
The short protocols' optimiser is Adam, where the thesis has SGD for reconstruction: at such lengths
the order may depend on it.

Each command resumes where it was stopped and adds seeds or networks to its file. At full length
(`--protocol thesis`, into another file) the first takes weeks on such a core, as many as seeds:

    edgemat experiments series reconstruct --data fashion_mnist.npz -o reconstruct.json
    edgemat experiments series denoise --data PHOTOGRAPHS --data BSD68 --data Set12 -o denoise.json
    edgemat experiments series segment --data SUNRGBD -o segment.json
    edgemat experiments series depth --data NYUDv2 -o depth.json
    edgemat experiments series portraits -o portraits.json"""

app = typer.Typer(add_completion=False)


@app.command()
def main(output: Annotated[Path, typer.Argument(help="Markdown file to write.")]) -> None:
    """Write the page, in one step."""
    write_text(output, page())


def page(folder: Path = FOLDER) -> str:
    """Return the whole page as Markdown, of the files of runs in a folder."""
    sections = []
    for subject, title in TITLES.items():
        file = folder / f"{subject}.json"
        missing = f"## {title}\n\nNothing has been run yet that could be shown here."
        sections.append(section(read_series(file)) if file.exists() else missing)
    return "\n\n".join([INTRODUCTION, *sections]) + "\n"


def section(series: Series) -> str:
    """Return what the runs of one experiment say."""
    rows = summarise(series)
    names = [_figure(name) for name in rows[0].figures]
    if series.subject == "reconstruct":
        names = [name.replace("MSE", "MSE (its root)") for name in names]  # as the thesis prints it
    head = ["network", "upsampling", "seeds", *names, "training, s"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    machines = "; ".join(sorted({run.processor for run in series.runs}))
    facts = f"Data: {series.data}. {_protocol(series)} On: {machines}."
    return "\n\n".join(
        [f"## {TITLES[series.subject]}", facts, "\n".join(lines), _verdict(series, rows)]
    )


def _figure(name: str) -> str:
    *of, what = name.split()
    return " ".join([*of, FIGURES.get(what, what.capitalize())])


def _cells(row: NetworkSummary) -> list[str]:
    figures = [str(spread) for spread in row.figures.values()]
    seeds = ", ".join(map(str, row.seeds))
    return [f"`{row.model}`", row.kind, seeds, *figures, f"{row.seconds:,.0f}"]


def _protocol(series: Series) -> str:
    own: SeriesProtocol = series.protocol
    decay = f", weight decay {own.weight_decay:g}" if own.weight_decay else ""
    falls = " and ".join(filter(None, [", ".join(map(str, own.falls[:-1])), str(own.falls[-1])]))
    return (
        f"Protocol *{own.name}*: {own.epochs} epochs of {own.samples:,} {SAMPLES[series.subject]} "
        f"in batches of {own.batch} ({own.epochs * own.steps:,} steps), {own.optimizer.upper()} at "
        f"{own.learning_rate:g}, a tenth of it after epochs {falls}{decay}; "
        f"channels x {own.width:g}."
    )


def _verdict(series: Series, rows: Sequence[NetworkSummary]) -> str:
    """Say in how many seeds the order holds, and what breaks it."""
    found = orders(series)
    if series.subject == "depth":
        return "None of the depth networks unpools maxima: there is no order of three."
    if not found:
        return "No seed has all three kinds yet."
    held = [seed for seed, holds in found.items() if holds]
    text = f"Guided above max-unpooling above blind: in {len(held)} of {len(found)} seeds"
    means = {kind: [r for r in rows if r.kind == kind] for kind in {r.kind for r in rows}}
    guided, unpooled, blind = (means[k] for k in ("guided", "max-unpooling", "blind"))
    against = [
        f"`{below.model}` lies below `{above.model}`"
        for uppers, lowers in ((guided, unpooled), (unpooled, blind))
        for below in uppers
        for above in lowers
        if rows.index(below) > rows.index(above)
    ]
    return f"{text}; by the means, {' and '.join(against)}." if against else f"{text}."


if __name__ == "__main__":
    raise SystemExit(run_app(app))
