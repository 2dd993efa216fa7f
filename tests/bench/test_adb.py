"""A phone over adb: with the real adb, and Android's real adbd in place of a phone."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phone import BATTERY, COMMANDS, GETPROP, THERMAL, Phone, phone

from edgemat.bench.devices.adb import AdbShell, open_adb, phones
from edgemat.bench.devices.android import (
    battery,
    headroom,
    parse_android_condition,
    parse_facts,
    thermal_status,
)
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.transports import list_devices, open_device
from edgemat.bench.protocol import Protocol
from edgemat.bench.runner.bundle import bundle_of
from edgemat.errors import DiskError, MissingToolError, UsageError

SERIAL = "127.0.0.1:5555"
SHORT = Protocol(
    warmup_runs=2, warmup_seconds=0, runs=20, seconds=0.01, blocks=2, max_cv=99, max_drift=99
)
ENDLESS = Protocol(warmup_runs=0, warmup_seconds=600)
ODD = 'odd; touch /tmp/pwned "$(id)" \'x\n'


@pytest.fixture
def plugged(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Phone]:
    """A phone whose folder for us is `folder / "data"`, with odd characters in its path."""
    folder = tmp_path_factory.mktemp("phone")
    with phone(folder) as found:
        data = folder / "data 'local' tmp"
        data.mkdir()
        monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")
        monkeypatch.setattr(AdbShell, "base", f"echo {shlex.quote(str(data))}")
        found.plug_in(SERIAL, commands=COMMANDS)
        yield found


@pytest.fixture
def models(tmp_path: Path) -> list[BenchModel]:
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import write_matte_model, write_mixed_model

    if not bundle_of("x86_64").archive.exists():
        pytest.skip("the runner is missing: make runner")
    return [
        BenchModel(ODD, write_matte_model(tmp_path / "a $(b) 'c'.tflite", size=64)),
        BenchModel("mixed", write_mixed_model(tmp_path / "mixed.tflite")),
    ]


def left_over(found: Phone) -> list[str]:
    """Return what lies in the phone's folder, the runner apart."""
    data = found.folder / "data 'local' tmp" / "edgemat"
    return [path.name for path in data.iterdir() if not path.name.startswith("runner-")]


