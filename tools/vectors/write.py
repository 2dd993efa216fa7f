"""All vectors by name, and how they are written."""

from __future__ import annotations

import json

from tools.vectors import after, before, measuring
from tools.vectors.pictures import Vector


def all_vectors() -> dict[str, Vector]:
    """Return file name (without .json) to what it holds."""
    return {
        "resize": before.resizing(),
        "letterbox": before.letterboxes(),
        "input": before.inputs(),
        "trimap": before.trimaps(),
        "orientation": before.orientations(),
        "buffers": before.buffers(),
        "tiling": before.tilings(),
        "guided": after.guided(),
        "matte": after.mattes(),
        "refine": after.refinements(),
        "smoothing": after.smoothings(),
        "foreground": after.foregrounds(),
        "statistics": measuring.statistics(),
        "protocol": measuring.protocols(),
        "verdict": measuring.verdicts(),
        "result": measuring.results(),
    }


def vector_text(vector: Vector) -> str:
    """Return JSON with one line per case, so that a difference can be read."""
    lines = [
        f"{json.dumps(subject)}: [\n"
        + ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
        + "\n]"
        for subject, cases in vector.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
