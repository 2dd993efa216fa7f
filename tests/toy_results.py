"""A benchmark result as a phone might give it, for tests that need one."""

from __future__ import annotations

from typing import Any

from edgemat.bench.protocol import Protocol
from edgemat.bench.result import GOLDEN_LIMIT, Circumstances, Delegate, GoldenCheck, Result
from edgemat.bench.stats import summarise

STEADY = tuple(10.0 + 0.01 * (n % 3) for n in range(30))
XNNPACK = Delegate(asked="xnnpack", used="xnnpack", operators=71, delegated=70, partitions=1)


def toy_circumstances(**fields: Any) -> Circumstances:
    known = {
        "transport": "adb",
        "device_kind": "physical",
        "device": "Testphone 9",
        "soc": "Testchip",
        "cores": 8,
        "os": "Android 15",
        "abi": "arm64-v8a",
        "runtime": "LiteRT 2.3.0",
    }
    return Circumstances(**known | fields)


def toy_result(**fields: Any) -> Result:
    known = {
        "name": "portrait",
        "model_sha256": "ab" * 32,
        "model_bytes": 1000,
        "threads": 1,
        "delegate": XNNPACK,
        "init_ms": 5.0,
        "first_ms": 12.0,
        "warmup_runs": 10,
        "samples_ms": STEADY,
        "latency": summarise(STEADY),
        "verdict": "valid",
        "reason": "",
        "golden": GoldenCheck(reference="artefact", max_abs=0.0, mean_abs=0.0, limit=GOLDEN_LIMIT),
        "protocol": Protocol(),
        "circumstances": toy_circumstances(),
        "recorded_at": "2026-11-23T10:00:00+00:00",
    }
    return Result(**known | fields)
