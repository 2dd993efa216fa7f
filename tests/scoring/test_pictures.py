"""Errors on photographs at their own size: protocols, trimaps, processes, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from calling import Call
from safetensors.torch import save_file
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import Artifact, Feeding
from edgemat.data.layouts.table import find_mattes
from edgemat.data.listing import pictures
from edgemat.errors import UsageError
from edgemat.images import read_image, write_image
from edgemat.models import create_matting
from edgemat.scoring.pictures import (
    Picture,
    PictureErrors,
    PictureProtocols,
    mean_errors,
    photographs,
    predict_picture,
    score_rounds,
    worst,
)

SIZE = (72, 100)


def score_pictures(
    pictures: list[Picture], protocols: PictureProtocols, *, processes: int = 1
) -> list[PictureErrors]:
    (found,) = score_rounds(pictures, [protocols], processes=processes)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photographs of discs whose red channel is nearly the matte; the last is the worst."""
    root = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    rng = np.random.default_rng(0)
    for n in range(6):
        alpha = np.clip((26 - np.hypot(y - 36, x - 40 - 3 * n)) / 6 + 0.5, 0, 1)
        image = rng.integers(0, 60, (*SIZE, 3)).astype(float)
        image[..., 0] = 255 * alpha * (0.5 if n == 5 else 0.95)
        write_image(root / "image" / f"p{n}.png", image.astype(np.uint8))
        write_image(root / "alpha" / f"p{n}.png", (255 * alpha).astype(np.uint8))
    return root


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A .tflite file whose matte is the red channel."""
    return str(tflite_artifact(tmp_path_factory.mktemp("shelf")).path)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    config = {"width": 0.25}
    state = create_matting("indexnet-m2o-nlc", **config).state_dict()
    made = artifact(
        tmp_path_factory.mktemp("net"),
        lambda inside: save_file(state, inside / "weights.safetensors"),
        kind="float",
        architecture="indexnet-m2o-nlc",
        config=config,
        task="trimap",
        feeding=Feeding(
            layout="NCHW", height=64, width=64, channels=4, stride=32, trimap_channel=3
        ),
        payload="weights.safetensors",
    )
    return str(made.path)


def all_of(folder: Path) -> list[str]:
    return sorted(pictures(folder / "alpha"))


def test_the_worst_is_found_and_means_are_means(folder: Path, red: str) -> None:
    shown = photographs(find_mattes(folder), all_of(folder))
    found = score_pictures(shown, PictureProtocols(red))
    assert [one.name for one in found] == all_of(folder)
    assert worst(found, 2)[0].name == "p5"
    means = mean_errors(found)
    sads = [one.errors["whole"].sad for one in found]
    assert means["whole"].sad == pytest.approx(np.mean(sads))
    assert means["unknown"].sad < means["whole"].sad


@pytest.mark.long
def test_processes_change_nothing(folder: Path, red: str) -> None:
    shown = photographs(find_mattes(folder), all_of(folder))
    assert score_pictures(shown, PictureProtocols(red), processes=2) == score_pictures(
        shown, PictureProtocols(red)
    )


@pytest.mark.parametrize("protocol", ["resize", "reflect"])
def test_a_whole_picture_protocol_is_by_hand(folder: Path, network: str, protocol: str) -> None:
    """72 x 100 px become 96 x 128: scaled, or continued by the mirror image."""
    from edgemat.artifacts.weights import load_network
    from edgemat.images import read_grey, resize

    shown = photographs(find_mattes(folder), ["p0"])
    settings = PictureProtocols(network, protocol=protocol, dilation=(4, 4))  # type: ignore[arg-type]
    image, truth, alpha = predict_picture(shown[0], settings, 0)
    np.testing.assert_array_equal(truth, read_grey(folder / "alpha/p0.png"))
    from edgemat.data.trimap import fixed_trimap

    trimap = fixed_trimap(truth, dilation=4)
    if protocol == "resize":
        fitted = resize(image, (96, 128), method="bicubic")
        hint = resize(trimap, (96, 128), method="nearest")
    else:
        fitted = np.pad(image, ((0, 24), (0, 28), (0, 0)), mode="reflect")
        hint = np.pad(trimap, ((0, 24), (0, 28)), mode="reflect")
    x = np.dstack([fitted, hint]).astype(np.float32).transpose(2, 0, 1) / 255
    with torch.no_grad():
        raw = load_network(Artifact(Path(network)))(torch.from_numpy(x)[None]).alpha.clamp(0, 1)
    expected = raw[0, 0].numpy()
    expected = resize(expected, SIZE) if protocol == "resize" else expected[:72, :100]
    unknown = trimap == 128
    np.testing.assert_allclose(
        alpha[unknown], np.clip(expected, 0, 1)[unknown], atol=1e-4, rtol=1e-4
    )
    assert set(np.unique(alpha[~unknown])) <= {0.0, 1.0}


def test_wider_trimaps_leave_more_to_the_model(folder: Path) -> None:
    shown = photographs(find_mattes(folder), ["p0", "p1"])
    counts = []
    for dilation in ((2, 3), (10, 12)):
        found = score_pictures(shown, PictureProtocols("closed-form", dilation=dilation))
        counts.append(found[0].errors["whole"].sad)
        assert found == score_pictures(shown, PictureProtocols("closed-form", dilation=dilation))
    assert counts[1] > counts[0]


def test_what_does_not_fit_is_refused(folder: Path, red: str, tmp_path: Path) -> None:
    shown = photographs(find_mattes(folder), ["p0"])
    with pytest.raises(UsageError, match="pictures of one size"):
        score_pictures(shown, PictureProtocols(red, protocol="reflect"))
    with pytest.raises(UsageError, match="known foreground and background"):
        score_pictures(shown, PictureProtocols("knn", hidden=True))
    for part in ("foreground", "alpha"):
        write_image(tmp_path / part / "a.png", read_image(folder / "image/p0.png"))
    with pytest.raises(UsageError, match="foregrounds, not photographs"):
        photographs(find_mattes(tmp_path), ["a"])


def test_an_adopted_network_has_one_size(
    folder: Path, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgemat.matting.torch_predictor import TorchPredictor
    from edgemat.scoring import pictures as module

    def adopted(path: Path, **_: object) -> TorchPredictor:
        predictor = TorchPredictor(Artifact(path))
        predictor.any_size = False
        return predictor

    module._open.cache_clear()
    monkeypatch.setattr(module, "load_predictor", adopted)
    shown = photographs(find_mattes(folder), ["p0"])
    with pytest.raises(UsageError, match="pictures of one size"):
        score_pictures(shown, PictureProtocols(network, protocol="resize"))


def test_each_category_has_its_own_means(
    folder: Path, red: str, tmp_path: Path, call: Call
) -> None:
    root = tmp_path / "photos"
    shutil.copytree(folder, root)
    (root / "categories.csv").write_text(
        "".join(f"p{n},{'fur' if n < 5 else 'net'}\n" for n in range(6))
    )
    status, shown, error = call("evaluate", red, str(root), "--all", "--json")
    assert status == 0, error
    (found,) = json.loads(shown)
    sads = {name: errors["whole"]["sad"] for name, errors in found["pictures"].items()}
    assert found["categories"]["net"]["whole"]["sad"] == sads["p5"]
    assert found["categories"]["fur"]["whole"]["sad"] == pytest.approx(
        np.mean([sads[f"p{n}"] for n in range(5)])
    )
    assert found["trimap_miou"] is None
    assert "net" in call("evaluate", red, str(root), "--all")[1]
    (root / "categories.csv").write_text("p0,fur\n")
    status, _, error = call("evaluate", red, str(root), "--all")
    assert status == 2 and "no category for p1" in " ".join(error.split())


def test_the_command_line(folder: Path, red: str, tmp_path: Path, call: Call) -> None:
    sheet, plot = tmp_path / "worst.png", tmp_path / "curve.png"
    options = ["--all", "--dilation", "2,4", "--dilation", "8,10", "--convention", "mmagic"]
    status, shown, error = call(
        "evaluate", red, str(folder), *options, "--worst", str(sheet), "--plot", str(plot), "--json"
    )
    assert status == 0, error
    first, second = json.loads(shown)
    assert first["dilation"] == [2, 4] and len(second["pictures"]) == 6
    assert first["means"]["unknown"]["sad"] == pytest.approx(first["means"]["whole"]["sad"])
    assert read_image(sheet).shape[0] > 1000 and plot.stat().st_size > 1000
    for wrong in (
        ["--convention", "matlap"],
        ["--dilation", "5"],
        ["--layout", "aim"],
        ["--worst", "w.xyz"],
    ):
        status, _, error = call("evaluate", red, str(folder), *wrong)
        assert status == 2 and error
    status, _, error = call("evaluate", red, "--convention", "mmagic")
    assert status == 2 and "--convention is for photographs" in error


def test_what_a_training_takes_is_said(folder: Path, red: str, tmp_path: Path, call: Call) -> None:
    """Of six, one is held out; three are too few to keep any back."""
    said = [" ".join(call("evaluate", red, folder, *more)[2].split()) for more in ([], ["--all"])]
    assert "training pictures" not in said[0]
    assert "5 of them are what a training takes" in said[1]
    for more, words in (([], "held out of training"), (["--all"], "errors on training pictures")):
        (found,) = json.loads(call("evaluate", red, folder, *more, "--json")[1])
        assert words in found["validation"] and found["empty_truths"] == []
    assert "training pictures" not in call("evaluate", "closed-form", folder, "--all")[2]
    few = tmp_path / "few"
    for part in ("image", "alpha"):
        (few / part).mkdir(parents=True)
        for n in range(3):
            shutil.copy(folder / part / f"p{n}.png", few / part)
    assert "too few pictures to keep any from training" in " ".join(
        call("evaluate", red, few)[2].split()
    )


def test_an_empty_truth_is_never_without_a_word(
    folder: Path, red: str, tmp_path: Path, call: Call
) -> None:
    shutil.copytree(folder, tmp_path / "photos")
    write_image(tmp_path / "photos" / "alpha" / "p2.png", np.zeros(SIZE, np.uint8))
    status, _, error = call("evaluate", red, tmp_path / "photos", "--all")
    assert status == 0 and "1 of 6 true mattes are empty (p2)" in " ".join(error.split())
    assert "are empty" not in " ".join(call("evaluate", red, folder, "--all")[2].split())