def running(text: str) -> list[str]:
    """Return the command lines of the processes that hold a text, and are runners."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if text in line and "/runner " in line]


def test_models_are_measured_and_nothing_stays(plugged: Phone, models: list[BenchModel]) -> None:
    seen: list[tuple[int, int]] = []
    request = Request(models, (1, 2), protocol=SHORT, profile=True)
    device = open_device(f"adb:{SERIAL}", listen="", tls=False, say=print)
    results = device.measure(request, progress=lambda *step: seen.append(step))
    assert [(r.name, r.threads) for r in results] == [
        (ODD, 1),
        ("mixed", 1),
        (ODD, 2),
        ("mixed", 2),
    ]
    for result in results:
        assert (result.verdict, result.reason) == ("valid", "")
        assert len(result.samples_ms) >= 20 and result.warmup_runs == 2
        assert result.golden is not None and result.golden.max_abs == 0
        assert result.profile and (result.peak_memory_bytes or 0) > 1_000_000
    mixed = results[1].delegate
    assert (mixed.used, mixed.operators, mixed.delegated, mixed.partitions) == ("xnnpack", 5, 4, 2)
    assert seen[-1] == (12, 12) and seen == sorted(seen)
    where = results[0].circumstances
    assert (where.transport, where.device, where.soc) == ("adb", "Acme Phone 'X\"", "Acme A1")
    assert where.os.startswith("Android 15, Linux")
    assert (where.before.battery_level, where.before.charging) == (0.85, True)
    assert where.before.thermal_headroom == pytest.approx(0.6)
    assert not left_over(plugged)


def test_the_runner_is_pushed_once(
    plugged: Phone, models: list[BenchModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[str] = []
    push = AdbShell.push

    def spy(self: AdbShell, source: Path, target: str) -> None:
        pushed.append(source.suffix)
        push(self, source, target)

    monkeypatch.setattr(AdbShell, "push", spy)
    for _ in range(2):
        open_adb(SERIAL).measure(Request(models, protocol=SHORT))
    assert pushed.count(".tar") == 1


def test_a_phone_that_goes_away_in_the_middle(plugged: Phone, models: list[BenchModel]) -> None:
    thread = threading.Timer(2.0, plugged.adb, ("disconnect", SERIAL))
    thread.start()
    begin = time.monotonic()
    with pytest.raises(MissingToolError, match="does not answer any more") as caught:
        open_adb(SERIAL).measure(Request(models, protocol=ENDLESS))
    assert caught.value.exit_code == 3 and caught.value.remedy
    assert time.monotonic() - begin < 30
    for _ in range(100):
        if not running(str(plugged.folder)):
            return
        time.sleep(0.1)
    pytest.fail("the runner goes on, though nobody listens")


def test_ctrl_c_leaves_nothing_there(plugged: Phone, models: list[BenchModel]) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    endless = Protocol(warmup_runs=0, warmup_seconds=1, runs=1_000_000_000)
    with pytest.raises(KeyboardInterrupt):
        open_adb(SERIAL).measure(Request(models, protocol=endless), progress=interrupt)
    assert not left_over(plugged)
    assert not running(str(plugged.folder))


def test_a_full_disk_is_named(
    plugged: Phone, models: list[BenchModel], full_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AdbShell, "base", f"echo {shlex.quote(str(full_disk))}")
    with pytest.raises(DiskError, match=r"disk of the phone '127\.0\.0\.1:5555' is full"):
        open_adb(SERIAL).measure(Request(models, protocol=SHORT))
    assert not list((full_disk / "edgemat").iterdir())


def test_one_of_two_phones_must_be_named(plugged: Phone) -> None:
    assert open_adb().shell.name == f"the phone {SERIAL!r}"
    plugged.connect("[::1]:5555")
    assert {phone.serial for phone in phones()} == {SERIAL, "[::1]:5555"}
    with pytest.raises(UsageError, match="2 phones") as caught:
        open_adb()
    assert f"adb:{SERIAL}" in caught.value.remedy
    assert open_adb("[::1]:5555").shell.run("echo $1", "here").out == "here\n"
    with pytest.raises(UsageError, match="There is no phone"):
        open_adb("127.0.0.1:5556")
    ready = [one for one in list_devices() if one.spec.startswith("adb:")]
    assert [one.ready for one in ready] == [True, True] or "runner" in ready[0].state
    apps = [one for one in list_devices() if one.spec.startswith("adb-app:")]
    assert [one.state for one in apps] == ["the demo app is not on it"] * 2
    assert "--to android_demo" in apps[0].remedy


def test_no_phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with phone(tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        with pytest.raises(MissingToolError, match="sees no phone"):
            open_adb()


@pytest.mark.parametrize(
    "odd", ["a b", "x;id", "$(id)", "`id`", "'", '"', "a\nb", "*", "~", "-n", "", "\\", "ü"]
)
def test_what_reaches_the_phone_is_quoted(plugged: Phone, odd: str) -> None:
    answer = open_adb(SERIAL).shell.run('printf "%s" "$1"; exit 7', odd)
    assert (answer.out, answer.code) == (odd, 7)


def stub_adb(folder: Path, listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "adb").write_text(f"#!/bin/sh\nprintf 'List of devices attached\n{listed}'\n")
    (folder / "adb").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        ("unauthorized", "allow USB debugging"),
        ("offline", "adb reconnect"),
        ("no permissions (user in plugdev group; are your udev rules wrong?)", "plug in again"),
        ("strange", "Look at the phone"),
    ],
)
def test_a_phone_that_does_not_let_us_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, remedy: str
) -> None:
    stub_adb(tmp_path, f"R58\\t{state}\n", monkeypatch)
    with pytest.raises(MissingToolError, match="'R58' is ") as caught:
        open_adb()
    assert remedy in caught.value.remedy
    (listed,) = [one for one in list_devices() if one.spec.startswith("adb")]
    assert not listed.ready and listed.remedy


def test_adb_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="adb, which is not installed"):
        open_adb()
    assert next(one.ready for one in list_devices())


# --- what Android tells, as its dumpsys prints it ----------------------------------------------


def test_battery() -> None:
    assert battery(BATTERY) == (0.85, True)
    assert battery(BATTERY.replace("status: 2", "status: 3")) == (0.85, False)
    assert battery(BATTERY.replace("status: 2", "status: 5")) == (0.85, True)
    assert battery("Can't find service: battery") == (None, None)


@pytest.mark.parametrize(("number", "status"), [(0, "none"), (3, "severe"), (9, None)])
def test_thermal_status(number: int, status: str | None) -> None:
    dump = THERMAL.replace("Thermal Status: 0", f"Thermal Status: {number}")
    assert thermal_status(dump) == status
    assert thermal_status("") is None


def test_headroom_is_asked_for_or_worked_out_from_the_skin() -> None:
    assert headroom("Headroom in 10 seconds: 0.71", THERMAL) == 0.71
    assert headroom("Unknown command: headroom", THERMAL) == pytest.approx(1 - 12 / 30)
    assert headroom("Headroom in 10 seconds: NaN", "") is None
    assert headroom("", THERMAL.replace("45.0", "NaN")) is None


def test_condition_and_facts_of_nothing() -> None:
    assert parse_android_condition("").model_dump(exclude_none=True) == {"frequencies_mhz": ()}
    facts = parse_facts("@@machine\naarch64\n", "The phone")
    assert (facts.device, facts.soc, facts.machine) == ("The phone", "aarch64", "aarch64")
    told: Any = parse_facts(f"@@machine\naarch64\n@@properties\n{GETPROP}\n", "")
    assert (told.device, told.soc, told.abi) == ("Acme Phone 'X\"", "Acme A1", "x86_64")
    assert np.isfinite(parse_android_condition(f"@@thermal\n{THERMAL}").temperature_c or 0)
