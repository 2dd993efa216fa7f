"""The time that operators in float take in an int8 file: each is measured as a file of its own.

LiteRT tells its times operator by operator to C++ alone. An operator by itself pays for being
called, and finds its values in the cache: what is told is what it costs about, on this machine.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgemat.convert.backend import FloatCost
from edgemat.convert.flatbuffer import explain_damage, read_model, write_model
from edgemat.convert.flatbuffer_types import ModelT, OperatorT
from edgemat.convert.operators import float_places, name_of
from edgemat.matting.runtime import invoke_freely

WARMUP, RUNS = 2, 9


def measure_float(path: Path) -> tuple[FloatCost, ...]:
    """Measure what a .tflite file computes in float, its ends left out; the dearest first.

    Raises
    ------
    ArtifactError
        When the file cannot be read.
    """
    model = read_model(path)
    with explain_damage(path):
        operators = [model.subgraphs[0].operators[place] for place in float_places(model)]
        alike: dict[str, OperatorT] = {}
        counts = Counter(_signature(model, operator, alike) for operator in operators)
    totals: dict[str, float] = {}
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for signature, count in counts.items():
            single = Path(folder) / "operator.tflite"
            write_model(_alone(model, alike[signature]), single)
            name = name_of(model, alike[signature])
            totals[name] = totals.get(name, 0.0) + count * _latency_ms(single)
            kinds[name] += count
    found = [FloatCost(name, kinds[name], total) for name, total in totals.items()]
    return tuple(sorted(found, key=lambda one: one.latency_ms, reverse=True))


def _signature(model: ModelT, operator: OperatorT, alike: dict[str, OperatorT]) -> str:
    """Return what tells operators apart that take other times; note the first of each."""
    tensors = model.subgraphs[0].tensors
    shapes = [
        (tuple(tensors[i].shape), tensors[i].type, tensors[i].buffer and _content(model, i))
        for i in (*operator.inputs, *operator.outputs)
        if i >= 0
    ]
    options = vars(operator.builtinOptions) if operator.builtinOptions is not None else {}
    signature = repr((name_of(model, operator), shapes, sorted(options.items())))
    alike.setdefault(signature, operator)
    return signature


def _content(model: ModelT, index: int) -> bytes:
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return b"" if data is None else bytes(data)


def _alone(model: ModelT, operator: OperatorT) -> ModelT:
    """Return a model of one operator: what it takes that is no constant is put in from outside."""
    made, graph = schema.ModelT(), schema.SubGraphT()
    made.version, made.buffers, made.subgraphs = 3, [schema.BufferT()], [graph]
    made.operatorCodes = [model.operatorCodes[operator.opcodeIndex]]
    own = copy.copy(operator)
    numbers: dict[int, int] = {}
    graph.tensors, graph.inputs = [], []
    for old in dict.fromkeys([*operator.inputs, *operator.outputs]):
        if old < 0:
            continue
        numbers[old] = len(graph.tensors)
        tensor: Any = copy.copy(model.subgraphs[0].tensors[old])
        content = _content(model, old)
        tensor.buffer = 0
        if content:
            tensor.buffer = len(made.buffers)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            made.buffers.append(buffer)
        elif old not in operator.outputs:
            graph.inputs.append(numbers[old])
        graph.tensors.append(tensor)
    own.inputs = [numbers.get(i, -1) for i in operator.inputs]
    own.outputs = [numbers[i] for i in operator.outputs]
    own.opcodeIndex = 0
    graph.outputs, graph.operators = own.outputs, [own]
    lone: ModelT = made
    return lone


def _latency_ms(path: Path) -> float:
    invoke = invoke_freely(path)
    for _ in range(WARMUP):
        invoke()
    samples = []
    for _ in range(RUNS):
        started = time.perf_counter_ns()
        invoke()
        samples.append(time.perf_counter_ns() - started)
    return float(np.median(samples)) / 1e6
