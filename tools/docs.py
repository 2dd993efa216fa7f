"""Make every page that is generated anew: `make docs`.

What needs photographs, other people's networks or Core AI is left as it is where those are absent
(docs/data.md says what lies in data/; `make peers` and `make coreai` fetch the others), and is said
to be left. The page on own networks is written from what `python -m tools.own_networks` found last,
which takes a quarter of a day.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer

from edgemat.artifacts.shipped import (
    SHIPPED_TARGET,
    find_artifact,
    open_artifact,
    shipped_models,
)
from edgemat.bench.quality import load_bars
from edgemat.data.sample import DatasetPart
from edgemat.errors import EdgematError, GateFailed
from edgemat.files import write_text
from edgemat.report.photo import make_album
from edgemat.terminal import run_app
from tools import coreai_check, own_networks

ROOT = Path(__file__).parents[1]
MODELS = Path("docs/models")
BARS = Path("recipes/weights/bars.toml")
QUALITY = MODELS / "quality.json"
SHIPPED = MODELS / "index.md"
PEERS = Path("peers")
BEGIN, END = "<!-- quality: make docs -->\n", "<!-- end -->\n"
COREAI_BEGIN = "<!-- Core AI: make docs -->\n"
VERIFICATION = Path("docs/verification.md")
ALBUM = Path("data/portraits_real/image")
FIGURES = {
    "iou": "person IoU",
    "mad": "MAD",
    "sad_band": "SAD, unknown",
    "grad_band": "Grad, unknown",
    "times_closed_form": "times as fast as closed-form",
    "seen": "pictures in which someone is seen",
}

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Contest:
    """Where a model meets other people's networks.

    Attributes
    ----------
    folders:
        Of photographs, all in one run.
    part:
        Of them: "held-out", or "all" where nothing was trained on.
    options:
        More for `edgemat peers run`.
    """

    model: str
    folders: tuple[str, ...]
    part: DatasetPart = "all"
    options: tuple[str, ...] = ()


CONTESTS = {
    "portrait": Contest("portrait", ("data/portraits_eg1800", "data/fullbody_ccp"), "held-out"),
    "people": Contest(
        "portrait",
        ("data/coco_people", "data/pennfudan"),
        "held-out",
        ("--ignore-below", "0.04", "--no-classical", "--no-costs"),
    ),
    "refined": Contest(
        "portrait",
        ("data/composites_people",),
        options=("--refined", "--no-classical", "--no-costs"),
    ),
    "trimap": Contest("trimap", ("data/alphamatting_dev",)),
}
"""By the page that it is found on: peers-NAME.md."""


@dataclass(frozen=True)
class Page:
    """What is generated together.

    Attributes
    ----------
    name:
        The file, or the first of them.
    make:
        Writes it, from the repository's root.
    needs:
        Files and folders that not everybody has.
    packages:
        And packages of Python.
    """

    name: str
    make: Callable[[], object]
    needs: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def absent(self) -> list[str]:
        files = [str(path) for path in self.needs if not (ROOT / path).exists()]
        return files + [name for name in self.packages if importlib.util.find_spec(name) is None]


@app.command()
def main() -> None:
    """Make every generated page anew, and say which were left."""
    for page in pages():
        if page.absent:
            print(f"left     {page.name}: there is no {', '.join(page.absent)}", flush=True)
            continue
        page.make()
        print(f"written  {page.name}", flush=True)


def pages() -> Iterator[Page]:
    """Give the pages, those first that others are made of."""
    yield Page(
        "docs/result-schema.json",
        lambda: _keep_output(["-m", "edgemat.bench.schema"], Path("docs/result-schema.json")),
    )
    yield Page("docs/thesis.md", lambda: _python(["-m", "tools.thesis", "docs/thesis.md"]))
    yield Page(
        "docs/experiments.md", lambda: _python(["-m", "tools.experiments", "docs/experiments.md"])
    )
    yield Page("tests/vectors", lambda: _python(["-m", "tools.vectors", "tests/vectors"]))
    photographs = tuple(Path(one.folder) for one in load_bars(ROOT / BARS).sets)
    yield Page(str(QUALITY), _quality, photographs)
    for model in shipped_models():
        yield Page(f"{MODELS}/bias-{model}.json", _bias(model))
    for name, contest in CONTESTS.items():
        needs = (PEERS, *map(Path, contest.folders))
        yield Page(f"{MODELS}/peers-{name}.md", partial(_peers, name, contest), needs)
    for model in shipped_models():
        path = f"{MODELS}/{model}.md"
        yield Page(path, partial(_edgemat, ["card", model, "-o", path]))
    yield Page(str(SHIPPED), _shipped)
    yield Page("docs/album.jpg", _album, (ALBUM,))
    yield Page("docs/own-networks.md", _own_networks)
    yield Page(str(VERIFICATION), _coreai, packages=("coreai_torch",))


def _python(arguments: Sequence[str], *, passes: Sequence[int] = (0,)) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode not in passes:
        raise EdgematError(
            f"python {' '.join(arguments)} ended with exit status {done.returncode}.",
            remedy="Look at what it says above.",
        )
    return done.stdout


def _edgemat(arguments: Sequence[str]) -> str:
    # a bar that is missed is a figure like any other
    return _python(["-m", "edgemat.cli", *arguments], passes=(0, GateFailed.exit_code))


def _keep_output(arguments: Sequence[str], path: Path) -> None:
    write_text(ROOT / path, _python(arguments))


def _quality() -> None:
    write_text(ROOT / QUALITY, _edgemat(["quality", str(BARS), "--json"]))


def _bias(model: str) -> Callable[[], None]:
    def make() -> None:
        worst = f"{MODELS}/worst-{model}.jpg"
        said = _edgemat(["bias", model, "--json", "--worst", worst])
        write_text(ROOT / MODELS / f"bias-{model}.json", said)

    return make


def _peers(name: str, contest: Contest) -> None:
    ours = [find_artifact(contest.model), find_artifact(contest.model, target=SHIPPED_TARGET)]
    command = ["peers", "run", "--part", contest.part, "--models", str(PEERS)]
    command += ["--trimaps", "trimap1", *contest.options]
    for option, values in (("--images", contest.folders), ("--ours", map(str, ours))):
        for value in values:
            command += [option, value]
    with tempfile.TemporaryDirectory() as folder:
        _edgemat([*command, "-o", folder])
        made = Path(folder)
        shutil.copyfile(made / "peers.md", ROOT / MODELS / f"peers-{name}.md")
        value = json.loads((made / "peers.json").read_text(encoding="utf-8"))
        # on one line: half the size, and no one reads it but tests and cards
        text = json.dumps(value, separators=(",", ":")) + "\n"
        write_text(ROOT / MODELS / f"peers-{name}.json", text)


def _album() -> None:
    make_album(ROOT / ALBUM, open_artifact("portrait", target=SHIPPED_TARGET), ROOT / "docs")


def _own_networks() -> None:
    found = json.loads((ROOT / own_networks.FOUND).read_text(encoding="utf-8"))
    write_text(ROOT / own_networks.PAGE, own_networks.page(found))


def _coreai() -> None:
    text = (ROOT / VERIFICATION).read_text(encoding="utf-8")
    table = _python(["-m", "tools.coreai_check"], passes=(0, 1))
    if table.count("\n") != coreai_check.LINES:  # status 1 is a bar that is missed, or a crash
        raise EdgematError("tools.coreai_check ended early.", remedy="Look at what it says above.")
    write_text(ROOT / VERIFICATION, between(text, COREAI_BEGIN, table))


def _shipped() -> None:
    text = (ROOT / SHIPPED).read_text(encoding="utf-8")
    rows = json.loads((ROOT / QUALITY).read_text(encoding="utf-8"))
    write_text(ROOT / SHIPPED, with_quality(text, rows))


def with_quality(text: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return a document with the table of quality that its rows give, between its two marks."""
    lines = ["| model | photographs | | float | int8 | bar | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row["figures"]:
            figures = [_number(row["figures"][file]) for file in ("float", "int8")]
            verdict = row["verdict"] and ("met" if row["verdict"]["passed"] else "**missed**")
            named = row["set"]
            if "photographs" not in named:
                named = f"{named} ({row['photos']})"
            cells = [row["model"], named, FIGURES[row["figure"]]]
            cells += [*figures, _bound(row["bound"]), verdict or ""]
            lines.append("| " + " | ".join(cells) + " |")
    return between(text, BEGIN, "\n".join(lines) + "\n")


def between(text: str, begin: str, table: str) -> str:
    """Return a document with a table behind the mark `begin`, up to the next end mark.

    Raises
    ------
    EdgematError
        When it has not both.
    """
    before, began, rest = text.partition(begin)
    _, ended, after = rest.partition(END)
    if not (began and ended):
        raise EdgematError(
            f"A document has lost its mark {(END if began else begin).strip()}.",
            remedy="Put the marks back round its table.",
        )
    return f"{before}{begin}{table}{END}{after}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _bound(bound: str | None) -> str:
    return re.sub(r"^[<>]=?", "", bound or "")


if __name__ == "__main__":
    sys.exit(run_app(app))
