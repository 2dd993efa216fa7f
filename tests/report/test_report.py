"""The report: one file, nothing outside it, nothing unescaped, and every figure in its place."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_reports import (
    TIMES,
    Page,
    bench,
    data,
    files,
    gates,
    manifest,
    model,
    on_chip,
    render,
    sample,
    scores,
)

from edgemat.errors import ImageError, MissingToolError
from edgemat.report.data import (
    FileReport,
    PhotoReport,
)
from edgemat.report.figures import EM_DASH
from edgemat.report.write import write_report

HOSTILE = "<script>alert(1)</script>$x_$"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return render(tmp_path_factory.mktemp("report"), data(gates=gates(sad="+10%")))


def test_the_file_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert "http:" not in page.html and "https:" not in page.html and "@import" not in page.html
    for tag, name, value in page.attributes:
        assert tag not in ("script", "link", "iframe", "object")
        assert not name.startswith("on")
        if name in ("src", "href"):
            assert value.startswith(("data:image/", "#"))
        assert not re.search(r"url\((?!#)", value)


def test_tags_are_balanced_ids_unique_and_anchors_exist(page: Page) -> None:
    assert page.open == []
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [v[1:] for _, n, v in page.attributes if n == "href" and v.startswith("#")]
    assert targets and set(targets) <= set(ids)


def test_every_picture_has_a_description(page: Page) -> None:
    pictures = [tag for tag, name, _ in page.attributes if tag == "img" and name == "src"]
    described = [v for tag, name, v in page.attributes if tag == "img" and name == "alt" and v]
    # input, truth, and per file a matte and an error map; all but the float model a difference
    assert len(pictures) == len(described) == 2 + 2 * 4 + 3


def test_names_are_escaped_everywhere(tmp_path: Path) -> None:
    hostile = replace(
        data(),
        recipe_name=HOSTILE,
        recipe_text=HOSTILE,
        models=(model(HOSTILE),),
        benches=(bench("tflite-fp32", 3.0, name=HOSTILE, model_sha256="unknown"),),
        circumstances={HOSTILE: HOSTILE},
        skipped=(HOSTILE,),
        gates=tuple(replace(g, model=HOSTILE, file=HOSTILE) for g in gates(sad="+1%")),
    )
    page = render(tmp_path, hostile)
    assert "<script" not in page.html
    assert page.text.count("<script>alert(1)</script>$x_$") >= 8


def test_figures_stand_beside_their_reference(page: Page) -> None:
    for text in (
        "The only gate is green.",
        "2.10 +5.0 %",  # SAD of int8 in the unknown region, against 2.0
        "1.20 MB",
        "370,123",
        "0.412 G MACs",
        "frozen LiteRT 8 1.50·10⁻⁶ 2.00·10⁻⁷ ∞",
        "41.25",
        "✗ 51 / 52",
        "✓ 117 / 117 ✗ 39 / 40 80 7 30",  # equal tensors; as NNCF chose, by nature, by rule
        "MUL",
        "worst p99 1.5 LSB",
        "stem/conv 3.40 % 0 1 2",
        "The file has no tensor for 2 more",
        f"3.5{TIMES}",  # 4.2 MB against 1.2 MB
        "calibrated on 16 inputs, seed 7",
        "0123abcd+dirty",
    ):
        assert text in page.words, text


def test_latency_stands_with_its_circumstances(page: Page) -> None:
    for text in (
        "Testcore 9000",
        "physical, through host; under a hypervisor (virtualised)",
        "70 of 71 operators",
        "15.1",
        f"2.00{TIMES}",
    ):
        assert text in page.words, text
    assert "+ 10 warm-up" in page.words


@pytest.mark.parametrize("slow", [True, False])
def test_a_processor_without_int8_dot_products_is_said_to_be_one(
    tmp_path: Path, slow: bool
) -> None:
    page = render(tmp_path, data(int8_is_slow_here=slow))
    assert ("This processor has no int8 dot product" in page.words) is slow


def test_latency_without_circumstances_is_withheld(tmp_path: Path) -> None:
    naked = on_chip("", bench("tflite-fp32", 777.0))
    page = render(tmp_path, data(benches=(naked,)))
    assert "1 measurement is withheld" in page.words
    assert "777" not in page.words


def test_an_invalid_measurement_says_why_and_gives_no_speed(tmp_path: Path) -> None:
    invalid = bench("tflite-int8", 15.0, verdict="invalid", reason="CV 31.0% is above 10%")
    page = render(tmp_path, data(benches=(bench("tflite-fp32", 30.0), invalid)))
    assert "✗ invalid CV 31.0% is above 10%" in page.words
    assert f"2.00{TIMES}" not in page.words


def test_machines_are_never_in_one_table(tmp_path: Path) -> None:
    other = on_chip("Otherchip", bench("tflite-int8", 5.0))
    page = render(tmp_path, data(benches=(bench("tflite-fp32", 30.0), other)))
    assert sum(value.startswith("Latency on") for _, _, value in page.attributes) == 2
    assert f"6.00{TIMES}" not in page.words


def test_a_red_gate_is_said_first(tmp_path: Path) -> None:
    page = render(tmp_path, data(gates=gates(sad="+1%", psnr_db=">=30")))
    assert "1 of 2 gates is red. portrait-quick, tflite-int8: sad is 2.10 (+5.0 %)" in page.words
    assert "✗ fail" in page.words and "✓ pass" in page.words
    assert ("section", "class", "verdict failed") in page.attributes


def test_places_are_linked_to_by_names_that_hold(tmp_path: Path) -> None:
    """A comment on a change points at the red row, today and in the next run's report."""
    red = replace(data(), gates=gates(sad="+0%"))
    page = render(tmp_path, red)
    for row in red.gates:
        words = f"gate {row.model} {row.file} {row.verdict.name} {row.scope}".lower()
        place = "-".join(re.findall("[a-z0-9]+", words))
        assert f'<tr id="{place}"' in page.html
        assert f'<li><a href="#{place}">' in page.html
    for place in ("gates", "latency", "lineage", "model-portrait-quick", "int8-portrait-quick"):
        assert f' id="{place}">' in page.html and f'href="#{place}"' in page.html


