"""Every matting network as a file: TFLite and Core ML compute the same matte as torch.

Converting takes long, and what can go wrong lies in operators, so that only so many networks are
converted as have all operators between them. ``EDGEMAT_EVERY_NETWORK=1`` skips none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

pytest.importorskip("litert_torch")
pytest.importorskip("coremltools")

from every_network import DEPLOYABLE, names, small, varied
from shared_files import made_once
from shared_networks import coreml_file, tflite_file
from toy_networks import picture

from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.operators import list_operators
from edgemat.convert.parity import compare
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models import ModelInfo
from edgemat.models.blocks.pooling import Below
from edgemat.models.deploy import DeployForm, to_deploy

SIZE = 64
ELEMENTWISE = ("add", "sub", "mul", "div", "rsub", "clamp", "hardtanh", "constant_pad_nd")
SHIPPED = ("indexnet", "pspm")
EVERY = os.environ.get("EDGEMAT_EVERY_NETWORK") == "1"


@pytest.mark.long
@names(DEPLOYABLE)
def test_files_compute_the_same_matte(info: ModelInfo, converted: Collection[str]) -> None:
    if info.name not in converted:
        pytest.skip("all its operators are in networks that are converted")
    deploy = to_deploy(varied(info))
    pixels = picture(info.in_channels, SIZE, seed=5).permute(0, 2, 3, 1).contiguous().numpy()
    expected = torch_predictor(deploy)(pixels)
    assert expected.std() > 1e-4, "a flat matte proves nothing"
    shape = (info.in_channels, SIZE, SIZE)
    files = {
        "tflite-fp32": tflite_file(deploy, "tflite-fp32", shape=shape),
        "coreml-fp16": coreml_file(deploy, shape=shape),
    }
    found = {
        runtime: compare(predict(pixels), expected, reference="float", runtime=runtime).psnr_db
        for target, path in files.items()
        for runtime, predict in find_backend(find_target(target).runtime).predictors(path).items()
    }
    if info.name.startswith(SHIPPED):
        operators = [operator.name for operator in list_operators(files["tflite-fp32"])]
        assert "TRANSPOSE" not in operators
    assert len(found) >= 3  # two ways to run a .tflite, one or two for Core ML
    assert min(found.values()) >= least_psnr(deploy), found


def least_psnr(deploy: DeployForm) -> float:
    """Near ties of max-pooling may turn around: 70 dB with its masks, else 90."""
    return 70 if any(isinstance(module, Below) for module in deploy.modules()) else 90


@pytest.fixture(scope="module")
def converted(request: pytest.FixtureRequest) -> Collection[str]:
    """The networks that are converted, of those whose tests run."""
    chosen = [
        item.callspec.params["info"]  # type: ignore[attr-defined]
        for item in request.session.items
        if getattr(item, "module", None) is request.module
    ]
    names = [info.name for info in chosen]
    if EVERY:
        return names

    def fill(folder: Path) -> None:
        ran = {info.name: operators(info) for info in chosen}
        few = covering({n: r.found for n, r in ran.items()}, {n: r.calls for n, r in ran.items()})
        (folder / "names.json").write_text(json.dumps(few))

    return json.loads((made_once("covering", names, fill) / "names.json").read_text())


# ---- what a network is made of --------------------------------------------------------------


def covering(needed: Mapping[str, set[tuple[object, ...]]], calls: Mapping[str, int]) -> list[str]:
    """Return a few names that have all operators between them.

    Each adds the most to the former for its calls of operators, which is what converting it costs.
    """
    left = set[tuple[object, ...]]().union(*needed.values())
    names = []
    while left:
        best = max(needed, key=lambda name: len(needed[name] & left) / calls[name])
        names.append(best)
        left -= needed[best]
    return names


class Operators(TorchDispatchMode):
    """Collects the operators that run, each with what a converter may treat apart."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[object, ...]] = set()
        self.calls = 0

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = operator.overloadpacket.__name__
        self.calls += 1
        if name == "convolution":
            self.found.add((name, *kind_of_convolution(*args)))
        elif name.startswith("upsample"):
            aligned = len(args) > 2 and args[2] is True  # at the corner pixels
            self.found.add((name, aligned))
        elif name == "slice":  # wherever it begins and ends
            self.found.add((name, args[0].ndim, args[1], len(args) > 4))
        elif name == "cat":  # of however many
            self.found.add((name, args[0][0].ndim, *args[1:]))
        elif name in ELEMENTWISE:  # by whatever number
            self.found.add((name, *(isinstance(one, Tensor) for one in args)))
        else:
            settings = map(setting, tree_leaves((args, kwargs or {})))
            self.found.add((name, *settings))
        return operator(*args, **(kwargs or {}))


def kind_of_convolution(
    x: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, *rest: Any
) -> tuple[bool, ...]:
    transposed, _, groups = rest
    point = weight[0, 0].numel() == 1
    return point, max(stride) > 1, max(padding) > 0, max(dilation) > 1, transposed, groups > 1


def setting(value: object) -> str:
    """Return the rank of a tensor; a number if it is small (an axis, a flag), else "size"."""
    if isinstance(value, Tensor):
        return f"rank {value.ndim}"
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > 3:
        return "size"
    return str(value)


def operators(info: ModelInfo) -> Operators:
    """Return the operators of a network's deploy form, how each is used, and how often."""
    deploy = to_deploy(small(info))
    x = picture(info.in_channels, SIZE, seed=5)
    with torch.no_grad(), Operators() as mode:
        deploy(x)
    return mode
