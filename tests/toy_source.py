"""A package of a few lines whose imports are read."""

from __future__ import annotations

from pathlib import Path

from edgemat.workflow.imports import Source

HEAD = "from __future__ import annotations\nimport os.path\n"


def write_source(root: Path, **files: str) -> Source:
    """Write modules of a package ``toy``; ``a__b="..."`` is toy/a/b.py, ``a__=`` its __init__."""
    for name, text in ({"__": ""} | files).items():
        parts = [part or "__init__" for part in name.split("__")]
        parts = parts[1:] if name == "__" else parts
        file = root.joinpath("toy", *parts).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + text)
    return Source(root, "toy")
