"""`python -m tools.vectors FOLDER`: write all vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemat.files import write_text
from edgemat.terminal import run_app
from tools.vectors.write import all_vectors, vector_text

app = typer.Typer(add_completion=False)


@app.command()
def main(folder: Annotated[Path, typer.Argument(help="Folder of the JSON files.")]) -> None:
    """Write the vectors, each in one step."""
    for name, vector in all_vectors().items():
        write_text(folder / f"{name}.json", vector_text(vector))


if __name__ == "__main__":
    run_app(app)
