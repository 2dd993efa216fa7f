"""Vectors of the benchmark: statistics, protocol, verdict, result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgemat.bench.devices.device import Golden, check_golden
from edgemat.bench.protocol import NS_PER_MS, Protocol, measure, schedule, unsteadiness
from edgemat.bench.result import (
    GOLDEN_LIMIT,
    Circumstances,
    Condition,
    Delegate,
    GoldenCheck,
    Result,
    judge_result,
    sustained_curve,
)
from edgemat.bench.stats import summarise
from edgemat.errors import UsageError
from tools.vectors.pictures import Vector, alpha, as_json


def samples(count: int, *, mean: float, scatter: float, drift: float = 0.0, seed: int) -> list[Any]:
    """Return latencies in milliseconds, in nanoseconds' steps."""
    rng = np.random.default_rng(seed)
    slope = 1 + drift * np.linspace(0, 1, count)
    values = mean * slope * (1 + scatter * rng.random(count))
    return [round(value * NS_PER_MS) / NS_PER_MS for value in values]


STEADY = samples(41, mean=10, scatter=0.05, seed=101)
SERIES = {
    "one": [7.25],
    "two": [4.0, 5.0],
    "steady": STEADY,
    "scattered": samples(20, mean=3, scatter=1.5, seed=102),
    "drifting": samples(30, mean=5, scatter=0.02, drift=0.5, seed=103),
    "quicker": samples(30, mean=5, scatter=0.02, drift=-0.4, seed=104),
}


def statistics() -> Vector:
    """Latency statistics, and what they refuse; the sustained curve."""
    summaries = [
        {"name": name, "samples_ms": series, "latency": summarise(series).to_json()}
        for name, series in SERIES.items()
    ]
    refused = []
    for series in ([], [1.0, 0.0], [1.0, -2.0]):
        try:
            summarise(series)
        except UsageError as error:
            refused.append({"samples_ms": series, "message": error.message})
    hot = samples(240, mean=8, scatter=0.05, drift=0.6, seed=105)
    curves = [
        {"samples_ms": series, "sustained": sustained_curve(series).model_dump(mode="json")}
        for series in (hot, [1.0, 200.0, 1.0], [5.0])
    ]
    return {"summaries": summaries, "refused": refused, "sustained": curves}


def protocols() -> Vector:
    """The protocol: its settings, the order of blocks, a whole measurement by a toy clock."""
    settings = [
        {"name": "default", "protocol": Protocol().to_json()},
        {"name": "strict", "protocol": Protocol.strict().to_json()},
    ]
    refused = []
    for fields in ({"runs": 0}, {"blocks": 3}, {"max_cv": -0.1}, {"warmup_runs": -1}):
        try:
            Protocol(**fields)
        except UsageError as error:
            refused.append(fields | {"message": error.message})
    orders = [
        {"names": names, "blocks": blocks, "order": list(schedule(names, blocks))}
        for names, blocks in [(["A"], 2), (["A", "B"], 4), (["A", "B", "C"], 6)]
    ]
    short = Protocol(
        warmup_runs=3, warmup_seconds=0.02, runs=10, seconds=0.05, blocks=4, sustained_seconds=0.03
    )
    return {
        "settings": settings,
        "refused": refused,
        "schedule": orders,
        "measurements": [
            _measurement(short, {"float": [9_000_000, 9_400_000, 8_700_000], "int8": [3_100_000]}),
            _measurement(Protocol(1, 0, 3, 0, 2, 0), {"alone": [1_000_000, 2_000_000]}),
        ],
    }


def _measurement(protocol: Protocol, durations: dict[str, Sequence[int]]) -> dict[str, Any]:
    """Return what is measured when the runs of a candidate take the given nanoseconds in turn."""
    now = 0
    order: list[str] = []

    def candidate(name: str) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            now += durations[name][order.count(name) % len(durations[name])]
            order.append(name)

        return run

    measured = measure({name: candidate(name) for name in durations}, protocol, clock=lambda: now)
    return {
        "protocol": protocol.to_json(),
        "durations_ns": durations,
        "order": order,
        "measured": {
            name: {
                "warmup_runs": one.warmup_runs,
                "samples_ms": one.samples_ms,
                "sustained_ms": one.sustained_ms,
                "unsteady": one.unsteady,
            }
            for name, one in measured.items()
        },
    }


