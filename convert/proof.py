"""Proof of int8, read from the finished file and compared with the quantization specification."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from edgemat.artifacts.artifact import Int8Proof
from edgemat.quantize.spec import QuantSpec, StoredGrid


def proof_of(
    spec: QuantSpec,
    *,
    convolutions: int,
    int8_convolutions: int,
    float_islands: Iterable[str],
    grids: Collection[StoredGrid],
) -> Int8Proof:
    """Return what was counted in a file, with how many grids of `spec` are among its `grids`."""
    return Int8Proof(
        convolutions=convolutions,
        int8_convolutions=int8_convolutions,
        float_islands=tuple(float_islands),
        scales=len(spec.tensors),
        scales_exact=sum(quant.stored in grids for quant in spec.tensors),
    )
