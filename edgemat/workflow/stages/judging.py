"""Judging a run's files by bounds."""

from __future__ import annotations

import math
from dataclasses import replace

from edgemat.artifacts.artifact import Artifact
from edgemat.convert.backends import find_target
from edgemat.recipe.schema import WHOLLY_INT8, Recipe
from edgemat.report.data import GateRow, ModelRun
from edgemat.scoring.bounds import Bound, Verdict, judge

LEAST_DB = 20 * math.log10(255)
"""A step of 8 bits, in the mean."""


def judge_files(model: ModelRun, recipe: Recipe) -> list[GateRow]:
    """Judge every file by the bounds on agreement, and int8 files by the gate as well."""
    name = model.section.name
    rows: list[GateRow] = []
    float_scores = model.trained.manifest.scores["unknown"].model_dump()
    for file in model.files:
        manifest, target = file.manifest, str(file.manifest.target)
        rules = dict(find_target(target).parity) | model.section.parity.get(target, {})
        # of a network that is int8 in parts, the proof says what is, and the gate does not judge it
        if not model.section.quantize.wholly_int8:
            rules = {name: rule for name, rule in rules.items() if name not in WHOLLY_INT8}
        bounds = [Bound(metric, rule) for metric, rule in rules.items()]
        first = manifest.agreements[0]
        for verdict in judge(bounds, measured(file)):
            verdict = allow_rounding(verdict, first.rounding_db)
            scope = f"{first.runtime}, against the {first.reference} model"
            rows.append(GateRow(name, target, verdict, scope))
        if manifest.int8_proof is not None:
            bounds = [Bound(metric, rule) for metric, rule in recipe.gate.items()]
            scores = manifest.scores["unknown"].model_dump()
            for verdict in judge(bounds, scores, reference=float_scores):
                scope = "unknown region, against the float model"
                rows.append(GateRow(name, target, verdict, scope))
    return rows


def allow_rounding(verdict: Verdict, rounding_db: float | None) -> Verdict:
    """Let a file be as far from its network in float32 as that itself is from exact arithmetic.

    Two ways of rounding lie up to twice as far from each other as each from what is exact: 6 dB.
    Below :data:`LEAST_DB` nothing excuses a file.
    """
    if rounding_db is None or verdict.name != "psnr_db" or verdict.passed:
        return verdict
    return replace(
        verdict,
        passed=verdict.measured >= max(LEAST_DB, rounding_db - 20 * math.log10(2)),
        note=f"the network's own rounding: {rounding_db:.4g} dB",
    )


def measured(file: Artifact) -> dict[str, float]:
    """Return the figures that bounds may name; agreement is that of the runtime apps use."""
    manifest = file.manifest
    first = manifest.agreements[0]
    figures = {
        "psnr_db": first.psnr_db,
        "max_abs": first.max_abs,
        "mean_abs": first.mean_abs,
    }
    proof = manifest.int8_proof
    if proof is not None:
        figures["int8_share"] = proof.int8_convolutions / proof.convolutions
        figures["float_islands"] = float(len(proof.float_islands))
        figures["scales_exact_share"] = proof.scales_exact / proof.scales
        if proof.tensors and proof.tensors_equal is not None:
            figures["tensors_equal_share"] = proof.tensors_equal / proof.tensors
    return figures
