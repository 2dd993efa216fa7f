"""Programs: a network traced by ``torch.export`` at one size, stored with its weights as .pt2."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from edgemat.errors import (
    ArtifactError,
    UsageError,
)
from edgemat.files import atomic_path
from edgemat.models.weights_file import MAX_BYTES, without_numbers

PROGRAM = "program.pt2"
"""Its name in an artefact."""
ALLOWED = ("torch.ops.aten.", "_operator.getitem")
"""Operators of a program; torch would call any other name that a file gives."""
SAMPLE_INPUTS = "data/sample_inputs/model.pt"
ENTRIES = re.compile(
    r"models/model\.json|data/(weights/weight|constants/tensor)_\d+"
    r"|data/(weights|constants)/model_(weights|constants)_config\.json"
    rf"|{re.escape(SAMPLE_INPUTS)}"
    r"|archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)"
)
"""Entries of a .pt2, below its folder. Sample inputs are left out, extra files refused."""


def save_program(program: ExportedProgram, path: Path) -> None:
    """Write a program with its weights; the same one gives the same bytes under any name.

    Where its operators come from, lines and folders of somebody's machine, is taken off it.
    """
    for node in program.graph.nodes:
        node.meta = {key: node.meta[key] for key in ("val",) if key in node.meta}
    content = io.BytesIO()
    trained = [weight for weight in program.state_dict.values() if weight.requires_grad]
    for weight in trained:  # which a file would tell
        weight.requires_grad_(False)
    torch.export.save(program, content)
    for weight in trained:
        weight.requires_grad_(True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load_program(path: Path) -> ExportedProgram:
    """Read a program of one input, B,C,H,W, in which nothing is code but torch's own operators.

    Raises
    ------
    ArtifactError
        When the file is no .pt2, is damaged, or holds what would be run on reading.
    UsageError
        When it is for several sizes or inputs.
    """
    content = _harmless(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(content)
    except Exception as error:
        raise ArtifactError(
            f"{path} cannot be read as a program of torch.export.",
            remedy="Write it anew with torch.export.save and this version of torch.",
        ) from error
    shape_of_input(program, path)
    if (name := without_numbers(tensors_of(program))) is not None:
        raise ArtifactError(
            f"{name!r} in {path} has values that are no numbers (NaN or infinite).",
            remedy="Take a checkpoint from before the training broke.",
        )
    return program


def tensors_of(program: ExportedProgram) -> list[tuple[str, Tensor]]:
    """Return a program's weights and constants, each with its name."""
    named = (*program.state_dict.items(), *program.constants.items())
    return [(name, value) for name, value in named if isinstance(value, Tensor)]


def gives_one_map(program: ExportedProgram) -> bool:
    """Return whether a program gives one map 1,1,H,W of its picture's size, and nothing else."""
    _, height, width = shape_of_input(program, "The program")
    (output,) = program.graph.find_nodes(op="output")
    values = [n.meta["val"] for n in output.args[0] if isinstance(n, torch.fx.Node)]
    return [tuple(value.shape) for value in values] == [(1, 1, height, width)]


def shape_of_input(program: ExportedProgram, path: Path | str) -> tuple[int, int, int]:
    """Return C,H,W of a program's one input."""
    names = program.graph_signature.user_inputs
    shapes = [
        tuple(node.meta["val"].shape)
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in names and isinstance(node.meta["val"], Tensor)
    ]
    if len(names) != 1 or len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1:
        raise UsageError(
            f"{path} takes {len(names)} inputs, and not one picture 1,C,H,W.",
            remedy="Bind the other inputs to constants: recurrent state cannot be carried.",
        )
    if not all(isinstance(length, int) for length in shapes[0]):
        raise UsageError(
            f"{path} is for pictures of any size.",
            remedy="Export it for one size: without dynamic_shapes.",
        )
    if shapes[0][1] not in (3, 4):
        raise UsageError(
            f"{path} takes {shapes[0][1]} channels.",
            remedy="A matting network takes 3, or 4 with a trimap.",
        )
    return shapes[0][1], shapes[0][2], shapes[0][3]


def _harmless(path: Path) -> io.BytesIO:
    """Return an archive anew, of nothing but a graph and numbers, for torch to read.

    Torch would unpickle sample inputs, objects and weights of older forms, and call any operator
    that a file names; and it finds entries by other rules than Python does. So it never sees the
    file: what belongs into one is copied, once it is known to be harmless.
    """
    kept: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise UsageError(
                    f"{path} is larger than 2 GB.", remedy="No phone takes such a network."
                )
            for entry in entries:
                name = entry.filename.partition("/")[2]
                if name in kept or not ENTRIES.fullmatch(name):
                    raise _more_than_a_graph(path)
                kept[name] = archive.read(entry)
        for name in (name for name in kept if name.endswith(".json")):
            kept[name] = _harmless_json(kept[name], path)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise _unreadable(path) from error
    except (ValueError, RecursionError) as error:  # what is no JSON, or a trap for its readers
        raise _unreadable(path) from error
    kept[SAMPLE_INPUTS] = b""  # pickled, and needed for nothing
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in kept.items():
            archive.writestr(f"program/{name}", data)
    content.seek(0)
    return content


def _harmless_json(text: bytes, path: Path) -> bytes:
    document = json.loads(text)
    for key, found in _pairs(document):
        if key in ("as_expr", "expr_str"):
            raise UsageError(
                f"{path} is for pictures of any size.",
                remedy="Export it for one size: without dynamic_shapes.",
            )
        if key == "use_pickle" and found is not False:
            raise _more_than_a_graph(path)
        if key == "path_name" and not re.fullmatch(r"(weight|tensor)_\d+", str(found)):
            raise _more_than_a_graph(path)
        if key == "nodes" and isinstance(found, list):
            targets = [str(node.get("target")) for node in found if isinstance(node, dict)]
            if any(not target.startswith(ALLOWED) for target in targets):
                raise _more_than_a_graph(path)
        if key in ("in_spec", "out_spec") and isinstance(found, str):
            names = {inner for inner, _ in _pairs(json.loads(found))}
            if "__enum__" in names:  # for which torch imports any module
                raise _more_than_a_graph(path)
    if isinstance(document, dict) and "guards_code" in document:
        document["guards_code"] = []  # Python, to be evaluated
    return json.dumps(document).encode()


def _more_than_a_graph(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} holds more than a graph and its weights.",
        remedy="Write it anew with torch.export.save; objects of your own cannot be in it.",
    )


def _unreadable(path: Path) -> ArtifactError:
    return ArtifactError(
        f"{path} is no readable .pt2 file.", remedy="Write it with torch.export.save."
    )


def _pairs(value: Any) -> Any:
    """Yield every key and value of a JSON document, however deep."""
    if isinstance(value, dict):
        yield from value.items()
        for inner in value.values():
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)
