"""What `edgemat doctor` finds, and what it advises."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgemat import doctor
from edgemat.doctor import (
    PACKAGES,
    AbilityCheck,
    cpu_has_int8_dot_product,
    examine,
    explain_missing,
    needs,
    require,
)
from edgemat.errors import MissingToolError
from tools.lock import PYTHONS

INSTALLED = metadata.version
ROOT = Path(__file__).parents[2]


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> dict[str, AbilityCheck]:
    def version(package: str) -> str:
        if package in missing:
            raise metadata.PackageNotFoundError(package)
        return INSTALLED(package)

    monkeypatch.setattr(metadata, "version", version)
    return {finding.ability: finding for finding in examine()}


@pytest.mark.parametrize(
    ("package", "ability", "remedy"),
    [
        ("ai-edge-litert", "Run .tflite files: matte, bench", "pip install edgemat"),
        (
            "pymatting",
            "Matting without a network: closed-form, knn",
            'pip install "edgemat[classical]"',
        ),
        (
            "scipy",
            "Measure the errors of mattes: evaluate, bias",
            'pip install "edgemat[evaluate]"',
        ),
        ("torch", "Train", 'pip install "edgemat[train]"'),
        ("nncf", "Quantize with NNCF", 'pip install "edgemat[deploy]"'),
        ("litert-torch", "Convert to TFLite", 'pip install "edgemat[deploy]"'),
        (
            "coremltools",
            "Convert to Core ML, and check the result",
            'pip install "edgemat[deploy]"',
        ),
        ("scikit-image", "Write reports", 'pip install "edgemat[report]"'),
    ],
)
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, ability: str, remedy: str
) -> None:
    found = without(monkeypatch, package)[ability]
    assert found == AbilityCheck(ability, False, f"missing: {package}", remedy)


def test_core_ai_has_an_extra_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = without(monkeypatch, "coreai-core", "coreai-torch")
    finding = found["Convert to Core AI, and run the result in Apple's runtime"]
    assert finding.detail == "missing: coreai-core, coreai-torch"
    assert finding.remedy == 'pip install "edgemat[coreai]"'


def test_what_is_there_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    found = without(monkeypatch)["Run .tflite files: matte, bench"]
    assert found.ok
    assert found.detail == f"ai-edge-litert {INSTALLED('ai-edge-litert')}"
    assert found.remedy == ""


def test_every_ability_is_listed_once() -> None:
    abilities = [finding.ability for finding in examine()]
    assert len(set(abilities)) == len(abilities)
    assert {ability for ability, _, _ in PACKAGES} < set(abilities)


def test_a_python_that_is_too_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    python = examine()[0]
    assert not python.ok
    assert python.detail == "3.14.0"
    assert "3.11" in python.remedy


def test_every_python_is_named_everywhere() -> None:
    """pyproject.toml, doctor, the lists' hashes, README and CONTRIBUTING speak of the same."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    first, last = PYTHONS[0], PYTHONS[-1]
    assert wanted == f">={first},<3.{int(last.split('.')[1]) + 1}"
    assert examine()[0].ability == f"Python {first} to {last}"
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text()
        assert f"Python {', '.join(PYTHONS[:-1])} or {last}" in text, page


@pytest.mark.parametrize("version", PYTHONS)
def test_a_python_that_is_taken(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (*map(int, version.split(".")), 0))
    assert examine()[0].ok


def test_a_nearly_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    disk = {finding.ability: finding for finding in examine()}["Disk space for a run"]
    assert not disk.ok
    assert disk.detail == "1 GB free"
    assert "2 GB" in disk.remedy


def test_without_torch_there_is_no_answer_about_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    gpu = {finding.ability: finding for finding in examine()}["Train on a GPU"]
    assert gpu == AbilityCheck("Train on a GPU", False, "torch missing")


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("torch", "torch", "train"),
        ("torch.nn", "torch", "train"),
        ("nncf", "nncf", "deploy"),
        ("litert_torch", "litert-torch", "deploy"),
        ("skimage.metrics", "scikit-image", "report"),
        ("scipy.ndimage", "scipy", "evaluate"),
    ],
)
def test_a_failed_import_names_the_extra(module: str, package: str, extra: str) -> None:
    error = explain_missing(ModuleNotFoundError("no", name=module))
    assert f"needs {package}," in error.message
    assert error.remedy == f'Run: pip install "edgemat[{extra}]"'
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("extras", "module", "named"),
    [
        ((), "scipy", "evaluate"),
        (("classical",), "scipy", "classical"),
        (("deploy", "train", "evaluate"), "torch", "deploy"),
        (("train", "report"), "skimage", "report,train"),
        (("train",), "nncf", "deploy"),  # what the command did not tell of
    ],
)
def test_one_installation_brings_all_that_is_needed(
    extras: tuple[str, ...], module: str, named: str
) -> None:
    with pytest.raises(MissingToolError) as caught, needs(*extras):
        raise ModuleNotFoundError("no", name=module)
    assert caught.value.remedy == f'Run: pip install "edgemat[{named}]"'


def test_the_extras_that_come_with_others_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]

    def within(extra: str) -> set[str]:
        nested = (one for one in extras[extra] if one.startswith("edgemat["))
        direct = {part for one in nested for part in one[len("edgemat[") : -1].split(",")}
        return direct.union(*map(within, direct))

    for extra in {extra for _, _, extra in PACKAGES if extra} | {"label"}:
        assert doctor._within([extra]) == within(extra)


def test_what_is_required_is_looked_for_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    require("classical", "train")
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "scipy" else there(name)
    )
    require("serve")
    with pytest.raises(MissingToolError, match="needs scipy") as caught:
        require("classical", "evaluate")
    assert caught.value.remedy == 'Run: pip install "edgemat[classical]"'


@pytest.mark.parametrize("arguments", [{"name": "edgemat.nowhere"}, {}])
def test_a_failed_import_of_our_own_is_a_bug(arguments: dict[str, Any]) -> None:
    error = ModuleNotFoundError("no", **arguments)
    with pytest.raises(ModuleNotFoundError) as caught:
        explain_missing(error)
    assert caught.value is error


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("flags : fma avx2 avx512f avx512_vnni", True),
        ("flags : fma avx2 avx_vnni", True),
        ("Features : fp asimd asimddp", True),
        ("flags : fma avx2 avx512f", False),
        ("Features : fp asimd", False),
    ],
)
def test_an_int8_dot_product_is_told_by_the_processor(
    flags: str, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one int8 is no faster than float, and its latency says nothing of phones."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("edgemat.doctor._cpu_flags", lambda: set(flags.split()))
    (finding,) = (f for f in examine() if f.ability == "int8 dot product on the CPU")
    assert cpu_has_int8_dot_product() is finding.ok is found
    assert ("says nothing of phones" in finding.detail) is not found
