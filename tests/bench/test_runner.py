"""The runner in C, on this machine: its protocol, its answers, its refusals."""

from __future__ import annotations

import json
import platform
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.job import (
    JOB,
    RESULT,
    explain_exit,
    job_text,
    read_answers,
    write_inputs,
)
from edgemat.bench.devices.shell import Answer
from edgemat.bench.protocol import Protocol
from edgemat.bench.runner.bundle import SOURCES, bundle_of, find_bundle
from edgemat.errors import DiskError, MissingToolError, UsageError
from edgemat.matting.runtime import TfliteModel

QUICK = Protocol(warmup_runs=3, warmup_seconds=0, runs=10, seconds=0, blocks=4, settle_runs=2)
ODD = "\"odd\" 'name'; \\ \n$(id)"


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that starts the runner here."""
    bundle = bundle_of(platform.machine())
    if not bundle.archive.exists():
        pytest.skip("the runner is missing: make runner")
    folder = tmp_path_factory.mktemp("runner")
    with tarfile.open(bundle.archive) as archive:
        archive.extractall(folder, filter="data")
    return bundle.command(str(folder))


@pytest.fixture
def models(tmp_path: Path) -> list[BenchModel]:
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import write_integer_model, write_matte_model, write_mixed_model

    return [
        BenchModel("matte", write_matte_model(tmp_path / "matte.tflite", size=64)),
        BenchModel("integer", write_integer_model(tmp_path / "integer.tflite")),
        BenchModel(ODD, write_mixed_model(tmp_path / "mixed.tflite")),
    ]


def prepare(request: Request, folder: Path, *, threads: int = 1) -> None:
    write_inputs(request, folder)
    for index, model in enumerate(request.models):
        (folder / f"model{index}.tflite").write_bytes(model.path.read_bytes())
    (folder / JOB).write_text(job_text(request, threads))


def start(runner: list[str], folder: Path, job: str = JOB) -> Answer:
    command = [*runner, job]
    done = subprocess.run(command, cwd=folder, capture_output=True, errors="replace", timeout=120)
    return Answer(done.returncode, done.stdout, done.stderr)


def test_it_computes_and_counts_what_the_host_does(
    runner: list[str], models: list[BenchModel], tmp_path: Path
) -> None:
    request = Request(models, protocol=QUICK, profile=True)
    prepare(request, tmp_path, threads=2)
    answer = start(runner, tmp_path)
    assert answer.code == 0, answer.err
    answers = read_answers(request, tmp_path)
    for model in models:
        noted = answers.recordings[model.name]
        coverage = TfliteModel(model.path).delegate_coverage()
        told = noted.delegate
        assert (told.asked, told.used) == ("xnnpack", "xnnpack")
        assert (told.operators, told.delegated) == (coverage.total, coverage.delegated)
        assert told.partitions == coverage.partitions
        np.testing.assert_array_equal(answers.alphas[model.name], model.golden.alpha.ravel())
        assert sum(kind.count for kind in noted.profile) >= coverage.total
        assert noted.init_ms > 0 and noted.first_ms > 0
        assert 1_000_000 < (noted.peak_memory_bytes or 0) < 100_000_000
    assert int(answers.cpu_mask, 16) > 0


def test_kernels_without_a_delegate(
    runner: list[str], models: list[BenchModel], tmp_path: Path
) -> None:
    request = Request(models, protocol=QUICK, delegate="none")
    prepare(request, tmp_path)
    assert start(runner, tmp_path).code == 0
    mixed = read_answers(request, tmp_path).recordings[ODD].delegate
    assert (mixed.asked, mixed.used, mixed.operators, mixed.delegated) == ("none", "none", 5, 0)


def test_the_protocol_is_followed(
    runner: list[str], models: list[BenchModel], tmp_path: Path
) -> None:
    """Both minimums of warm-up and of measuring, in every block, and the sustained part."""
    by_time = Protocol(
        warmup_runs=1, warmup_seconds=0.05, runs=1, seconds=0.1, blocks=2, sustained_seconds=0.2
    )
    for protocol in (QUICK, by_time):
        request = Request(models[:2], protocol=protocol)
        prepare(request, tmp_path)
        answer = start(runner, tmp_path)
        assert answer.code == 0, answer.err
        total = 2 * (1 + protocol.blocks + (protocol.sustained_seconds > 0))
        steps = [line for line in answer.out.splitlines() if line != "alive"]
        assert steps == [f"progress {n} {total}" for n in range(1, total + 1)]
        for noted in read_answers(request, tmp_path).recordings.values():
            if protocol is QUICK:  # ceil(10 / 4) in each of 4 blocks
                assert (noted.warmup_runs, len(noted.samples_ms)) == (3, 12)
                assert noted.sustained_ms == ()
            else:
                assert noted.warmup_runs > 10
                assert 100 <= sum(noted.samples_ms) < 150
                assert 200 <= sum(noted.sustained_ms) < 250


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (("threads=1", "threads=0"), 10, "threads=0 is impossible"),
        (("threads=1", "threads=-1"), 10, "threads=-1 is no number"),
        (("threads=1", "threads"), 10, "no '=' in the line threads"),
        (("threads=1", "threads=99999999999999999999"), 10, "is no number"),
        (("blocks=4", "blocks=3"), 10, "is not even"),
        (("delegate=xnnpack", "delegate=gpu"), 10, "known are xnnpack and none"),
        (("runs=10", "rums=10"), 10, "there is no setting rums"),
        (("result=result.json\n", ""), 10, "there is no result"),
        (("cpu_mask=0", "cpu_mask=8000000000000000"), 10, "CPU mask 8000000000000000 cannot"),
        (("model=model0", f"model={'x' * 600}"), 10, "too long"),
        (("model=model0.tflite", "model=gone.tflite"), 11, "gone.tflite: No such file"),
        (("input=input0.raw", "input=input1.raw"), 11, "not the 16384 float32 values"),
        (("model=model0.tflite", "model=input0.raw"), 12, "LiteRT cannot"),
        (("result=result.json", "result=none/result.json"), 13, "No such file"),
    ],
)
def test_refusals_are_one_line_and_a_code(
    runner: list[str],
    models: list[BenchModel],
    tmp_path: Path,
    change: tuple[str, str],
    code: int,
    reason: str,
) -> None:
    prepare(Request(models, protocol=QUICK), tmp_path)
    text = (tmp_path / JOB).read_text()
    assert change[0] in text
    (tmp_path / JOB).write_text(text.replace(*change, 1))
    answer = start(runner, tmp_path)
    said = [line for line in answer.err.splitlines() if "runner: " in line]
    assert answer.code == code and len(said) == 1 and reason in said[0]


def test_no_job(runner: list[str], tmp_path: Path) -> None:
    assert start(runner, tmp_path, "none").code == 11


def test_a_disk_that_is_full_at_the_end(
    runner: list[str], models: list[BenchModel], tmp_path: Path, full_disk: Path
) -> None:
    request = Request(models, protocol=Protocol(runs=50_000, seconds=0, warmup_seconds=0))
    prepare(request, tmp_path)
    text = (tmp_path / JOB).read_text()
    (tmp_path / JOB).write_text(text.replace(RESULT, str(full_disk / RESULT)))
    answer = start(runner, tmp_path)
    assert answer.code == 13
    error = explain_exit(answer, request, "the phone 'X'")
    assert isinstance(error, DiskError) and "disk of the phone 'X' is full" in error.message


def test_a_runner_that_nobody_hears_ends(
    runner: list[str], models: list[BenchModel], tmp_path: Path
) -> None:
    endless = Protocol(warmup_runs=0, warmup_seconds=600)
    prepare(Request(models, protocol=endless), tmp_path)
    with subprocess.Popen([*runner, JOB], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=30) != 0


@pytest.mark.parametrize(
    ("code", "err", "kind", "reason"),
    [
        (12, "runner: model2.tflite: LiteRT cannot run it", UsageError, f"{ODD}: LiteRT cannot"),
        (128 + 9, "", UsageError, "memory ran out"),
        (128 + 4, "", UsageError, "an instruction that the processor does not have"),
        (1, "sh: cat: No space left on device", DiskError, "is full"),
        (126, "sh: ./runner: Permission denied", UsageError, "Permission denied"),
    ],
)
def test_endings_are_explained(
    models: list[BenchModel], code: int, err: str, kind: type[Any], reason: str
) -> None:
    error = explain_exit(Answer(code, "", err), Request(models), "the phone 'X'")
    assert isinstance(error, kind) and reason in error.message and error.remedy


def test_a_result_without_a_profiler_knows_no_counts(
    models: list[BenchModel], tmp_path: Path
) -> None:
    noted = {
        "init_ns": 1, "first_ns": 1, "warmup_runs": 0, "samples_ns": [1_000_000],
        "sustained_ns": [], "delegate": None, "profile": [],
    }  # fmt: skip
    result = {"cpu_mask": "1", "peak_memory_bytes": None, "models": [noted]}
    (tmp_path / RESULT).write_text(json.dumps(result))
    np.zeros(1, "<f4").tofile(tmp_path / "output0.raw")
    request = Request(models[:1])
    told = read_answers(request, tmp_path).recordings["matte"].delegate
    assert (told.asked, told.used, told.operators) == ("xnnpack", "unknown", None)


def test_a_runner_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingToolError, match="not been built") as caught:
        find_bundle("aarch64")
    assert caught.value.remedy == "Run: make runner"
    with pytest.raises(MissingToolError, match="no runner for 'riscv64'"):
        find_bundle("riscv64")


def test_c_files_can_be_held_in_mind() -> None:
    files = [*SOURCES.rglob("*.[ch]")]
    assert files and all(len(path.read_text().splitlines()) < 400 for path in files)
    assert all(len(line) <= 100 for path in files for line in path.read_text().splitlines())
