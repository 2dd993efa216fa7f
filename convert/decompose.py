"""litert-torch's decompositions, done where a network needs them: half the time, the same bytes.

To break operators up into those that it can lower, litert-torch has torch trace the whole network
anew, four times in a conversion, and most of a conversion's time goes there. Few operators are ever
broken up: here each of them is traced by itself, and what it consists of takes its place. Networks
repeat themselves: operators that are called alike are traced once.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Hashable, Iterator, Mapping
from types import FunctionType
from typing import Any
from unittest.mock import patch

import torch
from torch import fx
from torch._subclasses import FakeTensor, FakeTensorMode
from torch.export import ExportedProgram
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.shape_prop import _extract_tensor_metadata
from torch.utils._pytree import TreeSpec, tree_flatten, tree_map, tree_unflatten

from edgemat.models.narrowing import function_of, operand

Decomposition = Callable[..., Any]
DecompositionTable = Mapping[Any, Decomposition]
TracedGraphs = dict[Hashable, fx.Graph]
"""What operators consist of, by how they are called."""


class NotLocalError(Exception):
    """An operator cannot be broken up by itself: the whole network must be traced."""


@contextlib.contextmanager
def local_decompositions() -> Iterator[None]:
    """While it lasts, litert-torch breaks operators up one by one.

    A conversion inside raises :class:`NotLocalError` where that cannot be done.
    """
    from litert_torch import fx_infra
    from litert_torch.fx_infra import _safe_run_decompositions as module

    retrace = module.safe_run_decompositions

    def chosen(
        program: ExportedProgram,
        decomp_table: DecompositionTable | None = None,
        can_skip: bool = True,
    ) -> ExportedProgram:
        if decomp_table is None:  # what torch does by default is for torch to do
            whole: ExportedProgram = retrace(program, decomp_table, can_skip)
            return whole
        return _decompose(program, decomp_table)

    with (
        patch.object(module, "safe_run_decompositions", chosen),
        patch.object(fx_infra, "safe_run_decompositions", chosen),
    ):
        yield


def _decompose(program: ExportedProgram, table: DecompositionTable) -> ExportedProgram:
    """Break up what is in `table`, and what passes have put in as Python functions."""
    from litert_torch.fx_infra import _safe_run_decompositions as module
    from torch._dispatch.python import enable_python_dispatcher
    from torch.export.exported_program import (
        _override_composite_implicit_decomp,
        _split_decomp_table_to_cia_and_python_decomp,
    )

    graph = program.graph
    # Composite operators are broken up by C++, unless torch is told otherwise.
    composite, simple = _split_decomp_table_to_cia_and_python_decomp(
        dict(table or module._DUMMY_DECOMP_TABLE)
    )
    module._erase_assert_tensor_metadata_nodes(program)
    for node in graph.nodes:
        if node.target is torch.ops.aten.view.default:
            node.target = _reshape  # a pass may have changed the layout of what is viewed
        elif hasattr(table.get(node.target), module._FORCE_DECOMP_ATTR):
            node.target = table[node.target]
    with _override_composite_implicit_decomp(composite), enable_python_dispatcher():
        _rewrite(program, simple, composite)
    graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def _reshape(x: torch.Tensor, size: Any) -> torch.Tensor:
    return torch.reshape(x.contiguous(), size)


def _rewrite(
    program: ExportedProgram, simple: dict[Any, Decomposition], composite: DecompositionTable
) -> None:
    mode = _fake_mode(program.graph)
    outputs = {getattr(spec.arg, "name", None) for spec in program.graph_signature.output_specs}
    traced: TracedGraphs = {}
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        if not _is_broken_up(node.target, simple, composite):
            _know_again(node, mode)
        elif node.name in outputs:
            raise NotLocalError(f"{node.target} is an output")
        else:
            _replace(node, _parts(node, simple, composite.get(node.target), mode, traced))


def _is_broken_up(target: Any, simple: DecompositionTable, composite: DecompositionTable) -> bool:
    from litert_torch.fx_infra._safe_run_decompositions import _BUILTIN_OPERATORS
    from torch._export.utils import _special_op_to_preserve_cia

    if isinstance(target, torch._ops.OpOverloadPacket):
        target = target.default
    if target in composite:
        return composite[target] is not _special_op_to_preserve_cia
    if isinstance(target, torch._ops.OpOverload):
        return target in simple or torch._C._dispatch_has_kernel_for_dispatch_key(
            target.name(), "CompositeImplicitAutograd"
        )
    return target not in _BUILTIN_OPERATORS and not isinstance(target, torch._ops.OperatorBase)


def _parts(
    node: fx.Node,
    table: dict[Any, Decomposition],
    composite: Decomposition | None,
    mode: FakeTensorMode,
    traced: TracedGraphs,
) -> Any:
    """Put what `node` consists of before it; returns its result: one node, or several."""
    leaves, spec = tree_flatten((node.args, node.kwargs))
    taken = list(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, fx.Node)))
    target, decomposition = function_of(node), table.get(node.target, composite)

    def call(*values: Any) -> Any:
        given = dict(zip(taken, values, strict=True))
        args, kwargs = tree_unflatten(
            [given[leaf] if isinstance(leaf, fx.Node) else leaf for leaf in leaves], spec
        )
        if decomposition is not None:
            result = decomposition(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return target(*args, **kwargs)

    way = _way_of_calling(target, leaves, spec)
    graph = traced.get(way)
    if graph is None:
        with mode, torch.no_grad():
            graph = make_fx(call, decomposition_table=table)(*map(_value, taken)).graph
        if way is not None:
            traced[way] = graph
    place = dict[fx.Node, Any]()
    inputs = iter(taken)
    for part in graph.nodes:
        if part.op == "placeholder":
            place[part] = next(inputs)
        elif part.op == "output":
            return fx.node.map_arg(part.args[0], place.__getitem__)
        elif part.op != "call_function":
            raise NotLocalError(f"{node.target} brings tensors of its own")
        elif _only_names_strides(part):
            place[part] = place[part.args[0]]
        else:
            if _writes(part):
                part.target = _not_in_place(part)
            with node.graph.inserting_before(node):
                copy = node.graph.node_copy(part, place.__getitem__)
            copy.meta = node.meta | {"tensor_meta": None} | part.meta
            place[part] = copy
    raise AssertionError("a graph without an output")


def _way_of_calling(target: Any, leaves: list[Any], spec: TreeSpec) -> Hashable | None:
    """Return what is equal for two calls that consist of the same parts.

    The operator, the kinds of its tensors and which of them are the same one, and all else that
    it is given. None where something cannot be compared.
    """
    seen: dict[fx.Node, int] = {}
    said: list[Hashable] = []
    for leaf in leaves:
        if not isinstance(leaf, fx.Node):
            said.append((type(leaf), leaf))
            continue
        value = _value(leaf)
        if not isinstance(value, torch.Tensor):
            return None
        kind = (value.shape, value.stride(), value.dtype, value.device)
        said.append((seen.setdefault(leaf, len(seen)), *kind))
    if isinstance(target, FunctionType):  # litert-torch's passes make one anew for each node
        inner = [cell.cell_contents for cell in target.__closure__ or ()]
        target = (target.__code__, target.__defaults__, *inner)
    way = (target, str(spec), *said)
    try:
        hash(way)
    except TypeError:
        return None
    return way


def _only_names_strides(part: fx.Node) -> bool:
    """Whether `part` leaves every element where it is: pooling to one pixel ends in such a one."""
    if part.target is not torch.ops.aten.as_strided_.default:
        return False
    x, y = _value(operand(part)), _value(part)
    return x.shape == y.shape and all(
        size == 1 or old == new
        for size, old, new in zip(x.shape, x.stride(), y.stride(), strict=True)
    )


def _writes(part: fx.Node) -> bool:
    return isinstance(part.target, torch._ops.OpOverload) and part.target._schema.is_mutable


def _not_in_place(part: fx.Node) -> Any:
    """Return the operator that computes what `part` writes into a value which no one else uses."""
    reader, changed = part, part.args[0]
    while isinstance(changed, fx.Node) and changed.op == "call_function":
        if list(changed.users) != [reader]:
            break
        if not _may_share(changed.target):  # all that is written to is this operator's own result
            name, _, overload = str(part.target).removeprefix("aten.").partition(".")
            packet = getattr(torch.ops.aten, name.removesuffix("_"), None)
            if not name.endswith("_") or packet is None:
                break
            return getattr(packet, overload)
        reader, changed = changed, changed.args[0]
    raise NotLocalError(f"{part.target} writes into its input")


def _may_share(target: Any) -> bool:
    """Whether an operator's result may be a view of its input."""
    return not isinstance(target, torch._ops.OpOverload) or any(
        result.alias_info is not None for result in target._schema.returns
    )


