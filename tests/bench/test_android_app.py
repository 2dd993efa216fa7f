"""The demo app measured through adb: with real adb and adbd, and an `am` that stands in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from phone import COMMANDS, phone

from edgemat.bench.devices.adb import AdbShell
from edgemat.bench.devices.android_app import ACTIVITY, PACKAGE, AppDevice
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.transports import list_devices, open_device
from edgemat.bench.protocol import Protocol
from edgemat.errors import MissingToolError, UsageError
from edgemat.files import sha256_file

SERIAL = "127.0.0.1:5555"
VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "result.json").read_text())
# Notes what it is called with, one word a line, and does what the test says.
AM = """
printf '%s\\n' "$@" >> FOLDER/words
. FOLDER/then
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "app's files"
    found.mkdir()
    monkeypatch.setattr(AppDevice, "folder", str(found))
    return found


@pytest.fixture
def device(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppDevice]:
    with phone(tmp_path) as found:
        monkeypatch.setenv("PATH", str(found.folder / "bin"), prepend=":")
        am = AM.replace("FOLDER", shlex.quote(str(tmp_path)))
        pm = f"""[ "$*" = "path {PACKAGE}" ] && echo package:/data/app/base.apk"""
        commands = {"am": am, "pm": pm, "pidof": f". {tmp_path}/alive"}
        found.plug_in(SERIAL, commands={**COMMANDS, **commands})
        (tmp_path / "alive").write_text("true")
        yield AppDevice(AdbShell(SERIAL), pause_s=0.1)


@pytest.fixture
def model(tmp_path: Path) -> BenchModel:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"not read here")
    return BenchModel("mine", path)


def answer(tmp_path: Path, folder: Path, sha256: str) -> None:
    """Let the app write a result of a file half a second after it has been started."""
    result: dict[str, Any] = {**VECTOR["results"][0]["result"], "model_sha256": sha256}
    (tmp_path / "result").write_text(json.dumps([result]))
    target = shlex.quote(str(folder / "results.json"))
    copy = f"cp {tmp_path}/result {target}"
    (tmp_path / "then").write_text(f"(sleep 0.5; {copy}) >/dev/null 2>&1 </dev/null &")


def test_the_app_is_started_waited_for_and_read(
    device: AppDevice, model: BenchModel, tmp_path: Path, folder: Path
) -> None:
    sha256 = sha256_file(model.path)
    answer(tmp_path, folder, sha256)
    (folder / "results.json").write_text("an old one")
    seen: list[tuple[int, int]] = []
    request = Request([model], threads=(1, 4), delegate="gpu", protocol=Protocol(runs=30))
    results = device.measure(request, progress=lambda *share: seen.append(share))
    assert [result.name for result in results] == ["mine", "mine"]
    assert seen == [(1, 2), (2, 2)]
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:8] == ["start", "-S", "-W", "-n", ACTIVITY, "--es", "models", sha256]
    assert words[8:14] == ["--es", "delegate", "gpu", "--ei", "threads", "1"]
    assert json.loads(words[16]) == request.protocol.to_json()


@pytest.mark.parametrize(
    ("then", "alive", "error", "text"),
    [
        ("echo 'Error type 3'", "true", MissingToolError, "app is not on the phone"),
        ("echo 'No such model.' > ERROR", "true", UsageError, "The app says: No such model."),
        ("", "false", MissingToolError, "ended before it had measured"),
    ],
)
def test_what_goes_wrong_is_said(
    device: AppDevice, model: BenchModel, tmp_path: Path, folder: Path,
    then: str, alive: str, error: type[Exception], text: str,
) -> None:  # fmt: skip
    (tmp_path / "then").write_text(then.replace("ERROR", shlex.quote(str(folder / "error.txt"))))
    (tmp_path / "alive").write_text(alive)
    with pytest.raises(error, match=text):
        device.measure(Request([model]))


def test_a_model_that_the_app_has_not_got_is_named(
    device: AppDevice, model: BenchModel, tmp_path: Path, folder: Path
) -> None:
    answer(tmp_path, folder, "f" * 64)
    with pytest.raises(UsageError, match="has not got mine") as caught:
        device.measure(Request([model]))
    assert "edgemat export MODEL --to android_demo" in caught.value.remedy


def test_what_the_app_cannot_do_is_refused(device: AppDevice, model: BenchModel) -> None:
    with pytest.raises(UsageError, match="no delegate 'npu'"):
        device.measure(Request([model], delegate="npu"))
    with pytest.raises(UsageError, match="no operator's time"):
        device.measure(Request([model], profile=True))


def test_it_is_opened_by_its_name(device: AppDevice) -> None:
    opened = open_device(f"adb-app:{SERIAL}", say=print)
    assert isinstance(opened, AppDevice) and opened.shell.name == device.shell.name


def test_it_is_listed(device: AppDevice) -> None:
    (listed,) = [one for one in list_devices() if one.spec == f"adb-app:{SERIAL}"]
    assert listed.ready and not listed.remedy


def test_a_phone_of_another_name_is_none(device: AppDevice) -> None:
    with pytest.raises(UsageError, match="There is no phone 'other'"):
        open_device("adb-app:other", say=print)
