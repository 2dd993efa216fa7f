"""What will become of a network, before any work: operators, islands in float, cost, memory."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from torch import fx
from torch.export import ExportedProgram

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.float_time import float_times
from edgemat.models.adopted.lowering import OF_A_SHAPE, line_of, lower, operator_name
from edgemat.models.adopted.operators import RULES
from edgemat.models.adopted.partitions import count_partitions
from edgemat.models.adopted.passes import tidy
from edgemat.models.adopted.program import shape_of_input
from edgemat.models.count import count, count_parameters

Arithmetic = Literal["int8", "float", "none"]


@dataclass(frozen=True)
class OperatorRow:
    """One operator of a network.

    Attributes
    ----------
    count:
        How often it is called.
    arithmetic:
        What it computes in on a phone: "none" where no runtime has it.
    becomes:
        What it is rewritten to; empty where it stays.
    line:
        Of the network's code that calls it first.
    latency_ms:
        Of all its calls where it stays in float, in torch on one thread of this machine; else None.
    """

    operator: str
    count: int
    arithmetic: Arithmetic
    becomes: str
    line: str
    latency_ms: float | None = None


@dataclass(frozen=True)
class Expectation:
    """What to expect of a network on phones.

    Attributes
    ----------
    constants:
        What the network takes beside the picture, with the values that it always has.
    refusal:
        Why it cannot be converted; empty where it can.
    macs:
        Multiply-accumulates of one picture, in 1e9.
    memory_bytes:
        The most that its tensors take at once in int8; four times that in float32.
    partitions:
        Into how many the operators will fall that a delegate takes. An estimate: ``edgemat bench``
        counts those of the file.
    """

    operators: tuple[OperatorRow, ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    remedy: str = ""
    parameters: int | None = None
    macs: float | None = None
    memory_bytes: int | None = None
    partitions: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


def expect(program: ExportedProgram, constants: Mapping[str, str] | None = None) -> Expectation:
    """Look a traced network through: nothing is converted.

    Parameters
    ----------
    constants:
        What it was traced with beside the picture.
    """
    constants = constants or {}
    calls = _varying(program)
    rows = _rows(calls)
    try:
        _require_known(rows)
        lowered = tidy(lower(program, RULES))
    except UnsupportedError as error:
        return Expectation(rows, constants, refusal=error.message, remedy=error.remedy)
    return Expectation(
        _rows(calls, float_times([node for node in calls if RULES[node.target].in_float(node)])),
        constants,
        parameters=count_parameters(lowered),
        macs=count(lowered, shape_of_input(program, "The program")),
        memory_bytes=_peak(lowered.graph),
        partitions=count_partitions(lowered),
    )


def require_known_operators(program: ExportedProgram) -> None:
    """Check that there is a rule for each operator; those without are named together.

    Raises
    ------
    UnsupportedError
        Where one has none.
    """
    _require_known(_rows(_varying(program)))


def _require_known(rows: Sequence[OperatorRow]) -> None:
    missing = [row for row in rows if row.arithmetic == "none"]
    if missing:
        named = "; ".join(f"{row.operator} at {row.line}" for row in missing)
        raise UnsupportedError(
            f"No phone's runtime has: {named}.", remedy="Write these lines with other operations."
        )


def _rows(
    calls: Sequence[fx.Node], times: Mapping[Any, float] = MappingProxyType({})
) -> tuple[OperatorRow, ...]:
    """Return a row for each operator and arithmetic; `times` are milliseconds by operator."""
    counts = Counter((node.target, _arithmetic(node)) for node in calls)
    first: dict[tuple[Any, Arithmetic], fx.Node] = {}
    for node in calls:
        first.setdefault((node.target, _arithmetic(node)), node)
    return tuple(
        OperatorRow(
            operator=operator_name(node),
            count=counts[target, arithmetic],
            arithmetic=arithmetic,
            becomes=RULES[target].becomes if target in RULES else "",
            line=line_of(node),
            latency_ms=times.get(target) if arithmetic == "float" else None,
        )
        for (target, arithmetic), node in first.items()
    )


def _arithmetic(call: fx.Node) -> Arithmetic:
    rule = RULES.get(call.target)
    if rule is None:
        return "none"
    return "float" if rule.in_float(call) else "int8"


def _varying(program: ExportedProgram) -> list[fx.Node]:
    """Return the calls whose results depend on the picture, beyond its shape."""
    names = set(program.graph_signature.user_inputs)
    depend: set[fx.Node] = set()
    calls = []
    for node in program.graph.nodes:
        if node.target in OF_A_SHAPE:
            continue
        if node.op == "placeholder" and node.name in names:
            depend.add(node)
        elif node.op == "call_function" and any(n in depend for n in node.all_input_nodes):
            depend.add(node)
            if node.target is not operator.getitem:
                calls.append(node)
    return calls


def _peak(graph: fx.Graph) -> int:
    """Return the most values that are needed at once, in the order of the graph."""
    last = {used: node for node in graph.nodes for used in node.all_input_nodes}
    alive: dict[fx.Node, int] = {}
    most = 0
    for node in graph.nodes:
        if node.op == "get_attr":
            continue
        value = node.meta.get("val")
        alive[node] = 0 if value is None else int(value.numel())
        most = max(most, sum(alive.values()))
        alive = {n: size for n, size in alive.items() if last.get(n, n) is not node}
    return most
