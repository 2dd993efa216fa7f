"""An iPhone over devicectl, played by a stand-in.

`xcrun devicectl` runs on a Mac alone: this is the only thing here that is imitated. A script of
that name on PATH keeps the words it was called with, and answers as devicectl documents it: JSON in
the file after `--json-output`, the app's console on stdout, the copied file at `--destination`.
What it hands back as the app's file was written by MattingCore (`tests/written/ios.json`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import Artifact, Card, Feeding
from edgemat.bench.devices import ios
from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.ios import BUNDLE, IosDevice, phones
from edgemat.bench.devices.transports import find_transport, list_devices, open_device
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import read_results
from edgemat.cli import main
from edgemat.errors import MissingToolError, UsageError
from edgemat.files import sha256_tree
from edgemat.workflow.app_assets import find_app, put_into_app

WRITTEN = Path(__file__).parents[1].joinpath("written") / "ios.json"
MANIFEST = WRITTEN.with_name("manifest.json")
ODD = 'Ann\'s "phone"; $(touch pwned) --help\n'
# Answers by the words that name a subcommand; `sleep` seconds before each.
STAND_IN = """#!{python}
import json, pathlib, shutil, sys, time
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
answer = json.loads((folder / "answers.json").read_text())["_".join(words[1:4])
    if words[1] == "device" else "_".join(words[1:3])]
time.sleep(answer.get("sleep", 0))
print(answer.get("stdout", ""))
print(answer.get("stderr", ""), file=sys.stderr)
for option, name in (("--json-output", "json"), ("--destination", "file")):
    if option in words and name in answer:
        pathlib.Path(words[words.index(option) + 1]).write_text(answer[name])
sys.exit(answer.get("status", 0))
"""


def listed(identifier: str, name: str = "Ann", **fields: Any) -> dict[str, Any]:
    """Return one device of devicectl's list, as far as it is read, with something around it."""
    return {
        "identifier": identifier,
        "capabilities": [],
        "connectionProperties": {"tunnelState": fields.get("tunnel", "connected")},
        "deviceProperties": {"name": name, "osVersionNumber": "17.5"},
        "hardwareProperties": {"platform": fields.get("platform", "iOS")},
        "visibilityClass": "default",
    }


class Mac:
    """A Mac with the stand-in: `answers` is what each subcommand says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, dict[str, Any]] = {
            "device_process_launch": {},
            "device_copy_from": {"file": WRITTEN.read_text()},
        }

    def plug_in(self, *devices: dict[str, Any]) -> None:
        text = json.dumps({"info": {"outcome": "success"}, "result": {"devices": devices}})
        self.answer("list_devices", json=text)

    def answer(self, subcommand: str, **fields: Any) -> None:
        self.answers[subcommand] = fields
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mac:
    folder = tmp_path / "mac"
    folder.mkdir()
    xcrun = folder / "xcrun"
    xcrun.write_text(STAND_IN.format(python=sys.executable, folder=str(folder)))
    xcrun.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Mac(folder)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the package that the app measured first."""
    path = tmp_path / "portrait-int8.mlpackage"
    path.mkdir()
    (path / "Manifest.json").write_text("{}")
    first = read_results(WRITTEN)[0].model_sha256
    monkeypatch.setattr(ios, "sha256_tree", {path: first}.get)
    return path


def iphone(spec: str = "ios") -> IosDevice:
    device = open_device(spec, say=print)
    assert isinstance(device, IosDevice)
    return device


def test_python_reads_what_the_apps_core_writes() -> None:
    told, untold = read_results(WRITTEN)
    assert (told.verdict, told.circumstances.transport) == ("valid", "ios")
    assert told.delegate.model_dump() == {
        "asked": "npu", "used": "npu", "operators": 4, "delegated": 3, "partitions": 1
    }  # fmt: skip
    assert told.sustained is not None and told.sustained.runs == 40
    assert told.golden is not None and told.golden.passed
    assert (untold.verdict, untold.golden, untold.peak_memory_bytes) == ("invalid", None, None)
    assert untold.reason == "gpu was asked for and unknown was used"
    for result, item in zip((told, untold), json.loads(WRITTEN.read_text()), strict=True):
        # read_results judges and summarises again: the app said the same
        assert (item["verdict"], item["reason"]) == (result.verdict, result.reason)
        assert item["latency"] == pytest.approx(result.latency.__dict__, abs=1e-12)


