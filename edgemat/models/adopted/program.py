"""Programs: a network traced by ``torch.export`` at one size, stored with its weights as .pt2."""

from __future__ import annotations

import inspect
import io
import json
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from edgemat.errors import ArtifactError, ConversionError, UsageError
from edgemat.files import atomic_path

PROGRAM = "program.pt2"
"""Its name in an artefact."""
MAX_BYTES = 2 * 1024**3
ALLOWED = ("torch.ops.aten.", "_operator.getitem")
"""Operators of a program; torch would call any other name that a file gives."""
_OPTIONAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Adapted(nn.Module):
    """A stranger's network as edgemat's are: pixels in 0..1 in, alpha in 0..1 of their size out.

    Parameters
    ----------
    module:
        B,C,H,W in; a map, or several of them, out.
    mean, deviation:
        What the network expects to be taken off pixels, and to be divided by; a number for each
        channel of the picture. A trimap's channel passes as it is.
    output:
        Of several: its key, or its number; the first by default.
    channel:
        Of the map; None where it has one, or where the last of two is the foreground.
    logits:
        Whether the map is scores: then a sigmoid, or with several channels a softmax, follows.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        mean: tuple[float, ...] = (),
        deviation: tuple[float, ...] = (),
        output: str | None = None,
        channel: int | None = None,
        logits: bool = False,
    ) -> None:
        super().__init__()
        self.module = module
        self.output, self.channel, self.logits = output, channel, logits
        self.affine = bool(mean or deviation)
        means, deviations = mean or (0.0,) * 3, deviation or (1.0,) * 3
        self.register_buffer("mean", torch.tensor([*means, 0.0]).reshape(1, 4, 1, 1))
        self.register_buffer("deviation", torch.tensor([*deviations, 1.0]).reshape(1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        size, channels = x.shape[-2:], x.shape[1]
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        if self.affine:
            x = (x - mean[:, :channels]) / deviation[:, :channels]
        y = self._chosen(self.module(x))
        if self.logits and y.shape[1] == 1:
            y = torch.sigmoid(_resized(y, size))
        elif self.logits and y.shape[1] == 2:  # softmax of two
            front = 1 if self.channel is None else self.channel
            other = 1 - front
            y = torch.sigmoid(_resized(y[:, front : front + 1] - y[:, other : other + 1], size))
        else:
            y = torch.softmax(y, dim=1) if self.logits else y
            channel = y.shape[1] - 1 if self.channel is None else self.channel
            y = _resized(y[:, channel : channel + 1], size)
        return y

    def _chosen(self, given: Any) -> Tensor:
        if isinstance(given, Tensor):
            return given
        if isinstance(given, dict):
            return self._chosen(given[self.output] if self.output else next(iter(given.values())))
        if hasattr(given, "_fields") and self.output:
            return self._chosen(getattr(given, self.output))
        return self._chosen(given[int(self.output or 0)])


def _resized(y: Tensor, size: Any) -> Tensor:
    if y.shape[-2:] == size:
        return y
    return nn.functional.interpolate(y, size=size, mode="bilinear", align_corners=False)


def require_one_input(module: nn.Module) -> None:
    """Refuse a network whose forward pass wants more than a picture.

    Raises
    ------
    UsageError
        For such a one; its inputs are named.
    """
    named = inspect.signature(module.forward).parameters.values()
    needed = [one.name for one in named if one.default is one.empty and one.kind not in _OPTIONAL]
    if len(needed) > 1:
        raise UsageError(
            f"{type(module).__name__} takes {len(needed)} inputs ({', '.join(needed)}), and not "
            "one picture.",
            remedy="Bind the others to constants in a module around it: no state is carried from "
            "picture to picture.",
        )


def trace(module: nn.Module, shape: tuple[int, int, int]) -> ExportedProgram:
    """Trace `module`, in eval mode, for one picture of `shape`: C,H,W; nothing is written in place.

    Raises
    ------
    ConversionError
        When its control flow depends on the picture, or it fails at this size.
    """
    example = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    module = module.eval().requires_grad_(False)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(module, (example,), strict=False)
            whole: ExportedProgram = program.run_decompositions({})
        except Exception as error:  # what the network's own code raises, and torch's tracer
            raise ConversionError(
                f"torch.export cannot trace the network: {_reason(error)}",
                remedy="Its operations must be the same for every picture, and of tensors alone.",
            ) from error
    whole.example_inputs = None
    return whole


def _reason(error: BaseException) -> str:
    """Return the first line of an error, and the line of the user's code that it came out of."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    what = lines[0] if lines else type(error).__name__
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")
        and "/torch/" not in frame.filename
        and "/edgemat/" not in frame.filename
    ]
    where = f" ({own[-1].filename}:{own[-1].lineno}: {own[-1].line})" if own else ""
    return what.rstrip(".") + where


def save_program(program: ExportedProgram, path: Path) -> None:
    """Write a program with its weights; the same one gives the same bytes under any name.

    Where its operators come from, lines and folders of somebody's machine, is taken off it.
    """
    for node in program.graph.nodes:
        node.meta = {key: node.meta[key] for key in ("val",) if key in node.meta}
    content = io.BytesIO()
    torch.export.save(program, content)
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
    _require_harmless(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(path)
    except Exception as error:
        raise ArtifactError(
            f"{path} cannot be read as a program of torch.export.",
            remedy="Write it anew with torch.export.save and this version of torch.",
        ) from error
    shape_of_input(program, path)
    if any(not torch.isfinite(value).all() for value in _floats(program)):
        raise ArtifactError(
            f"{path} has weights that are no numbers (NaN or infinite).",
            remedy="Take a checkpoint from before the training broke.",
        )
    return program


def _floats(program: ExportedProgram) -> list[Tensor]:
    return [value for value in program.state_dict.values() if value.is_floating_point()]


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


def _require_harmless(path: Path) -> None:
    """Look into the archive before torch does: it would unpickle what a file says is pickled."""
    refused = ArtifactError(
        f"{path} holds more than a graph and its weights.",
        remedy="Write it anew with torch.export.save; objects of your own cannot be in it.",
    )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_BYTES:
                raise UsageError(
                    f"{path} is larger than 2 GB.", remedy="No phone takes such a network."
                )
            texts = {
                entry.filename: json.loads(archive.read(entry))
                for entry in archive.infolist()
                if entry.filename.endswith(".json")
            }
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArtifactError(
            f"{path} is no readable .pt2 file.", remedy="Write it with torch.export.save."
        ) from error
    if any("/executorch/" in name or "/aotinductor/" in name for name in names):
        raise refused
    for key, found in (pair for value in texts.values() for pair in _pairs(value)):
        if key == "use_pickle" and found is not False:
            raise refused
        if key == "nodes" and isinstance(found, list):
            targets = [str(node.get("target")) for node in found if isinstance(node, dict)]
            if any(not target.startswith(ALLOWED) for target in targets):
                raise refused
        if key in ("as_expr", "expr_str"):
            raise UsageError(
                f"{path} is for pictures of any size.",
                remedy="Export it for one size: without dynamic_shapes.",
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
