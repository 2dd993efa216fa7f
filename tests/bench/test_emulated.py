"""arm64 in qemu: the same matte as here, and the same number of instructions each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.emulated import EmulatedDevice, find_emulator, instructions
from edgemat.bench.devices.transports import open_device
from edgemat.bench.runner.bundle import find_bundle
from edgemat.errors import MissingToolError, UsageError

ROOT = Path(__file__).parents[2]
LSB = 1 / 255


@pytest.fixture
def device() -> EmulatedDevice:
    pytest.importorskip("ai_edge_litert")
    try:
        find_emulator()
        find_bundle("aarch64")
    except MissingToolError as error:
        pytest.skip(str(error))
    return EmulatedDevice()


def test_small_models_in_float_and_int8(device: EmulatedDevice, tmp_path: Path) -> None:
    from tiny_tflite import write_int8_conv_model, write_matte_model, write_mixed_model

    models = [
        BenchModel("float", write_matte_model(tmp_path / "a 'b' $(c).tflite", size=64)),
        BenchModel("int8", write_int8_conv_model(tmp_path / "int8.tflite")),
        BenchModel("mixed", write_mixed_model(tmp_path / "mixed.tflite")),
    ]
    seen: list[tuple[int, int]] = []
    request = Request(models, (1, 2), profile=True)
    first = device.measure(request, progress=lambda *step: seen.append(step))
    again = device.measure(Request(models))
    assert seen[-1] == (18, 18)
    for one, other in zip(first[:3], again, strict=True):
        assert one.golden is not None and one.golden.max_abs <= LSB
        assert one.verdict == "valid" and one.profile
        assert one.circumstances.device_kind == "emulated"
        assert one.instructions and one.instructions == pytest.approx(other.instructions, rel=1e-3)
    assert [result.instructions for result in first[3:]] == [None] * 3  # two threads wait in loops
    mixed = first[2].delegate
    assert (mixed.operators, mixed.delegated, mixed.partitions) == (5, 4, 2)


@pytest.mark.long
def test_the_shipped_int8_model_computes_the_same_on_arm(device: EmulatedDevice) -> None:
    from edgemat.matting.runtime import TfliteModel

    (path,) = (ROOT / "edgemat" / "weights").glob("portrait-tflite-int8@*")
    model = BenchModel.open(path, "portrait")
    # Against what LiteRT computes here; the stored matte is the frozen torch model's.
    here = BenchModel("portrait", model.path)
    (result,) = device.measure(Request([here]))
    assert result.golden is not None and result.golden.reference == "litert-on-host"
    # XNNPACK's kernels for Arm round some sums to the neighbour; a step or two is left of it at a
    # handful of pixels. On one machine its kernels and TFLite's own differ by up to seven.
    assert result.golden.mean_abs < 0.01 * LSB and result.golden.max_abs < 2.5 * LSB
    assert result.instructions and 3e8 < result.instructions < 6e8
    delegate = result.delegate
    operators = len(TfliteModel(model.path).operators())
    assert (delegate.used, delegate.operators, delegate.partitions) == ("xnnpack", operators, 1)


def test_blocks_are_told_apart() -> None:
    lines = ["progress 1 6", "progress 2 6", "alive", *(f"progress {n} 6" for n in range(3, 7))]
    counts = [10, 20, 21, 30, 130, 231, 241]
    # A-B-B-A: 10, 100, 101, 10
    assert instructions(["A", "B"], lines, counts) == {"A": 10, "B": 100}


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiny_tflite import write_mixed_model

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    request = Request([BenchModel("m", write_mixed_model(tmp_path / "m.tflite"))])
    device = open_device("emulated-arm64", listen="", tls=False, say=print)
    with pytest.raises(MissingToolError, match="make emulator") as caught:
        device.measure(request)
    assert caught.value.exit_code == 3
    with pytest.raises(UsageError, match="no delegate 'gpu'"):
        device.measure(Request(request.models, delegate="gpu"))
    with pytest.raises(UsageError, match="Did you mean 'emulated-arm64'"):
        open_device("emulated-arm", listen="", tls=False, say=print)
