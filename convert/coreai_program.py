"""A Core AI file's program, read back: its operations, its constants, and what it keeps to itself.

Apple's runtime gives outputs alone; :func:`show_integers` makes a file whose outputs are all of its
int8 tensors too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgemat.artifacts.artifact import CONVERT_AGAIN
from edgemat.convert.backend import GridTensor, channels_last
from edgemat.convert.coreai import import_coreai
from edgemat.convert.int8_graph import Int8Count, Node, Role, count_nodes
from edgemat.errors import ArtifactError
from edgemat.files import shorten
from edgemat.quantize.spec import StoredGrid, shift_to_int8

MAIN = "main"
# What coreai-core raises on a damaged file.
_DAMAGED = (OSError, RuntimeError, ValueError, TypeError, AttributeError, LookupError)

QUANTIZE, DEQUANTIZE = "coreai.quantize", "coreai.dequantize"
EXPANDED = "coreai.blockwise_shift_scale"
CONVOLUTIONS = ("coreai.conv2d", "coreai.conv_transpose2d")
PRODUCTS = ("coreai.batch_matmul", "coreai.decomposable.broadcasting_batch_matmul")
"""Of matrices: a linear layer, where the second one is stored."""
ADDITIONS = ("coreai.decomposable.broadcasting_add",)
# They move, choose or retype values without computing new ones, so that a scale survives them.
MOVEMENTS = (
    *("coreai.broadcast_in_dims", "coreai.cast", "coreai.concat", "coreai.expand_dims"),
    *("coreai.gather", "coreai.max_pool_2d", "coreai.pad", "coreai.reduce_max"),
    *("coreai.reduce_min", "coreai.reshape", "coreai.reverse", "coreai.slice", "coreai.split"),
    *("coreai.tile", "coreai.transpose"),
)
# Kernels with these built in take them along behind an int8 operation: ReLU6 is one of each clamp.
RECTIFIER = "coreai.relu"
CLAMPS = ("coreai.decomposable.broadcasting_maximum", "coreai.decomposable.broadcasting_minimum")
_DTYPES = {"si8": np.int8, "ui8": np.uint8, "f32": np.float32, "f16": np.float16}
# A constant kept apart from the program's text: its name there, then 4 bytes of its alignment.
_BLOB = re.compile(r'^\s*"?([\w.$-]+)"?: "0x([0-9A-Fa-f]{8})([0-9A-Fa-f]*)"', re.MULTILINE)
_NAMED = re.compile(r'dense_resource<"?([^">]+)"?>')


@dataclass(frozen=True)
class CoreAiProgram:
    """The main function of a Core AI file.

    Attributes
    ----------
    asset:
        coreai-core's own object; operations belong to it, and die with it.
    operations:
        Of coreai-core, in their order, constants and the final ``output`` among them.
    """

    asset: Any
    operations: tuple[Any, ...]

    @cached_property
    def blobs(self) -> dict[str, bytes]:
        """Large constants by name. Only the program's text gives them away."""
        text = str(self.asset)
        return {name: bytes.fromhex(content) for name, _, content in _BLOB.findall(text)}


def check_whole(path: Path) -> None:
    """Compare a .aimodel's program with its hash: a damaged one ends the process that reads it.

    Raises
    ------
    ArtifactError
        When they differ, or one of them is missing.
    """
    program, said = path / "main.mlirb", path / "main.hash"
    try:
        whole = hashlib.sha256(program.read_bytes()).digest() == said.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{path} is not a Core AI file: it has no {program.name} with its hash.",
            remedy=CONVERT_AGAIN,
        ) from error
    if not whole:
        raise ArtifactError(f"{program} is damaged: its hash is another.", remedy=CONVERT_AGAIN)


def load_program(path: Path) -> CoreAiProgram:
    """Read a .aimodel.

    Raises
    ------
    ArtifactError
        When `path` is not a readable .aimodel with a main function in it.
    MissingToolError
        When coreai-core is not installed.
    """
    authoring = import_coreai("coreai.authoring")
    check_whole(path)
    try:
        program = authoring.AIModelAsset.load(path).program
        graph = program._get_graph(MAIN)
        operations = () if graph is None else tuple(graph.bodyRegion.blocks[0].operations)
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise ArtifactError(
            f"{path} holds no Core AI program that can be read: {shorten(reason).rstrip('.')}.",
            remedy=CONVERT_AGAIN,
        ) from error
    if not operations:
        raise ArtifactError(f"{path} has no function {MAIN!r}.", remedy=CONVERT_AGAIN)
    return CoreAiProgram(program, operations)


def constant(program: CoreAiProgram, value: Any) -> NDArray[Any]:
    """Return what a constant of the program holds, in its own type.

    Raises
    ------
    ArtifactError
        When `value` is computed, or of a type that int8 files have no use for.
    """
    maker = value.owner
    shape, dtype = list(value.type.shape), _DTYPES.get(str(value.type.element_type))
    if getattr(maker, "name", "") != "coreai.constant" or dtype is None:
        raise ArtifactError(
            f"The Core AI file has a grid or weights that are no constants: {value.type}.",
            remedy=CONVERT_AGAIN,
        )
    held = maker.attributes["value"]
    named = _NAMED.match(str(held))
    if named is not None:
        return np.frombuffer(program.blobs[named.group(1)], dtype).reshape(shape)
    return np.broadcast_to(np.asarray(held, dtype), shape)