XNNPACK = Delegate(asked="xnnpack", used="xnnpack", operators=71, delegated=70, partitions=1)
FALLEN_BACK = Delegate(asked="gpu", used="xnnpack", operators=71, delegated=70, partitions=1)
RIGHT = GoldenCheck(reference="artefact", max_abs=0.02, mean_abs=0.0001, limit=GOLDEN_LIMIT)
WRONG = GoldenCheck(reference="artefact", max_abs=1.0, mean_abs=0.31415, limit=GOLDEN_LIMIT)
UNKNOWN, COOL = Condition(), Condition(thermal_status="none", thermal_headroom=0.4)
WARM, HOT = Condition(thermal_status="light"), Condition(thermal_status="moderate")
AT_LIMIT = Condition(thermal_status="light", thermal_headroom=1.0)
SAVING = Condition(low_power_mode=True)


def circumstances(before: Condition = UNKNOWN, after: Condition = UNKNOWN) -> Circumstances:
    """Return a phone that does not exist."""
    return Circumstances(
        transport="android", device_kind="physical", device="Testphone 9", soc="Testchip 3",
        cores=8, os="Android 15", abi="arm64-v8a", runtime="LiteRT 1.4.0",
        before=before, after=after,
    )  # fmt: skip


def verdicts() -> Vector:
    """`edgemat.bench.result.judge_result` with every reason, and `check_golden`."""
    cases = []
    for series, delegate, before, after, golden in [
        ("steady", XNNPACK, UNKNOWN, UNKNOWN, None),
        ("steady", XNNPACK, COOL, WARM, RIGHT),
        ("scattered", XNNPACK, COOL, COOL, RIGHT),
        ("drifting", XNNPACK, COOL, COOL, RIGHT),
        ("quicker", XNNPACK, COOL, COOL, RIGHT),
        ("steady", XNNPACK, HOT, HOT, RIGHT),
        ("steady", XNNPACK, WARM, AT_LIMIT, RIGHT),
        ("steady", XNNPACK, SAVING, UNKNOWN, RIGHT),
        ("steady", FALLEN_BACK, COOL, COOL, RIGHT),
        ("steady", XNNPACK, COOL, COOL, WRONG),
        ("drifting", FALLEN_BACK, HOT, SAVING, WRONG),
    ]:
        latency, protocol = summarise(SERIES[series]), Protocol()
        where = circumstances(before, after)
        verdict, reason = judge_result(latency, protocol, delegate, where, golden)
        cases.append(
            {
                "samples_ms": SERIES[series],
                "delegate": delegate.model_dump(mode="json"),
                "before": before.model_dump(mode="json"),
                "after": after.model_dump(mode="json"),
                "golden": None if golden is None else golden.model_dump(mode="json"),
                "unsteady": unsteadiness(latency, protocol),
                "verdict": verdict,
                "reason": reason,
            }
        )
    expected, found = alpha(8, 8, seed=111), alpha(8, 8, seed=112)
    pixels = np.zeros((1, 8, 8, 3), np.float32)
    check = check_golden(Golden(pixels, expected[None, ..., None], "artefact"), found)
    compared = {"expected": as_json(expected), "found": as_json(found)}
    return {"judged": cases, "golden": [compared | {"check": check.model_dump(mode="json")}]}


def results() -> Vector:
    """Whole results, valid by docs/result-schema.json, with what they are made from."""
    cases = []
    for series, delegate, golden, sustained in [
        ("steady", XNNPACK, RIGHT, ()),
        ("scattered", FALLEN_BACK, None, SERIES["drifting"]),
    ]:
        latency, protocol = summarise(SERIES[series]), Protocol()
        where = circumstances(COOL, Condition(thermal_status="light", battery_level=0.5))
        verdict, reason = judge_result(latency, protocol, delegate, where, golden)
        result = Result(
            name="portrait-int8", model_sha256="ab" * 32, model_bytes=3_490_424, threads=4,
            delegate=delegate, init_ms=41.5, first_ms=12.25, warmup_runs=97,
            samples_ms=tuple(SERIES[series]), latency=latency, verdict=verdict, reason=reason,
            peak_memory_bytes=61_000_000, golden=golden,
            sustained=sustained_curve(sustained) if sustained else None,
            protocol=protocol, circumstances=where, recorded_at="2026-11-23T10:00:00+00:00",
        )  # fmt: skip
        cases.append({"sustained_ms": sustained, "result": result.to_json()})
    return {"results": cases}