def test_the_app_is_started_and_its_file_fetched(mac: Mac, package: Path) -> None:
    mac.plug_in(listed("A1"))
    seen: list[tuple[int, int]] = []
    protocol = Protocol(runs=7, sustained_seconds=90.0)
    request = Request([BenchModel("mine", package)], (1, 2), "npu", protocol)
    results = iphone().measure(request, progress=lambda *step: seen.append(step))
    assert [(one.name, one.verdict) for one in results] == [("mine", "valid")]
    assert seen == [(1, 1)]
    _, launch, copy = mac.calls
    assert launch[:5] == ["devicectl", "device", "process", "launch", "--device"]
    assert launch[5:-1] == ["A1", "--terminate-existing", "--console", BUNDLE, "--benchmark"]
    assert json.loads(launch[-1]) == {"delegate": "npu", "protocol": protocol.to_json()}
    assert copy[:-1] == [
        "devicectl", "device", "copy", "from", "--device", "A1",
        "--domain-type", "appDataContainer", "--domain-identifier", BUNDLE,
        "--source", "Documents/benchmark.json", "--destination",
    ]  # fmt: skip
    assert not Path(copy[-1]).exists(), "the copy was temporary"


def test_odd_names_stay_one_word(mac: Mac, package: Path, tmp_path: Path) -> None:
    mac.plug_in(listed(ODD, name=ODD + "name"), listed("other"))
    request = Request([BenchModel(ODD, package)], delegate="npu")
    for spec in (f"ios:{ODD}", f"ios:{ODD}name"):
        assert iphone(spec).measure(request)[0].name == ODD
    assert {call[5] for call in mac.calls if call[1] == "device"} == {ODD}
    assert not list(tmp_path.rglob("pwned"))


def test_without_a_mac_the_way_by_hand_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="a Mac with Xcode") as caught:
        iphone()
    assert "edgemat bench import" in (caught.value.remedy or "")
    shown = next(one for one in list_devices() if one.spec == "ios")
    assert not shown.ready and shown.remedy == caught.value.remedy


@pytest.mark.parametrize(
    ("spec", "devices", "says"),
    [
        ("ios", [], "No iPhone is connected"),
        ("ios", [listed("W1", platform="watchOS")], "No iPhone is connected"),
        ("ios", [listed("A1", tunnel="unavailable")], "No iPhone is connected"),
        ("ios:B2", [listed("A1")], "No iPhone 'B2' is connected"),
    ],
)
def test_a_phone_that_is_not_there(
    mac: Mac, spec: str, devices: list[dict[str, Any]], says: str
) -> None:
    mac.plug_in(*devices)
    with pytest.raises(MissingToolError, match=says) as caught:
        iphone(spec)
    assert "developer mode" in (caught.value.remedy or "")


def test_of_two_phones_one_must_be_named(mac: Mac) -> None:
    mac.plug_in(listed("A1"), listed("B2", name="Bob"), listed("C3", tunnel="unavailable"))
    with pytest.raises(UsageError, match="Several") as caught:
        iphone()
    assert (caught.value.remedy or "").endswith("--device ios:A1, --device ios:B2")
    assert iphone("ios:Bob").phone.identifier == "B2"
    shown = {one.spec: one.ready for one in list_devices() if one.spec.startswith("ios")}
    assert shown == {"ios:A1": True, "ios:B2": True, "ios:C3": False}


def test_a_phone_without_the_app(mac: Mac, package: Path) -> None:
    mac.plug_in(listed("A1"))
    mac.answer("device_process_launch", status=1, stderr="ERROR: application is not installed.")
    with pytest.raises(MissingToolError, match="application is not installed") as caught:
        iphone().measure(Request([BenchModel("mine", package)], delegate="npu"))
    assert "Is the demo app on it?" in (caught.value.remedy or "")


