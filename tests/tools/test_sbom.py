"""The bill of materials: every package and model is in it, each with a licence."""

from __future__ import annotations

import re
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement

from edgemat.artifacts.shipped import SHELF
from edgemat.errors import UsageError
from tools.licences import spdx_of
from tools.sbom import _closure, _licence, bill

WORDS_OF_NO_SET = " CC0 MIT GPL SA "  # licences

THREE_CLAUSES = """Redistribution and use in source and binary forms, with or without
modification, are permitted. Neither the name of X may be used to endorse or
promote products."""
TWO_CLAUSES = "Redistribution and use in source and binary forms, with or without modification."


class Package(metadata.Distribution):
    """A package of no file, with a licence's text."""

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def metadata(self) -> Any:
        return SimpleNamespace(json={"license": self._text})

    def read_text(self, filename: str) -> None:
        return None

    def locate_file(self, path: Any) -> Any:
        return path


def test_packages_and_models_have_licences() -> None:
    made = bill([])
    parts = made["components"]
    libraries = {part["name"]: part for part in parts if part["type"] == "library"}
    assert {"numpy", "pillow", "ai-edge-litert", "pydantic-core"} <= set(libraries)
    assert not {"scipy", "torch", "numba", "pymatting", "pytest"} & set(libraries)
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


def test_the_data_of_the_models_are_parts_with_licences() -> None:
    parts = bill([])["components"]
    data = {part["bom-ref"]: part for part in parts if part["type"] == "data"}
    people = data["data-people"]
    assert people["licenses"] == [{"expression": "CC0-1.0"}]
    assert [one["value"] for one in people["properties"]] == ["edgemat/assets/people"]
    assert (SHELF.parents[1] / people["properties"][0]["value"] / "people.json").is_file()
    used: set[str] = set()
    for part in parts:
        if part["type"] == "machine-learning-model":
            (told, *named) = part["modelCard"]["modelParameters"]["datasets"]
            refs = {one["ref"] for one in named}
            assert refs <= set(data) and refs, part["name"]
            known = " ".join(data[ref]["name"] for ref in refs) + WORDS_OF_NO_SET
            for word in re.findall(r"\b[A-Z]{3,}\d*\b", told["description"]):
                assert word in known, f"{word} of {part['name']} is in no row of tools/sbom_data.py"
            used |= refs
    assert used == set(data), "whatever no model names is not its data"


def test_what_a_pictures_user_must_know_is_told_apart() -> None:
    parts = {part["bom-ref"]: part for part in bill([])["components"]}
    clean = next(part for ref, part in parts.items() if ref.startswith("portrait-clean@"))
    refs = [one.get("ref") for one in clean["modelCard"]["modelParameters"]["datasets"]]
    assert "data-cc0-portraits" in refs and "data-imagenet-weights" in refs
    assert not {"data-eg1800", "data-bsds500", "data-imagenet", "data-coco"} & set(refs)


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
    ("name", "text", "spdx"),
    [
        ("MIT License", "", "MIT"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "", "MPL-2.0"),
        ("BSD License", THREE_CLAUSES, "BSD-3-Clause"),
        ("BSD License", TWO_CLAUSES, "BSD-2-Clause"),
        ("BSD License", TWO_CLAUSES + " All advertising materials", "BSD License"),
        ("BSD License", "", "BSD License"),
        ("Apache Software License", "Apache License\n  Version 2.0, 2004", "Apache-2.0"),
        ("Apache Software License", "", "Apache Software License"),
        ("Python Software Foundation License", "", "Python Software Foundation License"),
    ],
)
def test_a_licence_has_its_spdx_name_where_its_text_makes_it_certain(
    name: str, text: str, spdx: str
) -> None:
    assert spdx_of(name, Package(text)) == spdx


def test_no_library_has_a_vague_licence_where_its_text_tells_it() -> None:
    libraries = {part["name"]: part for part in bill([])["components"]}
    for name in ("numpy", "ai-edge-litert", "segno", "rich", "shellingham"):
        assert "expression" in libraries[name]["licenses"][0], name


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
