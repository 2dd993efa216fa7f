"""How much of a graph computes in int8, whatever format it was read from.

A format's own file says what each operation is (:data:`Role`); what follows from that is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "constant", "weight", "quantize", "dequantize", "movement", "convolution", "activation", "other"
]
"""``weight`` is a constant that is expanded from integers, ``movement`` moves, chooses or retypes
values without computing new ones, ``activation`` is what kernels take along behind an operation."""

IslandPlace = Literal["entry", "inside", "exit", "everywhere"]
# (behind a quantize, ahead of one) -> where an island lies
ISLAND_PLACES: dict[tuple[bool, bool], IslandPlace] = {
    (False, True): "entry",
    (True, True): "inside",
    (True, False): "exit",
    (False, False): "everywhere",
}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of a program.

    Attributes
    ----------
    name:
        As reports call it: its kind, and its result's name.
    inputs:
        What computed each of its inputs; None for an input of the program.
    int8_weights:
        Of a convolution, whether its weights are stored as int8.
    """

    name: str
    role: Role
    inputs: tuple[Node | None, ...]
    int8_weights: bool = False


@dataclass(frozen=True)
class FloatIsland:
    """Neighbouring operations that compute in float on values that no ``dequantize`` gave.

    ``entry`` lies before the first quantization (for example pixels times 1/255), ``exit`` after
    the last, ``inside`` between two; ``everywhere`` is a program without quantization.
    """

    place: IslandPlace
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Int8Count:
    """The counts of one program.

    Attributes
    ----------
    convolutions:
        Convolutions, transposed ones and linear layers.
    int8_weights:
        Of these, with weights stored as int8.
    int8_convolutions:
        Of these, whose input comes from a ``dequantize`` too (int8 x int8).
    float_convolutions:
        Names of the others.
    islands:
        All float islands.
    """

    convolutions: int
    int8_weights: int
    int8_convolutions: int
    float_convolutions: tuple[str, ...]
    islands: tuple[FloatIsland, ...]

    @property
    def inside(self) -> tuple[str, ...]:
        """The operations of all islands between two quantizations."""
        inside = [island.operations for island in self.islands if island.place == "inside"]
        return tuple(operation for operations in inside for operation in operations)


def count_nodes(nodes: Sequence[Node]) -> Int8Count:
    """Count how much of a program, in the order of its operations, computes in int8.

    An operation counts as int8 when all its data come from ``dequantize``, with only
    data-movement operations between, or when it is an activation right behind such an operation.
    """
    int8: set[Node] = set()
    floats: dict[Node, list[Node | None]] = {}  # float operation -> its sources
    for node in nodes:
        if node.role in ("constant", "weight", "quantize", "dequantize", "movement"):
            continue
        sources = [source for maker in node.inputs for source in _sources(maker)]
        if sources and all(_keeps_int8(node, source, int8) for source in sources):
            int8.add(node)
        elif sources:
            floats[node] = sources
    convolutions = [node for node in nodes if node.role == "convolution"]
    light = [node for node in convolutions if node.int8_weights]
    proven = [node for node in light if node in int8]
    return Int8Count(
        convolutions=len(convolutions),
        int8_weights=len(light),
        int8_convolutions=len(proven),
        float_convolutions=tuple(node.name for node in convolutions if node not in proven),
        islands=_islands(nodes, floats),
    )


def _sources(maker: Node | None) -> Iterator[Node | None]:
    """Give the operations that computed a value, behind data movement; None for an input."""
    if maker is None:
        yield None
    elif maker.role == "movement":
        for moved in maker.inputs:
            yield from _sources(moved)
    elif maker.role not in ("weight", "constant"):
        yield maker


def _keeps_int8(node: Node, source: Node | None, int8: set[Node]) -> bool:
    if source is None:
        return False
    return source.role == "dequantize" or (node.role == "activation" and source in int8)


def _islands(
    nodes: Sequence[Node], floats: Mapping[Node, list[Node | None]]
) -> tuple[FloatIsland, ...]:
    # float operation -> the island that it belongs to
    members: dict[Node | None, list[Node]] = {}
    for node, sources in floats.items():
        island = [node]
        for source in sources:
            joined = members.get(source, island)
            if joined is not island:
                joined.extend(island)
                island = joined
            members.update(dict.fromkeys(island, island))
        members[node] = island
    distinct = {id(island): island for island in members.values()}.values()

    behind: set[Node | None] = set()  # operations that some quantize comes before
    for node in nodes:
        if any(maker in behind or _is_quantize(maker) for maker in node.inputs):
            behind.add(node)
    ahead: set[Node | None] = set()  # operations that some quantize comes after
    for node in reversed(nodes):
        if node in ahead or _is_quantize(node):
            ahead.update(node.inputs)
    return tuple(
        FloatIsland(
            place=ISLAND_PLACES[not behind.isdisjoint(island), not ahead.isdisjoint(island)],
            operations=tuple(node.name for node in island),
        )
        for island in distinct
    )


def _is_quantize(node: Node | None) -> bool:
    return node is not None and node.role == "quantize"