def _replace(node: fx.Node, parts: Any) -> None:
    if isinstance(parts, fx.Node):
        node.replace_all_uses_with(parts)
    else:
        for user in list(node.users):
            if user.target is not operator.getitem:
                raise NotLocalError(f"{node.target} has several results")
            user.replace_all_uses_with(parts[user.args[1]])
            node.graph.erase_node(user)
    node.graph.erase_node(node)


def _know_again(node: fx.Node, mode: FakeTensorMode) -> None:
    """Find out anew what a node's value is: passes change layouts, and tell no other node."""
    with mode, torch.no_grad():
        value = function_of(node)(*tree_map(_value, node.args), **tree_map(_value, node.kwargs))
    about = {"val": value}
    if isinstance(value, torch.Tensor):
        about["tensor_meta"] = _extract_tensor_metadata(value)
    node.meta = node.meta | about  # passes let nodes share what is known of them


def _value(node: Any) -> Any:
    if not isinstance(node, fx.Node):
        return node
    if "val" not in node.meta:
        raise NotLocalError(f"nothing is known of {node}")
    return node.meta["val"]


def _fake_mode(graph: fx.Graph) -> FakeTensorMode:
    for node in graph.nodes:
        if isinstance(node.meta.get("val"), FakeTensor):
            mode: FakeTensorMode = node.meta["val"].fake_mode
            return mode
    raise NotLocalError("nothing is known of the network's tensors")