def test_an_app_that_has_measured_nothing(mac: Mac, package: Path) -> None:
    mac.plug_in(listed("A1"))
    request = Request([BenchModel("mine", package)], delegate="npu")
    said = "The app has no such model yet."
    # Whether devicectl hands on the app's exit status or not.
    for status in (0, 1):
        mac.answer("device_process_launch", stdout=f"noise\nedgemat: {said}", status=status)
        with pytest.raises(UsageError, match="did not measure") as caught:
            iphone().measure(request)
        assert caught.value.remedy == said
    mac.answer("device_process_launch")
    mac.answer("device_copy_from", status=1, stderr="no such file")
    with pytest.raises(MissingToolError, match="no such file"):
        iphone().measure(request)


def test_an_app_with_other_models(mac: Mac, tmp_path: Path) -> None:
    path = tmp_path / "other.mlpackage"
    path.mkdir()
    mac.plug_in(listed("A1"))
    with pytest.raises(UsageError, match="has not got mine") as caught:
        iphone().measure(Request([BenchModel("mine", path)], delegate="npu"))
    assert "--to ios_demo" in (caught.value.remedy or "")


def test_what_cannot_work_is_said_before_the_phone_is_kept_busy(
    mac: Mac, package: Path, tmp_path: Path
) -> None:
    mac.plug_in(listed("A1"))
    with pytest.raises(UsageError, match="no delegate 'xnnpack'"):
        iphone().measure(Request([BenchModel("mine", package)]))
    missing = BenchModel("gone", tmp_path / "gone.mlpackage")
    with pytest.raises(UsageError, match=r"is no \.mlpackage"):
        iphone().measure(Request([missing], delegate="npu"))
    assert all(call[1] == "list" for call in mac.calls)


def test_a_devicectl_that_does_not_answer(mac: Mac, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ios, "ANSWER_S", 0.5)
    mac.answer("list_devices", sleep=30)
    with pytest.raises(MissingToolError, match=r"not answered for 0\.5 s"):
        phones()


@pytest.mark.parametrize("text", ["", "[]", '{"result": {"devices": [{}]}}', '{"result": 3}'])
def test_a_list_that_cannot_be_read(mac: Mac, text: str) -> None:
    mac.answer("list_devices", json=text)
    with pytest.raises(MissingToolError, match="cannot be read"):
        phones()


def test_a_devicectl_that_fails(mac: Mac) -> None:
    mac.answer("list_devices", status=72, stderr='xcrun: error: unable to find "devicectl"')
    with pytest.raises(MissingToolError, match='unable to find "devicectl"'):
        phones()


def test_the_device_names_its_kind_of_file_and_its_delegate() -> None:
    runtimes = {spec: find_transport(spec).runtime for spec in ("ios", "ios:A1", "adb:ios", "host")}
    assert runtimes["ios"] == runtimes["ios:A1"] == "coreml"
    assert runtimes["adb:ios"] == runtimes["host"] == "tflite"
    delegates = [find_transport(spec).default_delegate for spec in ("ios:A1", "host")]
    assert delegates == ["npu", "xnnpack"]


def test_only_packages_are_opened_for_an_iphone(tmp_path: Path) -> None:
    package = tmp_path / "a.mlpackage"
    package.mkdir()
    assert BenchModel.open(package, runtime="coreml").name == "a.mlpackage"
    shelf = tflite_artifact(tmp_path).path
    with pytest.raises(UsageError, match=r"holds a tflite model, no \.mlpackage"):
        BenchModel.open(shelf, runtime="coreml")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run edgemat's command in a folder of its own; gives status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgemat", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run


