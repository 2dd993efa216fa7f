"""`edgemat bench`, `history`, `compare`, `gate --latency`: as a user types them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_tflite import write_matte_model
from toy_results import toy_circumstances, toy_result

from edgemat.bench.result import Result, sustained_curve
from edgemat.bench.stats import summarise
from edgemat.cli import main
from edgemat.cli.measuring import seconds_of
from edgemat.errors import UsageError

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Run the command in a folder and with a history of its own; gives status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgemat", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run


def write(path: Path, *results: Result) -> Path:
    path.write_text(json.dumps([one.to_json() for one in results]))
    return path


def at(milliseconds: float, **fields: Any) -> Result:
    samples = tuple(milliseconds * (1 + 0.01 * (n % 3)) for n in range(60))
    return toy_result(samples_ms=samples, latency=summarise(samples), **fields)


def test_files_of_one_name_are_measured_apart_and_kept(call: Call, tmp_path: Path) -> None:
    files = [tmp_path / name / "model.tflite" for name in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        write_matte_model(file, size=64)
    options = ["--threads", 1, "--runs", 4, "--seconds", 0, "--sustained", "0.2s"]
    status, printed, _ = call("bench", *files, *options, "--json", "-o", "r.json")
    rows = json.loads(printed)
    assert status == int(any(row["verdict"] == "invalid" for row in rows))  # CI is not quiet
    assert [row["name"] for row in rows] == list(map(str, files))
    for row in rows:
        assert row["sustained"]["seconds"] >= 0.2
        assert row["golden"] == {
            "reference": "litert-on-host", "max_abs": 0.0, "mean_abs": 0.0, "limit": 0.005,
        }  # fmt: skip
    assert json.loads(Path("r.json").read_text()) == rows
    status, printed, _ = call("history", "--json")
    assert status == 0 and json.loads(printed) == {"1": rows[0], "2": rows[1]}


def test_results_from_elsewhere_are_imported_and_compared(call: Call, tmp_path: Path) -> None:
    first = write(tmp_path / "first.json", at(10.0))
    second = write(tmp_path / "second.json", at(12.0))
    status, printed, _ = call("bench", "import", first, second)
    assert status == 0 and "Testphone 9: Testchip, 8 cores" in printed
    assert "10.10" in printed and "12.12" in printed
    status, printed, _ = call("compare", 1, second, "--json")
    (change,) = json.loads(printed)
    assert status == 0 and change["change"] == pytest.approx(0.2) and change["certain"]
    status, printed, _ = call("compare", 1, 1)
    assert status == 0 and "+0.0%" in printed


def test_an_invalid_result_shows_its_reason_instead_of_a_number(call: Call, tmp_path: Path) -> None:
    samples = (10.0,) * 30 + (17.0,) * 30
    drifting = toy_result(samples_ms=samples, latency=summarise(samples))
    status, printed, _ = call("bench", "import", write(tmp_path / "r.json", drifting))
    assert status == 1
    assert "invalid: CV 26.1% is above 10%; drift +70.0% is beyond 10%." in printed
    assert "13.5" not in printed and "17.0" not in printed


def test_emulated_and_physical_never_share_a_table(call: Call, tmp_path: Path) -> None:
    arm = toy_circumstances(device_kind="emulated", transport="emulated-arm64", device="qemu")
    emulated = at(900.0, circumstances=arm, instructions=40_170_000)
    _, printed, _ = call("bench", "import", write(tmp_path / "r.json", at(10.0), emulated))
    assert (
        printed.count("p50, ms") == 1
        and printed.count("│ instructions") + printed.count("instructions ┃") == 1
    )
    assert "40,170,000" in printed and "Emulated: instructions are counted" in printed
    assert "909" not in printed


def test_a_gate_on_latency(call: Call, tmp_path: Path) -> None:
    base, slow = write(tmp_path / "a.json", at(10.0)), write(tmp_path / "b.json", at(11.0))
    status, printed, _ = call("gate", slow, base, "--latency", "+15%")
    assert status == 0 and "passed" in printed
    status, printed, said = call("gate", slow, base)  # +5% where nothing is said
    assert status == 1 and "failed" in printed and "The gate failed" in said
    status, _, said = call("gate", slow, "--latency", "+5%")
    assert status == 2 and "Error: A result is compared with another one" in said


def test_a_page_of_devices(call: Call, tmp_path: Path) -> None:
    first = at(10.0, sustained=sustained_curve([10.0] * 300))
    other = at(20.0, circumstances=toy_circumstances(device="Board 5", transport="ssh"))
    host = at(3.0, circumstances=toy_circumstances(device="this machine", transport="host"))
    arm = toy_circumstances(device_kind="emulated", transport="emulated-arm64", device="qemu")
    emulated = at(900.0, circumstances=arm, instructions=40_170_000)
    file = write(tmp_path / "r.json", first, other, host, emulated)
    status, printed, _ = call("report", file, "-o", "page.html")
    assert status == 0 and "page.html" in printed
    page = Path("page.html").read_text()
    side_by_side = page[page.index("Devices side by side") : page.index("</table>")]
    assert "Testphone 9 (adb)" in side_by_side and "Board 5 (ssh)" in side_by_side
    assert "this machine" not in side_by_side and "qemu" not in side_by_side
    assert "40.170" in page and "Not a latency" not in page  # one emulated device is no table
    assert "909" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)
    assert page.count("Sustained:") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "import"], "nothing to import"),
        (["bench", "import", "none.json"], "cannot be read"),
        (["bench", "portrait", "--device", "hots"], "no device 'hots'"),
        (["bench", "portrait", "--strict", "--runs", "3"], "--strict sets"),
        (["bench", "portrait", "--sustained", "long"], "no duration"),
        (["bench", "portrait", "--cpu-mask", "big"], "no CPU mask"),
        (["bench", "portrait", "--delegate", "xnnpac"], "no delegate 'xnnpac'"),
        (["compare", "1", "2"], "no result number 1"),
        (["gate", "1", "none.json", "--latency", "+5%"], "cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(call: Call, arguments: list[str], words: str) -> None:
    status, printed, said = call(*arguments)
    assert status == 2 and printed == ""
    assert words in said and "Traceback" not in said


def test_durations() -> None:
    assert [seconds_of(text) for text in ("0", "90s", "10m", "0.5h")] == [0, 90, 600, 1800]
    with pytest.raises(UsageError, match="no duration"):
        seconds_of("-1s")