def grid_of(program: CoreAiProgram, operation: Any) -> StoredGrid:
    """Return the grid of a ``quantize``, a ``dequantize`` or of weights, as the file has it."""
    scales, points = (constant(program, operation.operands[n]).ravel() for n in (1, 2))
    shift = shift_to_int8(int(np.iinfo(points.dtype).min))
    return StoredGrid(
        tuple(float(scale) for scale in scales), tuple(int(point) - shift for point in points)
    )


def list_weights(program: CoreAiProgram) -> list[GridTensor]:
    """Return the int8 weights of convolutions and linear layers, each constant once."""
    found = {}
    for operation in program.operations:
        if operation.name not in (*CONVOLUTIONS, *PRODUCTS):
            continue
        maker = operation.operands[1].owner
        while getattr(maker, "name", "") in MOVEMENTS:  # a linear layer's are stored outputs first
            maker = maker.operands[0].owner
        if getattr(maker, "name", "") == EXPANDED:
            values = constant(program, maker.operands[0])
            scales = constant(program, maker.operands[1])
            axis = int(np.argmax(scales.shape))  # that has several scales
            outputs_first = np.moveaxis(values.astype(np.int32), axis, 0)
            name = maker.results[0].get_name()
            found[name] = GridTensor(name, grid_of(program, maker), channels_last(outputs_first))
    return list(found.values())


def quantizers(program: CoreAiProgram) -> list[Any]:
    """Return the operations that give int8 tensors, in their order."""
    return [operation for operation in program.operations if operation.name == QUANTIZE]


def show_integers(program: CoreAiProgram, path: Path) -> None:
    """Write the program as a file that gives its int8 tensors too, as ``int8-0`` and so on.

    In the order of :func:`quantizers`; `path` must end in .aimodel.
    """
    ir = import_coreai("coreai._compiler.ir")
    builder = import_coreai("coreai.authoring.graph_builder")
    dialect = import_coreai("coreai._compiler.dialects.coreai")
    module = program.asset._module._mlir_module
    old = program.asset._get_graph(MAIN)
    shown = [operation.results[0] for operation in quantizers(program)]
    with ir.InsertionPoint(module.body), old.location:
        kinds = old.function_type.value
        new = builder.GraphOp(MAIN, kinds.inputs, [*kinds.results, *(v.type for v in shown)])
        names = [
            ir.DictAttr.get({"coreai.name": ir.StringAttr.get(integers_name(number))})
            for number in range(len(shown))
        ]
        new.arg_attrs = old.arg_attrs
        new.res_attrs = ir.ArrayAttr.get([*old.res_attrs, *names])
        values = dict(zip(old.arguments, new.arguments, strict=True))
        with new.block:
            for operation in program.operations[:-1]:
                copied = operation.clone(ip=ir.InsertionPoint.current)
                for number, operand in enumerate(operation.operands):
                    copied.operands[number] = values[operand]
                values.update(zip(operation.results, copied.results, strict=True))
            outputs = [*program.operations[-1].operands, *shown]
            dialect.output([values[value] for value in outputs])
    old.operation.erase()
    program.asset.save_asset(path)


def integers_name(number: int) -> str:
    """Return what :func:`show_integers` calls the output of a quantizer."""
    return f"int8-{number}"


# ---- proof of int8 ------------------------------------------------------------------------


def count_int8(program: CoreAiProgram) -> Int8Count:
    """Count how much of the program computes in int8, from the file itself."""
    nodes: dict[Any, Node] = {}
    for operation in program.operations:
        if operation.name == "coreai.output":
            continue
        makers = _makers(operation)
        inputs = tuple(None if maker is None else nodes[maker] for maker in makers)
        results = operation.results
        nodes[_operation(operation)] = Node(
            name=f"{operation.name.split('.')[-1]} {results[0].get_name()}",
            role=_role(operation, inputs),
            inputs=inputs,
            int8_weights=operation.name in (*CONVOLUTIONS, *PRODUCTS)
            and _role_before_movements(inputs[1]) == "weight",
        )
    return count_nodes(list(nodes.values()))


def _operation(operation: Any) -> Any:
    return getattr(operation, "operation", operation)


def _makers(operation: Any) -> Iterable[Any]:
    """Give the operations that computed the operands; None for an input of the program."""
    for operand in operation.operands:
        yield _operation(operand.owner) if hasattr(operand.owner, "name") else None


def _role(operation: Any, inputs: tuple[Node | None, ...]) -> Role:
    name = operation.name
    roles = [None if one is None else one.role for one in inputs]
    if name == "coreai.constant":
        return "constant"
    if name == QUANTIZE:
        return "quantize"
    if name == DEQUANTIZE:
        return "dequantize"
    if name == EXPANDED:
        return "weight"
    if name in MOVEMENTS:
        return "movement"
    stored = name in PRODUCTS and _role_before_movements(inputs[1]) in ("weight", "constant")
    if name in CONVOLUTIONS or stored:
        return "convolution"
    bias = name in ADDITIONS and sorted(map(str, roles)) == ["constant", "convolution"]
    clamp = name == RECTIFIER or (name in CLAMPS and "constant" in roles)
    return "activation" if bias or clamp else "other"


def _role_before_movements(node: Node | None) -> Role | None:
    while node is not None and node.role == "movement":
        node = node.inputs[0]
    return None if node is None else node.role