def test_bench_measures_on_an_iphone(
    mac: Mac, package: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    mac.plug_in(listed("A1"))
    status, printed, _ = run("bench", package, "--device", "ios", "--runs", 30, "--json")
    assert status == 0
    (result,) = json.loads(printed)
    assert (result["name"], result["delegate"]["used"]) == (package.name, "npu")
    asked = json.loads(mac.calls[1][-1])
    assert (asked["delegate"], asked["protocol"]["runs"]) == ("npu", 30)


def test_the_apps_shared_file_is_imported(run: Callable[..., tuple[int, str, str]]) -> None:
    status, printed, _ = run("bench", "import", WRITTEN, "--json")
    assert status == 1, "one of the two is not valid"
    assert [one["name"] for one in json.loads(printed)] == ["portrait-int8", "portrait-fp16"]


def test_a_package_is_known_by_its_content(tmp_path: Path) -> None:
    """The same tree, described in the same order, as in MattingCore's TreeDigestTests."""
    files = {"Manifest": "3", "a/b/c": "4", "a/z": "2", "a.b": "1"}
    described = ""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
        described += f"{name}\0{sha256(content.encode()).hexdigest()}\0"
    assert sha256_tree(tmp_path) == sha256(described.encode()).hexdigest()


def coreml_artifact(shelf: Path, name: str, target: str, **fields: Any) -> Artifact:
    """Write an artefact whose package holds next to nothing."""

    def fill(folder: Path) -> None:
        (folder / "model.mlpackage").mkdir()
        (folder / "model.mlpackage" / "Manifest.json").write_text("{}")
        if channels == 3:
            np.savez(folder / "golden.npz", pixels=np.full((1, 32, 48, 3), 7, np.uint8))
            np.savez(folder / "mattes.npz", alphas=np.full((1, 32, 48), 0.5, np.float32))

    channels = fields.pop("channels", 3)
    feeding = Feeding(layout="image", height=32, width=48, channels=channels, stride=16)
    return artifact(
        shelf, fill, name=f"{name}-{target}", kind="coreml", target=target, feeding=feeding,
        payload="model.mlpackage", **fields,
    )  # fmt: skip


def test_a_core_ai_file_lies_beside_the_core_ml_file_of_the_same_model(tmp_path: Path) -> None:
    demo = tmp_path / "ios_demo"
    (demo / "MattingDemo.xcodeproj").mkdir(parents=True)
    (demo / "MattingDemo.xcodeproj" / "project.pbxproj").touch()
    app = find_app(demo)
    assert app is not None

    def fill(folder: Path) -> None:
        (folder / "model.aimodel").mkdir()
        (folder / "model.aimodel" / "main.mlirb").write_bytes(b"MLIR")

    other = artifact(
        tmp_path,
        fill,
        name="portrait-coreai-w8a8",
        kind="coreai",
        target="coreai-w8a8",
        feeding=Feeding(layout="NCHW", height=32, width=48, channels=3, stride=16),
        payload="model.aimodel",
    )
    put_into_app([coreml_artifact(tmp_path, "portrait", "coreml-w8a8"), other], app, demo)
    models = json.loads((demo / "Models" / "manifest.json").read_text())["models"]
    assert [(one["file"], one["feeding"]["layout"]) for one in models] == [
        ("portrait-int8.mlpackage", "image"),
        ("portrait-int8-coreai.aimodel", "NCHW"),
    ]
    assert (demo / "Models" / "portrait-int8-coreai.aimodel" / "main.mlirb").is_file()


def test_the_export_writes_what_the_app_reads(tmp_path: Path) -> None:
    """MattingCore's ModelCatalogTests read the file that this export is compared with."""
    demo = tmp_path / "ios_demo"
    (demo / "MattingDemo.xcodeproj").mkdir(parents=True)
    (demo / "MattingDemo.xcodeproj" / "project.pbxproj").touch()
    app = find_app(demo)
    assert app is not None
    card = Card(purpose="Tests.", data="None.", limits="All.")
    models = [
        coreml_artifact(tmp_path, "portrait", "coreml-w8a8", card=card),
        coreml_artifact(tmp_path, "portrait", "coreml-fp16", card=card),
        coreml_artifact(tmp_path, "net", "coreml-w8a8", task="trimap", channels=4),
    ]
    written = put_into_app(models, app, demo)
    assert written[-1] == demo / "Models" / "manifest.json"
    assert json.loads(written[-1].read_text()) == json.loads(MANIFEST.read_text())
    pixels = (demo / "Models" / "portrait-int8-pixels.bin").read_bytes()
    alpha = (demo / "Models" / "portrait-int8-alpha.bin").read_bytes()
    assert pixels == bytes([7]) * 32 * 48 * 3
    assert alpha == np.full(32 * 48, 0.5, "<f4").tobytes()
