"""`edgemat serve`: a page that cuts photographs out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from edgemat.terminal import err, out


def serve(
    model: Annotated[
        str | None, typer.Argument(help="Artefact, .tflite or shipped model; the int8 portrait.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another to compare with; the float portrait.")
    ] = None,
    listen: Annotated[
        str, typer.Option(help="Address; by default nobody but this machine can ask.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    megabytes: Annotated[int, typer.Option(min=1, help="Of a photograph's file, at most.")] = 32,
    megapixels: Annotated[int, typer.Option(min=1, help="Of a photograph, at most.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="For an answer, at most.")] = 60.0,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Photographs at once.")] = 1,
) -> None:
    """Serve a page that cuts photographs out, and POST /matte for programs; nothing is kept."""
    from edgemat.artifacts.shipped import default_model, find_artifact
    from edgemat.matting.cutting import Cutter
    from edgemat.matting.finish import Finish
    from edgemat.serve.desk import Desk, Limits
    from edgemat.serve.run import serve as run

    found: dict[str, Path] = {}
    if model is None:
        found["int8"] = default_model(needs_trimap=False)
    else:
        found["model"] = find_artifact(model)
    if against is not None:
        found["against"] = find_artifact(against)
    elif model is None and importlib.util.find_spec("torch") is not None:
        found["float"] = find_artifact("portrait")
    cutters = {name: Cutter(path, Finish(), workers=jobs) for name, path in found.items()}
    limits = Limits(
        bytes=megabytes * 1_000_000,
        pixels=megapixels * 1_000_000,
        seconds=seconds,
        at_once=jobs,
    )
    if listen not in ("127.0.0.1", "localhost", "::1"):
        err.print("[yellow]Note:[/yellow] whoever reaches this address can use it, without TLS.")
    run(
        Desk(cutters, limits),
        listen=listen,
        port=port,
        started=lambda url: out.print(f"{url}  (Ctrl-C ends it)", soft_wrap=True),
    )