def test_no_gate_is_not_green(tmp_path: Path) -> None:
    page = render(tmp_path, data())
    assert "No gate was set." in page.words and "green" not in page.words


@pytest.mark.parametrize("names", [("hair", "fur"), ()])
def test_the_banner_of_a_demonstration(tmp_path: Path, names: tuple[str, ...]) -> None:
    page = render(tmp_path, data(demonstrations=names))
    assert ("do not ship them" in page.words) is bool(names)
    assert ("hair and fur" in page.words) is bool(names)


def test_what_is_not_known_is_a_dash(tmp_path: Path) -> None:
    lost = scores(math.nan)
    root, frozen, full, small = files()
    small = replace(small, manifest=small.manifest.model_copy(update={"scores": {"whole": lost}}))
    page = render(tmp_path, data(models=(replace(model(), files=(root, frozen, full, small)),)))
    assert f"tflite-int8 {' '.join([EM_DASH] * 4)}" in page.words
    assert f"GPU {EM_DASH}" in page.words
    assert not re.search(r"\b(nan|None)\b", page.words)


def test_a_file_that_did_not_run_claims_nothing(tmp_path: Path) -> None:
    idle = FileReport(manifest("pm-coreml", kind="coreml", target="coreml-fp16"))
    page = render(tmp_path, data(models=(replace(model(), files=(*files(), idle)),)))
    assert "not run: nothing is claimed of its agreement" in page.words
    assert "Verified files 2 / 3" in page.words


def test_a_training_log_without_a_finite_loss_is_drawn(tmp_path: Path) -> None:
    diverged = replace(model(), training_log=({"step": 0, "loss": math.nan},))
    assert "training loss" in render(tmp_path, data(models=(diverged,))).words


def test_the_factor_of_a_difference_is_stated(page: Page) -> None:
    # int8 lies 0.03 from the frozen model, fp32 nowhere far from the float model
    assert f"{TIMES} 10, from the frozen model (PTQ)" in page.words
    assert f"{TIMES} 1,000, from the float model" in page.words


def test_a_report_of_nothing_can_be_written(tmp_path: Path) -> None:
    page = render(tmp_path, data(models=(), benches=()))
    assert "No latency was measured." in page.words


def test_the_photograph_is_shown_in_five_ways(tmp_path: Path) -> None:
    rgb, alpha = np.zeros((800, 600, 3), np.uint8), np.full((800, 600), 0.5, np.float32)
    cutout = np.zeros((800, 600, 4), np.uint8)
    photo = PhotoReport(
        rgb, alpha, cutout, rgb, rgb, "portrait-quick tflite-int8", "Public domain."
    )
    page = render(tmp_path, data(models=(), photo=photo))
    assert sum(name == "src" for _, name, _ in page.attributes) == 5
    assert "Cut out by portrait-quick tflite-int8" in page.words


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    assert render(tmp_path, data()).html == render(tmp_path, data()).html


def test_a_matte_of_another_size_is_named(tmp_path: Path) -> None:
    wrong = replace(sample(), mattes={"pm-int8": np.zeros((3, 3), np.float32)})
    with pytest.raises(ImageError, match="matte of pm-int8"):
        write_report(data(models=(replace(model(), samples=(wrong,)),)), tmp_path / "report.html")


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_package_is_named_with_its_extra(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("edgemat.report.view", "edgemat.report.plots"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingToolError, match=package) as caught:
        write_report(data(), tmp_path / "report.html")
    assert 'pip install "edgemat[report]"' in caught.value.remedy
