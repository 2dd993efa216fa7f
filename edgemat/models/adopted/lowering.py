"""From an exported program to the deploy form: one rule for each of torch's operators."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses import FakeTensorMode
from torch.export import ExportedProgram

from edgemat.errors import EdgematError, UnsupportedError
from edgemat.models.adopted.lines import is_library
from edgemat.models.blocks.affine import ScaleShift

Value = Any
"""What an operator is given: a node of the new graph, a constant tensor, or a number."""
MAX_STILL = 1_000_000
"""Elements of a constant that is computed while lowering."""
aten = torch.ops.aten
OF_A_SHAPE = frozenset(
    {
        *(aten.zeros_like.default, aten.ones_like.default, aten.full_like.default),
        *(aten.new_zeros.default, aten.new_ones.default, aten.new_full.default),
    }
)
"""Operators that ask what they are given for its shape alone: their result is a constant, such as
the state with which a recurrent network begins."""


Of = Callable[[fx.Node], bool]
"""Whether something holds for a call of an operator in the traced program."""


def never(_: fx.Node) -> bool:
    """Of no call."""
    return False


def always(_: fx.Node) -> bool:
    """Of every call."""
    return True


@dataclass(frozen=True)
class LoweringRule:
    """What becomes of one operator.

    Attributes
    ----------
    lower:
        Called with the :class:`Lowering` and the operator's arguments; returns a node.
    becomes:
        In words; empty where it stays what it is.
    in_float:
        Whether no runtime has a call of it in int8: it computes in float between int8 operators.
    """

    lower: Callable[..., Value]
    becomes: str = ""
    in_float: Of = never


Rules = dict[Any, LoweringRule]


def rule(
    table: Rules, *targets: Any, becomes: str = "", in_float: Of = never
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Enter a function into `table`, as what becomes of `targets`."""

    def enter(function: Callable[..., Value]) -> Callable[..., Value]:
        for target in targets:
            table[target] = LoweringRule(function, becomes, in_float)
        return function

    return enter


