"""Statistics, protocol, and this host."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.host import HostDevice, bench_host, host_circumstances, host_condition
from edgemat.bench.devices.linux import cpu_model, is_virtualised
from edgemat.bench.protocol import Protocol, measure, schedule, unsteadiness
from edgemat.bench.stats import summarise
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import sha256_file

# --- statistics -------------------------------------------------------------------------------


def test_summary_of_a_known_vector() -> None:
    latency = summarise([float(n) for n in range(1, 101)])
    assert (latency.count, latency.min_ms, latency.mean_ms) == (100, 1.0, 50.5)
    percentiles = (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms)
    assert percentiles == pytest.approx((50.5, 90.1, 95.05, 99.01))
    assert latency.iqr_ms == pytest.approx(75.25 - 25.75)
    assert latency.std_ms == pytest.approx(math.sqrt(101 * 100 / 12))
    assert latency.cv == pytest.approx(latency.std_ms / 50.5)
    assert latency.drift == pytest.approx(75.5 / 25.5 - 1)


def test_percentiles_interpolate_linearly() -> None:
    assert summarise([10.0, 20.0]).p90_ms == pytest.approx(19.0)
    assert summarise([3.0]).p99_ms == 3.0


def test_one_sample_neither_scatters_nor_drifts() -> None:
    latency = summarise([3.0])
    assert (latency.std_ms, latency.cv, latency.drift) == (0.0, 0.0, 0.0)


def test_drift_has_a_sign() -> None:
    assert summarise([1.0, 1.0, 1.2, 1.2]).drift == pytest.approx(0.2)
    assert summarise([1.2, 1.2, 1.2, 0.6, 0.6, 0.6]).drift == pytest.approx(-0.5)


@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=50))
def test_percentiles_are_ordered_and_within_the_samples(samples: list[float]) -> None:
    s = summarise(samples)
    ladder = [s.min_ms, s.p50_ms, s.p90_ms, s.p95_ms, s.p99_ms, max(samples)]
    assert ladder == sorted(ladder)
    assert s.iqr_ms >= 0


@pytest.mark.parametrize("samples", [[], [1.0, math.nan], [1.0, 0.0]])
def test_samples_that_are_none_are_refused(samples: list[float]) -> None:
    with pytest.raises(UsageError):
        summarise(samples)


# --- protocol ---------------------------------------------------------------------------------


class FakeMachine:
    """A clock that only the candidates move, and a log of what ran."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.log: list[str] = []

    def clock(self) -> int:
        return self.now_ns

    def candidate(self, name: str, costs_ms: Callable[[int], float]) -> Callable[[], None]:
        def run() -> None:
            self.now_ns += round(costs_ms(self.log.count(name)) * 1e6)
            self.log.append(name)

        return run


QUICK = Protocol(warmup_runs=2, warmup_seconds=0.0, runs=4, seconds=0.0, blocks=2, settle_runs=0)


def runs_of(log: list[str]) -> list[tuple[str, int]]:
    """Return the log with equal neighbours counted."""
    groups: list[tuple[str, int]] = []
    for name in log:
        if groups and groups[-1][0] == name:
            groups[-1] = (name, groups[-1][1] + 1)
        else:
            groups.append((name, 1))
    return groups


def test_blocks_take_turns_a_b_b_a() -> None:
    assert "".join(schedule("AB", 4)) == "ABBAABBA"
    assert "".join(schedule("ABC", 2)) == "ABCCBA"
    machine = FakeMachine()
    candidates = {n: machine.candidate(n, lambda _: 1.0) for n in "AB"}
    measure(candidates, QUICK, clock=machine.clock)
    # warm-up 2 A, 2 B; then blocks of 2: A, B B, A
    assert runs_of(machine.log) == [("A", 2), ("B", 2), ("A", 2), ("B", 4), ("A", 2)]


