"""Model cards: what a shipped model is for, learned from and scored, and where it fails.

A card is written from what its manifests hold and from what the measuring commands print as JSON;
no figure in it is typed by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHIPPED_TARGET, open_artifact
from edgemat.doctor import int8_kind
from edgemat.errors import UsageError

TEMPLATE = "card.md.j2"


@dataclass(frozen=True)
class Measurements:
    """JSON of the measuring commands, read from files; None where there is none.

    Attributes
    ----------
    quality:
        Of ``edgemat quality BARS --json``.
    bias:
        Of ``edgemat bias MODEL --json``.
    peers:
        Of ``edgemat peers run``.
    worst:
        Whether ``edgemat bias MODEL --worst`` has drawn a picture.
    """

    quality: list[dict[str, Any]] | None = None
    bias: dict[str, Any] | None = None
    peers: dict[str, Any] | None = None
    worst: bool = False


def read_measured(folder: Path, model: str) -> Measurements:
    """Read what is there of quality.json, bias-MODEL.json, peers-MODEL.json and worst-MODEL.jpg.

    Raises
    ------
    UsageError
        When one of them is not JSON.
    """

    def read(name: str) -> Any:
        path = folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{path} is not JSON.", remedy="Write it anew with the measuring command's --json."
            ) from error

    return Measurements(
        read("quality.json"),
        read(f"bias-{model}.json"),
        read(f"peers-{model}.json"),
        worst=(folder / f"worst-{model}.jpg").is_file(),
    )


def make_card(model: str, measured: Measurements) -> str:
    """Return the card of a shipped model as Markdown.

    Raises
    ------
    UsageError
        When there is no such model, or its recipe has no card.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    network, file = open_artifact(model), open_artifact(model, target=SHIPPED_TARGET)
    if network.manifest.card is None:
        raise UsageError(
            f"The recipe of {model} has no card.", remedy="Add [models.card] to it, and train."
        )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(
        network=network.manifest,
        file=file.manifest,
        network_folder=network.path.name,
        file_folder=file.path.name,
        quality=[row for row in measured.quality or [] if row["model"] == model],
        bias=(measured.bias or {"groups": []})["groups"],
        worst=measured.worst,
        latencies=_latencies(measured.peers, file),
        processor=_processor(measured.peers),
    )


def _processor(peers: dict[str, Any] | None) -> str:
    """Return the processor that latencies are of, and its kind: int8 is as fast as that allows."""
    if peers is None or "int8_dot_product" not in peers:
        return "a server processor"
    kind = int8_kind(peers["int8_dot_product"])
    return f"a server processor ({peers['circumstances']['soc']}) {kind}"


def _latencies(peers: dict[str, Any] | None, file: Artifact) -> list[dict[str, Any]]:
    """Return the contestants whose latency was measured, edgemat's of this very file among them."""
    if peers is None:
        return []
    timed = [one for one in peers["contestants"] if one.get("network_latency")]
    timed = [one for one in timed if one.get("runtime") != "torch"]  # which no phone runs
    measured = any(one["sha256"] == file.manifest.payload_sha256 for one in timed)
    return timed if measured else []
