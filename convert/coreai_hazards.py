"""What is known to come out wrong on phones, looked for in a Core AI file.

Each is somebody's report that Apple's compilers for the Neural Engine, or for a phone's CPU, gave
other numbers than the program says, without a word. Apple's runtime for Linux is none of these:
it cannot show them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgemat.convert.coreai_program import (
    EXPANDED,
    PRODUCTS,
    QUANTIZE,
    CoreAiProgram,
    constant,
)

LONGEST_STRIDE, WIDEST_KERNEL = 8, 16
"""Of transposed convolutions, from where on a CPU was seen to compute wrongly."""


@dataclass(frozen=True)
class Hazard:
    """One report.

    Attributes
    ----------
    report:
        Repository and number of the issue.
    what:
        What goes wrong, and where.
    concerns:
        Whether an operation of a program is of that kind.
    """

    report: str
    what: str
    concerns: Callable[[CoreAiProgram, Any], bool]


def find_hazards(program: CoreAiProgram) -> dict[Hazard, int]:
    """Return the reports that concern operations of a program, with how many of them."""
    counts = {
        hazard: sum(hazard.concerns(program, operation) for operation in program.operations)
        for hazard in HAZARDS
    }
    return {hazard: count for hazard, count in counts.items() if count}


def _named(*names: str) -> Callable[[CoreAiProgram, Any], bool]:
    return lambda program, operation: operation.name in names


def _is_flat_product(program: CoreAiProgram, operation: Any) -> bool:
    return bool(operation.name in PRODUCTS and len(operation.results[0].type.shape) == 2)


def _is_unclamped_product(program: CoreAiProgram, operation: Any) -> bool:
    """Tell whether a product is quantized as it is, of factors that have a grid."""
    if operation.name != QUANTIZE:
        return False
    maker = operation.operands[0].owner
    return getattr(maker, "name", "") in ("coreai.mul", "coreai.decomposable.broadcasting_mul")


def _is_long_transposed(program: CoreAiProgram, operation: Any) -> bool:
    if operation.name != "coreai.conv_transpose2d":
        return False
    _, _, weight, stride = operation.operands[:4]
    sides = list(weight.type.shape)[-2:]
    strides = np.asarray(stride.owner.attributes["value"]).ravel()
    return max(sides) >= WIDEST_KERNEL or int(strides.max()) >= LONGEST_STRIDE


def _has_blocks(program: CoreAiProgram, operation: Any) -> bool:
    """Tell whether weights have several scales for one output."""
    if operation.name != EXPANDED:
        return False
    shape = constant(program, operation.operands[1]).shape
    return len([side for side in shape if side > 1]) > 1


HAZARDS = (
    Hazard(
        "apple/coreai-torch#116",
        "the index of the largest float16 is another, on the Neural Engine",
        _named("coreai.argmax", "coreai.reduce_index"),
    ),
    Hazard(
        "apple/coreai-torch#115",
        "float16 behind a sort and a gather is another, on the Neural Engine",
        _named("coreai.sort", "coreai.argsort", "coreai.gather_nd", "coreai.gather_along_axis"),
    ),
    Hazard(
        "apple/coreai-torch#112",
        "a product takes the grid of a factor unless it is clamped, on the Neural Engine",
        _is_unclamped_product,
    ),
    Hazard(
        "apple/coreai-torch#51",
        "float16 products of matrices without a batch are off by 4 %, on the Neural Engine",
        _is_flat_product,
    ),
    Hazard(
        "apple/coreai-models#279",
        "weights with several scales for one output are others, on the Neural Engine",
        _has_blocks,
    ),
    Hazard(
        "john-rocky/coreai-model-zoo#18",
        "transposed convolutions with long strides or wide kernels are wrong, on the CPU",
        _is_long_transposed,
    ),
)