def test_settling_runs_are_not_measured() -> None:
    machine = FakeMachine()
    protocol = Protocol(warmup_runs=0, warmup_seconds=0, runs=4, seconds=0, blocks=2, settle_runs=1)
    # Runs 0 and 3 open the two blocks of three; they cost 9 ms and must not be seen.
    run = machine.candidate("A", lambda n: 9.0 if n in (0, 3) else 1.0)
    assert measure({"A": run}, protocol, clock=machine.clock)["A"].samples_ms == (1.0,) * 4


@pytest.mark.parametrize(
    ("runs", "seconds", "cost_ms", "expected"), [(100, 0.1, 5.0, 100), (10, 1.0, 5.0, 200)]
)
def test_both_minimums_hold(runs: int, seconds: float, cost_ms: float, expected: int) -> None:
    machine = FakeMachine()
    protocol = Protocol(warmup_runs=0, warmup_seconds=0, runs=runs, seconds=seconds)
    run = machine.candidate("A", lambda _: cost_ms)
    result = measure({"A": run}, protocol, clock=machine.clock)["A"]
    assert len(result.samples_ms) == expected
    assert sum(result.samples_ms) >= seconds * 1000


@settings(deadline=None)
@given(st.integers(1, 50), st.floats(0, 0.2), st.floats(0.1, 5.0), st.sampled_from([2, 4, 6, 10]))
def test_minimums_hold_for_any_setting(
    runs: int, seconds: float, cost_ms: float, blocks: int
) -> None:
    machine = FakeMachine()
    protocol = Protocol(warmup_runs=1, warmup_seconds=0, runs=runs, seconds=seconds, blocks=blocks)
    run = machine.candidate("A", lambda _: cost_ms)
    result = measure({"A": run}, protocol, clock=machine.clock)["A"]
    assert len(result.samples_ms) >= runs
    assert math.fsum(result.samples_ms) >= seconds * 1000 * (1 - 1e-12)


@pytest.mark.parametrize(("cost_ms", "expected"), [(500.0, 10), (20.0, 50)])
def test_warm_up_takes_ten_runs_and_a_second(cost_ms: float, expected: int) -> None:
    machine = FakeMachine()
    run = machine.candidate("A", lambda _: cost_ms)
    result = measure({"A": run}, Protocol(runs=2, seconds=0, blocks=2), clock=machine.clock)["A"]
    assert result.warmup_runs == expected


def test_defaults_are_the_protocol_of_the_project() -> None:
    p = Protocol()
    assert (p.warmup_runs, p.warmup_seconds, p.runs, p.seconds) == (10, 1.0, 200, 10.0)


def test_scatter_and_drift_make_a_measurement_invalid() -> None:
    machine = FakeMachine()
    protocol = Protocol(
        warmup_runs=0, warmup_seconds=0, runs=20, seconds=0, blocks=2, settle_runs=0
    )
    candidates = {
        "steady": machine.candidate("steady", lambda n: 1.0 + 0.001 * (n % 2)),
        "wild": machine.candidate("wild", lambda n: 1.0 + n % 2),
        "slowing": machine.candidate("slowing", lambda n: 1.0 if n < 10 else 1.15),
    }
    result = measure(candidates, protocol, clock=machine.clock)
    assert list(result) == list(candidates)
    assert (result["steady"].verdict, result["steady"].unsteady) == ("valid", ())
    assert result["wild"].verdict == "invalid"
    assert result["wild"].unsteady[0].startswith("CV 34.2% is above 10%")
    assert result["slowing"].verdict == "invalid"
    assert result["slowing"].unsteady == ("drift +15.0% is beyond 10%",)


def test_a_faster_second_half_is_drift_too() -> None:
    latency = summarise([1.0] * 10 + [0.85] * 10)
    assert unsteadiness(latency, Protocol()) == ("drift -15.0% is beyond 10%",)


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    machine = FakeMachine()
    candidates = {n: machine.candidate(n, lambda _: 1.0) for n in "AB"}
    measure(candidates, QUICK, progress=lambda *step: seen.append(step), clock=machine.clock)
    assert seen == [(n, 6) for n in range(1, 7)]


