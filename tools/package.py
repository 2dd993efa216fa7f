"""Build what PyPI would take, and try it: `python -m tools.package dist`.

The wheel and the source archive are built and checked as PyPI does; then the wheel is installed
into an empty environment, where pictures are cut out and a latency is measured; with an extra, or
with each of them in an environment of its own, if asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgemat.errors import MissingToolError
from edgemat.files import size_bytes
from edgemat.images import write_image
from edgemat.terminal import run_app

ROOT = Path(__file__).parents[1]
TOOLS = ("build==1.3.0", "twine==6.2.0")
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "edgemat", "quantize", "convert", "bench")
NOT_CODE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
TRIALS = (
    ("--version",),
    ("matte", "photo.png", "-o", "cutout.png"),
    ("matte", "photo.png", "-o", "blurred.jpg", "--blur", "3"),
    ("devices",),
    ("bench", "portrait", "--threads", "1", "--runs", "2", "--seconds", "0", "-o", "latency.json"),
)
WRITTEN = ("cutout.png", "blurred.jpg", "latency.json")
"""What the trials leave."""
STATUSES = {"bench": (0, 1)}
"""How a trial may end, other than with 0: latencies that scatter are no fault of the package."""

app = typer.Typer(add_completion=False)


@app.command()
def main(
    output: Annotated[Path, typer.Argument(help="Folder for the wheel and the archive.")],
    extra: Annotated[list[str] | None, typer.Option(help="Try it with this extra too.")] = None,
    extras: Annotated[
        bool, typer.Option("--extras", help="Try it with each extra: many GB to download.")
    ] = False,
) -> None:
    """Build, check, install and try edgemat's package."""
    asked = [*(extra or []), *(every_extra() if extras else [])]
    with tempfile.TemporaryDirectory() as scratch:
        tools = _environment(Path(scratch) / "tools")
        _run(tools, "-m", "pip", "install", "--quiet", *TOOLS)
        source = _copy(Path(scratch) / "source")  # building leaves traces
        _run(tools, "-m", "build", "--outdir", output.resolve(), source)
        built = sorted(output.glob("edgemat-*"))
        _run(tools, "-m", "twine", "check", "--strict", *built)
        (wheel,) = (path for path in built if path.suffix == ".whl")
        for path in built:
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        for name in dict.fromkeys(("", *asked)):
            print(f"edgemat[{name}]: {try_out(wheel, name, Path(scratch)) / 1e6:.0f} MB installed")


def every_extra() -> list[str]:
    """Return the names of all extras that pyproject.toml has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"])


def try_out(wheel: Path, extra: str, scratch: Path) -> int:
    """Install a wheel into an empty environment, use it, and return the bytes that it takes.

    The environment is removed afterwards: those of all extras would not lie on a disk together.

    Raises
    ------
    MissingToolError
        When it cannot be installed, or a command fails or leaves nothing.
    """
    folder = scratch / f"with-{extra}"
    python = _environment(folder)
    before = size_bytes(folder)
    target = f"{wheel}[{extra}]" if extra else str(wheel)
    _run(python, "-m", "pip", "install", "--quiet", target)
    write_image(folder / "photo.png", np.full((64, 64, 3), 90, np.uint8))
    installed = size_bytes(folder) - before
    for arguments in TRIALS:
        statuses = STATUSES.get(arguments[0], (0,))
        _run(folder / "bin" / "edgemat", *arguments, cwd=folder, statuses=statuses)
    missing = [name for name in WRITTEN if not (folder / name).is_file()]
    if missing:
        raise MissingToolError(
            f"With the extra {extra!r} no {missing[0]} is written.", remedy="Run the trial by hand."
        )
    shutil.rmtree(folder)
    return installed


def _copy(folder: Path) -> Path:
    folder.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():  # links stay links
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=NOT_CODE)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def _run(*command: str | Path, cwd: Path = ROOT, statuses: Collection[int] = (0,)) -> None:
    environment = os.environ | {"XDG_DATA_HOME": str(cwd)}  # the user's history is left alone
    environment.pop("PYTHONPATH", None)  # on it edgemat would seem to be installed already
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in statuses:
        shown = " ".join(Path(part).name for part in map(str, command[:4]))
        raise MissingToolError(
            f"{shown} fails: {(done.stdout + done.stderr).strip()[-2000:]}",
            remedy="Look at what it says.",
        )


if __name__ == "__main__":
    sys.exit(run_app(app))
