"""The bill of materials: every package and model is in it, each with a licence."""

from __future__ import annotations

from importlib import metadata
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from edgemat.artifacts.shipped import SHELF
from edgemat.errors import UsageError
from tools.sbom import _closure, _licence, bill


def test_packages_and_models_have_licences() -> None:
    made = bill([])
    parts = made["components"]
    libraries = {part["name"]: part for part in parts if part["type"] == "library"}
    assert {"numpy", "pillow", "ai-edge-litert", "pydantic-core"} <= set(libraries)
    assert not {"torch", "numba", "pymatting", "pytest"} & set(libraries)
    assert libraries["numpy"]["purl"] == f"pkg:pypi/numpy@{metadata.version('numpy')}"
    models = [part for part in parts if part["type"] == "machine-learning-model"]
    assert {part["bom-ref"] for part in models} == {path.name for path in SHELF.glob("*@*")}
    assert all(part["hashes"][0]["content"] for part in models)
    portrait = next(part for part in models if part["bom-ref"].startswith("portrait@"))
    assert "research-only" in portrait["description"]
    assert "EG1800" in portrait["modelCard"]["modelParameters"]["datasets"][0]["description"]
    for part in (made["metadata"]["component"], *parts):
        assert part["licenses"] and "not stated" not in str(part["licenses"]), part["name"]
    assert len({part["bom-ref"] for part in parts}) == len(parts)


def test_an_extra_brings_its_own() -> None:
    more = {part["name"] for part in bill(["classical"])["components"]}
    assert {"pymatting", "numba"} <= more
    with pytest.raises(UsageError, match="'clasical'"):
        bill(["clasical"])


def test_a_package_is_followed_with_each_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for it first."""
    needs = {"a": ["b", "c"], "b": ["d"], "c": ["d[more]"], "d": ["e; extra == 'more'"], "e": []}
    monkeypatch.setattr("tools.sbom._installed", lambda name: SimpleNamespace(requires=needs[name]))
    for first in (["b", "c"], ["c", "b"]):
        assert _closure(map(Requirement, first)) == {"b", "c", "d", "e"}


@pytest.mark.parametrize(
    ("text", "as_written"),
    [
        ("Apache-2.0", {"expression": "Apache-2.0"}),
        ("MIT", {"expression": "MIT"}),
        ("BSD-3-Clause AND MIT", {"expression": "BSD-3-Clause AND MIT"}),
        ("BSD License", {"license": {"name": "BSD License"}}),
    ],
)
def test_a_licence_is_an_expression_where_it_is_one(text: str, as_written: object) -> None:
    assert _licence(text) == as_written