class Lowering:
    """A graph in the making, of modules and functions that converters know.

    Attributes
    ----------
    graph, root:
        The new graph, and the modules that it calls.
    name, shape:
        Of the operator that is being lowered: the path of its weights' module, and its result's
        shape.
    """

    def __init__(self) -> None:
        self.graph = fx.Graph()
        self.root = nn.Module()
        self.name = ""
        self.shape: tuple[int, ...] = ()
        self._fake = FakeTensorMode(allow_non_fake_inputs=True)
        self._taken: set[str] = set()

    def placeholder(self, name: str, shape: tuple[int, ...]) -> fx.Node:
        """Begin the graph with its input."""
        node = self.graph.placeholder(name)
        with self._fake:
            node.meta["val"] = torch.empty(shape)
        return node

    def call(self, function: Callable[..., Any], *args: Value, **kwargs: Value) -> fx.Node:
        """Add a call of a function."""
        args, kwargs = self._as_nodes(args), self._as_nodes(kwargs)
        node = self.graph.call_function(function, args, kwargs)
        return self._known(node, function, args, kwargs)

    def module(self, module: nn.Module, *args: Value, name: str = "") -> fx.Node:
        """Add a module, under a name of its own, and a call of it."""
        path = self._add(name or f"{type(module).__name__.lower()}", module)
        node = self.graph.call_module(path, self._as_nodes(args))
        return self._known(node, module, self._as_nodes(args), {})

    def constant(self, value: Tensor) -> fx.Node:
        """Add a tensor that is the same for every picture."""
        path = self._fresh("constant")
        self.root.register_buffer(path, value.detach().clone())
        node = self.graph.get_attr(path)
        with self._fake:
            node.meta["val"] = torch.empty(value.shape, dtype=value.dtype)
        return node

    def scale_shift(self, x: fx.Node, scale: Tensor, shift: Tensor) -> fx.Node:
        """Add ``scale * x + shift`` of B,C,H,W, with a number for each channel."""
        channels = shape_of(x)[1]
        return self.module(
            ScaleShift(scale.expand(channels).float(), shift.expand(channels).float()), x
        )

    def _known(
        self, node: fx.Node, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> fx.Node:
        with self._fake, torch.no_grad():
            values = fx.node.map_arg(args, lambda n: n.meta["val"])
            named = fx.node.map_arg(kwargs, lambda n: n.meta["val"])
            node.meta["val"] = function(*values, **named)
        return node

    def _as_nodes(self, values: Any) -> Any:
        if isinstance(values, Tensor):
            return self.constant(values)
        if isinstance(values, list | tuple):
            return type(values)(self._as_nodes(value) for value in values)
        if isinstance(values, dict):
            return {key: self._as_nodes(value) for key, value in values.items()}
        return values

    def _add(self, name: str, module: nn.Module) -> str:
        parent = self.root
        for folder in name.split(".")[:-1]:
            if not hasattr(parent, folder):
                parent.add_module(folder, nn.Module())
            parent = getattr(parent, folder)
        path = self._fresh(name)
        parent.add_module(path.split(".")[-1], module)
        return path

    def _fresh(self, name: str) -> str:
        path, number = name, 0
        while path in self._taken:
            number += 1
            path = f"{name}_{number}"
        self._taken.add(path)
        return path


def shape_of(node: fx.Node) -> tuple[int, ...]:
    """Return the shape of what a node gives."""
    return tuple(int(length) for length in node.meta["val"].shape)


def lower(program: ExportedProgram, rules: Mapping[Any, LoweringRule]) -> fx.GraphModule:
    """Return what `program` computes, written in what the converters know.

    Parameters
    ----------
    program:
        Of one input, B,C,H,W; without operators that write in place.

    Raises
    ------
    UnsupportedError
        At an operator without a rule, with the line of the network's code that called it; also
        for a program that keeps a state, or gives anything but one result.
    """
    _require_no_state(program)
    lowering = Lowering()
    given = _constants(program)
    values: dict[fx.Node, Value] = {}
    for node in program.graph.nodes:
        if node.op == "placeholder":
            known = node.name in given
            values[node] = (
                given[node.name]
                if known
                else lowering.placeholder("x", tuple(node.meta["val"].shape))
            )
        elif node.op == "output":
            results = fx.node.map_arg(node.args[0], values.__getitem__)
            lowering.graph.output(_result(results))
        else:
            values[node] = _lower_node(lowering, node, values, rules, program)
    return fx.GraphModule(lowering.root, lowering.graph)


def _lower_node(
    lowering: Lowering,
    node: fx.Node,
    values: Mapping[fx.Node, Value],
    rules: Mapping[Any, LoweringRule],
    program: ExportedProgram,
) -> Value:
    args = fx.node.map_aggregate(node.args, lambda v: values[v] if isinstance(v, fx.Node) else v)
    kwargs = fx.node.map_aggregate(
        node.kwargs, lambda v: values[v] if isinstance(v, fx.Node) else v
    )
    if node.target is operator.getitem:
        source, index = list[Any](args)
        return source[index] if isinstance(source, list | tuple) else source
    flat: list[Any] = []
    fx.node.map_aggregate((args, kwargs), lambda v: flat.append(v))
    result = node.meta.get("val")
    lowering.name = name_of(node, program)
    lowering.shape = shape_of(node) if isinstance(result, Tensor) else ()
    try:
        if node.target in OF_A_SHAPE or not any(isinstance(value, fx.Node) for value in flat):
            return _compute(
                node, *fx.node.map_arg((args, kwargs), lambda n: torch.empty(shape_of(n)))
            )
        found = rules.get(node.target)
        if found is None:
            raise unknown_operator(node)
        value = found.lower(lowering, **_named(node.target, args, kwargs))
    except EdgematError as error:
        if (line := line_of(node)) in error.message:
            raise
        raise type(error)(
            f"{operator_name(node)} at {line}: {error.message}", remedy=error.remedy
        ) from error
    except Exception as error:  # of torch's, where a rule meets arguments that it does not foresee
        raise _unforeseen(node) from error
    if (
        isinstance(value, fx.Node)
        and isinstance(result, Tensor)
        and shape_of(value) != result.shape
    ):
        raise _unforeseen(node)
    return value


def _unforeseen(node: fx.Node) -> UnsupportedError:
    return UnsupportedError(
        f"{operator_name(node)}, as it is called at {line_of(node)}, has no form that phones run.",
        remedy="Write that line with other operations.",
    )


def _result(results: Sequence[Value]) -> fx.Node:
    """Return the one matte of a program."""
    if len(results) != 1:
        raise UnsupportedError(
            f"The program gives {len(results)} results.", remedy="Choose one by --map."
        )
    if not isinstance(results[0], fx.Node):
        raise UnsupportedError(
            "The network gives the same matte for every picture.",
            remedy="Check what its forward pass returns.",
        )
    return results[0]


def _require_no_state(program: ExportedProgram) -> None:
    signature = program.graph_signature
    for name in (*signature.buffers_to_mutate.values(), *signature.user_inputs_to_mutate.values()):
        raise UnsupportedError(
            f"The network writes into {name!r} at every picture.",
            remedy="Take that out in eval mode: recurrent state cannot be carried.",
        )


def unknown_operator(node: fx.Node) -> UnsupportedError:
    """Return what is raised at an operator that no rule is there for."""
    return UnsupportedError(
        f"{operator_name(node)} has no form that phones run; it is called at {line_of(node)}.",
        remedy="Write that line with other operations; docs/own-model.md lists those that work.",
    )


def operator_name(node: fx.Node) -> str:
    """Return an operator's name as torch writes it, such as ``aten.grid_sampler``."""
    return str(node.target).rsplit(".", 1)[0]


def line_of(node: fx.Node) -> str:
    """Return the line of code that called an operator: file, number and text."""
    lines = [line.strip() for line in (node.stack_trace or "").splitlines() if line.strip()]
    frames = [n for n, line in enumerate(lines) if line.startswith("File ")]
    own = [n for n in frames if not is_library(_file_of(lines[n]))]
    if not own:
        return "a line that the program does not tell"
    at = own[-1]
    text = f" ({lines[at + 1]})" if at + 1 < len(lines) else ""
    number = lines[at].partition(", line ")[2].split(",")[0]
    return f"{_file_of(lines[at])}:{number}{text}"


def _file_of(frame: str) -> str:
    return frame.removeprefix("File ").partition(", line ")[0].strip('"')


def name_of(node: fx.Node, program: ExportedProgram) -> str:
    """Return the path of the module that an operator's weights are in; empty without weights."""
    signature = program.graph_signature
    for argument in node.all_input_nodes:
        target: str | None = signature.inputs_to_parameters.get(argument.name)
        if target is not None:
            return target.rpartition(".")[0] or target
    return ""


def _constants(program: ExportedProgram) -> dict[str, Tensor]:
    """Return parameters, buffers and constants by the name of their placeholder."""
    signature = program.graph_signature
    by_path = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensors = {**program.constants, **program.state_dict}
    return {name: tensors[path].detach() for name, path in by_path.items()}


def _compute(node: fx.Node, args: Any, kwargs: Any) -> Value:
    """Run an operator whose result is the same for every picture."""
    expected = node.meta.get("val")
    if isinstance(expected, Tensor) and expected.numel() > MAX_STILL:
        raise UnsupportedError(
            f"{operator_name(node)} makes {expected.numel():,} constant numbers at "
            f"{line_of(node)}.",
            remedy="Give a smaller --size.",
        )
    with torch.no_grad():
        return node.target(*args, **kwargs)  # type: ignore[operator]


def _named(target: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return an operator's arguments by the names of its schema, defaults filled in."""
    known = {a.name: a.default_value for a in target._schema.arguments if a.has_default_value()}
    names = [argument.name for argument in target._schema.arguments]
    given = {**known, **dict(zip(names, args, strict=False)), **kwargs}
    # a rule's function may not name an argument `self`
    return {("x" if name in ("self", "input") else name): value for name, value in given.items()}
