"""What a report is made of, for one model, and the page that comes of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.artifacts.artifact import (
    Agreement,
    Calibration,
    Cost,
    Feeding,
    GridOrigins,
    Int8Proof,
    Manifest,
    MattingErrors,
)
from edgemat.bench.protocol import Protocol
from edgemat.bench.result import Circumstances, Condition, Delegate, Result
from edgemat.bench.stats import summarise
from edgemat.convert.layer_parity import LayerDifference, LayerTable
from edgemat.report.data import (
    FileReport,
    GateRow,
    MatteSample,
    ModelReport,
    ReportData,
)
from edgemat.report.write import write_report
from edgemat.scoring.bounds import Bound, judge

TIMES = "\u00d7"
VOID = {"meta", "img", "br", "use", "path", "rect", "link", "input", "hr", "col"}


def scores(sad: float) -> MattingErrors:
    return MattingErrors(sad=sad, mse=sad / 100, grad=2 * sad, conn=0.9 * sad)


def agreement(**fields: Any) -> Agreement:
    base: dict[str, Any] = dict(reference="float", runtime="LiteRT", max_abs=1.5e-6, mean_abs=2e-7)
    return Agreement(**(base | {"psnr_db": 121.4, "images": 8} | fields))


def manifest(name: str, **fields: Any) -> Manifest:
    base: dict[str, Any] = dict(
        name=name,
        kind="tflite",
        architecture="pspm-b5",
        config={},
        task="portrait",
        feeding=Feeding(layout="NHWC", height=64, width=96, channels=3, stride=32),
        payload="model.tflite",
        payload_sha256=name.encode().hex().ljust(64, "0"),
        payload_bytes=4_200_000,
        parent="f10a7".ljust(64, "0"),
        cost=Cost(parameters=370_123, macs=0.412),
        demonstration=True,
        licence="Apache-2.0",
        data_notice="Procedural pictures.",
        tools={"torch": "2.14.1"},
        git="0123abcd+dirty",
    )
    return Manifest(**(base | fields))


def files() -> tuple[FileReport, ...]:
    root = manifest(
        "pm-float",
        kind="float",
        payload="weights.safetensors",
        payload_sha256="f10a7".ljust(64, "0"),
        parent=None,
        scores={"unknown": scores(2.0), "whole": scores(4.0)},
    )
    frozen = manifest(
        "pm-frozen",
        kind="quantized",
        payload="weights.safetensors",
        payload_sha256="f402e".ljust(64, "0"),
        agreements=(agreement(runtime="torch"),),
    )
    full = manifest(
        "pm-fp32",
        target="tflite-fp32",
        agreements=(agreement(),),
        scores={"unknown": scores(2.0), "whole": scores(4.0)},
    )
    small = manifest(
        "pm-int8",
        target="tflite-int8",
        payload_bytes=1_200_000,
        parent="f402e".ljust(64, "0"),
        agreements=(agreement(reference="frozen", psnr_db=math.inf), agreement(psnr_db=41.25)),
        scores={"unknown": scores(2.1), "whole": scores(4.5)},
        calibration=Calibration(count=16, seed=7, sha256="ca11b".ljust(64, "0")),
        int8_proof=Int8Proof(
            convolutions=52, int8_convolutions=51, float_islands=("MUL",), scales=117,
            scales_exact=117, origins=GridOrigins(nncf=80, nature=7, rule=30),
            tensors=40, tensors_equal=39,
        ),
    )  # fmt: skip
    rows = tuple(
        LayerDifference(layer, median_lsb=0.0, p99_lsb=p99, max_lsb=2.0, share_off=0.034)
        for layer, p99 in (("stem/conv", 1.0), ("head/conv", 1.5))
    )
    layers = (LayerTable(rows, 2, "LiteRT, XNNPACK"),)
    return FileReport(root), FileReport(frozen), FileReport(full), FileReport(small, layers)


def sample() -> MatteSample:
    truth = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (64, 1))
    broken = truth.copy()
    broken[0, 0] = np.nan
    mattes = {
        "pm-float": truth,
        "pm-frozen": truth,
        "pm-fp32": broken,
        "pm-int8": np.clip(truth + 0.03, 0, 1),
    }
    return MatteSample(np.full((64, 96, 3), 90, np.uint8), truth, mattes)


def model(name: str = "portrait-quick") -> ModelReport:
    log = ({"step": 0, "loss": 1.0}, {"step": 5, "loss": math.nan, "val_sad": 3.0})
    return ModelReport(name, "portrait", "pspm-b5", files(), log, (sample(),))


def bench(target: str, milliseconds: float, *, threads: int = 1, **fields: Any) -> Result:
    samples = tuple(milliseconds * (1 + 0.001 * n) for n in range(20))
    result = Result(
        name=target,
        model_sha256=f"pm-{target.split('-')[1]}".encode().hex().ljust(64, "0"),
        model_bytes=1,
        threads=threads,
        delegate=Delegate(
            asked="xnnpack", used="xnnpack", operators=71, delegated=70, partitions=1
        ),
        init_ms=12.0,
        first_ms=31.0,
        warmup_runs=10,
        samples_ms=samples,
        latency=summarise(samples),
        verdict="valid",
        reason="",
        golden=None,
        protocol=Protocol(),
        circumstances=Circumstances(
            transport="host",
            device_kind="physical",
            device="this machine",
            soc="Testcore 9000",
            cores=2,
            os="Linux",
            abi="x86_64",
            virtualised=True,
            runtime="LiteRT 2.1",
            before=Condition(load_average=0.1),
            after=Condition(load_average=0.2),
        ),
        recorded_at="2026-11-22T10:00:00+00:00",
    )
    return result.model_copy(update=fields)


def on_chip(soc: str, result: Result) -> Result:
    where = result.circumstances.model_copy(update={"soc": soc})
    return result.model_copy(update={"circumstances": where})


def data(**fields: Any) -> ReportData:
    base = ReportData(
        recipe_name="quickstart",
        recipe_text='[model]\nname = "pspm-b5"',
        created="2026-11-22T10:00:00+00:00",
        circumstances={"Python": "3.11.2", "GPU": None},
        demonstrations=(),
        models=(model(),),
        benches=(bench("tflite-fp32", 30.0), bench("tflite-int8", 15.0)),
    )
    return replace(base, **fields)


def gates(**bounds: str) -> tuple[GateRow, ...]:
    rules = [Bound(name, rule) for name, rule in bounds.items()]
    verdicts = judge(rules, {"sad": 2.1, "psnr_db": 41.25}, reference={"sad": 2.0})
    return tuple(GateRow("portrait-quick", "tflite-int8", v, "unknown region") for v in verdicts)


class Page(HTMLParser):
    """Attributes, visible text and balance of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text = html, ""
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data + " "

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text)


def render(tmp_path: Path, report: ReportData) -> Page:
    path = tmp_path / "report.html"
    write_report(report, path)
    return Page(path.read_text(encoding="utf-8"))