@pytest.mark.parametrize(
    "setting",
    [{"runs": 0}, {"blocks": 3}, {"blocks": 0}, {"seconds": -1.0}, {"max_cv": math.nan}],
)
def test_impossible_settings_are_named(setting: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(setting))):
        Protocol(**setting)
    with pytest.raises(UsageError, match="nothing to measure"):
        measure({}, Protocol())


# --- this host --------------------------------------------------------------------------------

SHORT = Protocol(warmup_runs=2, warmup_seconds=0.0, runs=20, seconds=0.02, blocks=4)


@pytest.fixture
def two_models(tmp_path: Path) -> dict[str, Path]:
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import write_matte_model, write_mixed_model

    return {
        "matte": write_matte_model(tmp_path / "matte.tflite", size=64),
        "mixed": write_mixed_model(tmp_path / "mixed.tflite"),
    }


def test_host_bench_of_real_files(two_models: dict[str, Path]) -> None:
    seen: list[tuple[int, int]] = []
    results = bench_host(two_models, protocol=SHORT, progress=lambda *step: seen.append(step))
    assert [(r.name, r.threads) for r in results] == [
        ("matte", 1),
        ("mixed", 1),
        ("matte", 2),
        ("mixed", 2),
    ]
    assert seen[0] == (1, 20) and seen[-1] == (20, 20)
    for r in results:
        assert r.model_sha256 == sha256_file(two_models[r.name])
        assert r.model_bytes == two_models[r.name].stat().st_size
        assert len(r.samples_ms) >= 20 and sum(r.samples_ms) >= 20 * (1 - 1e-9)
        assert r.latency == summarise(r.samples_ms)
        assert r.init_ms > 0 and r.first_ms > 0
        assert (r.delegate.asked, r.delegate.used) == ("xnnpack", "xnnpack")
        assert r.peak_memory_bytes is None or r.peak_memory_bytes > 10_000_000
        assert r.golden is not None and r.golden.max_abs == 0
    assert results[0].delegate.delegated == results[0].delegate.operators
    assert (results[1].delegate.delegated, results[1].delegate.operators) == (4, 5)


def test_host_result_is_json_with_schema_and_raw_samples(two_models: dict[str, Path]) -> None:
    request = Request([BenchModel("m", two_models["matte"])], protocol=SHORT, delegate="none")
    (result,) = HostDevice().measure(request)
    loaded = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert loaded["schema_version"] == 2
    assert loaded["samples_ms"] == list(result.samples_ms)
    assert (loaded["delegate"]["asked"], loaded["delegate"]["used"]) == ("none", "none")
    assert loaded["circumstances"]["device_kind"] == "physical"
    assert loaded["protocol"]["runs"] == 20


def test_host_bench_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to measure"):
        bench_host({})
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(ArtifactError, match="There is no file"):
        bench_host({"m": tmp_path / "none.tflite"}, protocol=SHORT)


def test_circumstances_of_this_machine() -> None:
    pytest.importorskip("ai_edge_litert")
    here = host_circumstances(after=host_condition())
    assert here.cores >= 1 and here.soc and here.os and here.abi
    assert here.before.load_average is None or here.before.load_average >= 0


def test_a_virtual_machine_is_called_so() -> None:
    virtual = "processor\t: 0\nmodel name\t: EPYC\nflags\t\t: fpu hypervisor sse\n"
    assert is_virtualised(virtual) is True
    assert cpu_model(virtual) == "EPYC"
    assert is_virtualised("flags\t\t: fpu sse\n") is False
    assert is_virtualised("Features\t: fp asimd\n") is None  # arm64 does not tell
    assert cpu_model("") is None
