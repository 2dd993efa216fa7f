"""Several models in one evaluation: one table, one plot with a curve for each, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from calling import Call
from toy_artifacts import tflite_artifact

from edgemat.artifacts.vocabulary import ERROR_NAMES
from edgemat.cli.plots import draw_robustness
from edgemat.images import write_image
from edgemat.workflow.api.photographs import SetErrors, evaluate_photographs

SIZE = (64, 80)
DILATIONS = ((2, 4), (6, 8), (9, 10))
OPTIONS = ("--all", *(word for low, high in DILATIONS for word in ("--dilation", f"{low},{high}")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs of discs before noise."""
    root = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    for n in range(2):
        alpha = np.clip((20 - np.hypot(y - 32, x - 36 - 4 * n)) / 6 + 0.5, 0, 1)
        noise = np.random.default_rng(n).integers(0, 60, (*SIZE, 3))
        image = noise + (180 * alpha)[..., None]
        write_image(root / "image" / f"p{n}.png", image.astype(np.uint8))
        write_image(root / "alpha" / f"p{n}.png", (255 * alpha).astype(np.uint8))
    return root


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tflite_artifact(tmp_path_factory.mktemp("toy"), name="toy").path)


@pytest.fixture(scope="module")
def measured(folder: Path, toy: str) -> dict[str, list[SetErrors]]:
    return {
        name: evaluate_photographs(model, folder, dilations=DILATIONS, everything=True)
        for name, model in (("toy", toy), ("closed-form", "closed-form"), ("knn", "knn"))
    }


def test_a_plot_has_a_curve_and_a_name_for_each_model(measured: dict[str, list[SetErrors]]) -> None:
    figure = draw_robustness(measured)
    assert len(figure.axes) == len(ERROR_NAMES) == 4
    for axes, name in zip(figure.axes, ERROR_NAMES, strict=True):
        curves = {str(line.get_label()): line.get_ydata() for line in axes.get_lines()}
        assert list(curves) == list(measured)
        for model, sets in measured.items():
            expected = [one.means["unknown"].of(name) for one in sets]
            np.testing.assert_allclose(np.asarray(curves[model]), expected)
        ticks = [tick.get_text() for tick in axes.get_xticklabels()]
        assert ticks == ["2-4 px", "6-8 px", "9-10 px"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(measured)


def test_a_plot_of_one_model_has_no_legend(measured: dict[str, list[SetErrors]]) -> None:
    figure = draw_robustness({"knn": measured["knn"]})
    assert not figure.legends and all(len(axes.get_lines()) == 1 for axes in figure.axes)


def test_several_models_are_one_call(
    folder: Path,
    toy: str,
    measured: dict[str, list[SetErrors]],
    tmp_path: Path,
    call: Call,
) -> None:
    plot = tmp_path / "curves.svg"
    words = ("evaluate", toy, folder, "--beside", "closed-form", *OPTIONS)
    status, shown, error = call(*words, "--plot", plot, "--json")
    assert status == 0, error
    found = json.loads(shown)
    assert list(found) == sorted([toy, "closed-form"])
    for name, model in (("toy", toy), ("closed-form", "closed-form")):
        sads = [one["means"]["unknown"]["sad"] for one in found[model]]
        assert sads == pytest.approx([one.means["unknown"].sad for one in measured[name]])
    assert plot.stat().st_size > 1000
    alone = json.loads(call("evaluate", "closed-form", folder, *OPTIONS, "--json")[1])
    assert alone == found["closed-form"], "one model's JSON is a list, as it was"


def test_one_table_has_a_row_for_each(folder: Path, toy: str, call: Call) -> None:
    words = ("evaluate", toy, folder, "--beside", "knn", "--all")
    shown = call(*words)[1]
    assert shown.count("photographs;") == 1, "one table"
    assert shown.count("knn") == shown.count("toy@") == 2, "unknown and whole"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--beside", "knn", "--beside", "knn"], "Two models are called knn"),
        (["--beside", "nothing"], "There is no artefact nothing"),
        (["--beside", "knn", "--protocol", "resize"], "takes pictures of one size"),
        (["--beside", "knn", "--no-trimap"], "knn matting needs the trimap"),
    ],
)
def test_what_does_not_fit_is_said_before_any_is_run(
    more: list[str],
    said: str,
    folder: Path,
    toy: str,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from edgemat.workflow.api import photographs

    monkeypatch.setattr(
        photographs, "evaluate_photographs", lambda *_, **__: pytest.fail("one is run")
    )
    status, _, error = call("evaluate", toy, folder, *more)
    assert status == 2 and said in " ".join(error.split())


def test_models_beside_each_other_need_photographs(toy: str, call: Call) -> None:
    status, _, error = call("evaluate", toy, "--beside", "knn")
    assert status == 2 and "--beside is for photographs" in error
