"""The table of kinds of devices: one line makes a kind known everywhere, as a toy shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_tflite import write_matte_model

from edgemat.bench.devices import transports
from edgemat.bench.devices.device import Request
from edgemat.bench.devices.host import HostDevice
from edgemat.bench.devices.transport import Attached, Transport
from edgemat.bench.devices.transports import TRANSPORTS, find_transport, list_devices
from edgemat.bench.protocol import Progress
from edgemat.bench.result import Result, read_results
from edgemat.cli import app
from edgemat.errors import UsageError
from edgemat.recipe.load import load_recipe
from edgemat.terminal import run_app

RECIPE = """
name = "toy"
[bench]
devices = ["{device}"]
[[models]]
name = "small"
architecture = "pspm-slim"
input_size = [32, 32]
train = {{ steps = 2 }}
"""


class ToyDevice:
    """A device that is this machine, under another name."""

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        found = HostDevice().measure(request, progress=progress)
        return [
            one.model_copy(
                update={
                    "circumstances": one.circumstances.model_copy(
                        update={"transport": TOY.word, "device": "a toy"}
                    )
                }
            )
            for one in found
        ]


TOY = Transport(
    name="toy",
    open=lambda _, __: ToyDevice(),
    list=lambda: [Attached("toy", True, "made of wood")],
    default_delegate="none",
)


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that a new kind of device takes."""
    monkeypatch.setattr(transports, "TRANSPORTS", (*TRANSPORTS, TOY))


@pytest.mark.usefixtures("with_toy")
def test_a_new_kind_is_measured_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_matte_model(tmp_path / "model.tflite", size=64)
    quick = ["--threads", "1", "--runs", "4", "--seconds", "0"]
    kept = ["--history", str(tmp_path / "history.sqlite"), "--output", str(tmp_path / "r.json")]
    run_app(app, ["bench", str(model), "--device", "toy", *quick, *kept, "--json"])
    (printed,) = json.loads(capsys.readouterr().out)
    assert printed["circumstances"]["transport"] == "toy"
    assert printed["delegate"]["asked"] == "none", "the kind's own default"
    (back,) = read_results(tmp_path / "r.json")
    assert back.circumstances.device == "a toy"


@pytest.mark.usefixtures("with_toy")
def test_a_new_kind_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, ["devices", "--json"]) == 0
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert listed[-1] == {"spec": "toy", "ready": True, "state": "made of wood", "remedy": ""}


@pytest.mark.usefixtures("with_toy")
def test_a_recipe_may_name_a_new_kind_and_no_unknown_one(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(device="toy"))
    assert load_recipe(path).bench.devices == ("toy",)
    path.write_text(RECIPE.format(device="toi"))
    with pytest.raises(UsageError, match=r"bench\.devices\.0: There is no device 'toi'") as caught:
        load_recipe(path)
    assert caught.value.remedy.startswith("Did you mean 'toy'")


@pytest.mark.parametrize(
    "spec", ["", ":", "toy", "host:", "host:x", "adb:", "adb-app:", "ssh", "ssh:", "browser:1"]
)
def test_what_names_no_device_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="There is no device"):
        find_transport(spec)


def test_every_line_of_the_table_finds_itself() -> None:
    for transport in TRANSPORTS:
        assert all(find_transport(spec) is transport for spec in transport.specs)
    assert len({transport.name for transport in TRANSPORTS}) == len(TRANSPORTS)
    assert len({transport.word for transport in TRANSPORTS}) == len(TRANSPORTS)


def test_what_is_listed_can_be_opened_by_its_name() -> None:
    assert {find_transport(one.spec).name for one in list_devices()} >= {"host", "ssh", "browser"}
