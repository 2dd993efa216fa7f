"""Generated pages: each is made by `make docs`, and speaks of the very files that ship."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHELF, SHIPPED_TARGET, find_artifact, shipped_models
from edgemat.bench.peers.entries import REFINED
from edgemat.errors import EdgematError
from tools import coreai_check, own_networks
from tools.docs import BEGIN, COREAI_BEGIN, END, VERIFICATION, Page, between, pages, with_quality

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "docs/models"
DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
PINNED = r"\b((?:%s)(?:-[a-z0-9-]+)?@[0-9a-f]{8})\b"


def names() -> set[str]:
    return {path.name for path in SHELF.glob("*@*")}


def pinned(text: str) -> set[str]:
    """Return the artefacts of shipped models that a text names with their hashes."""
    models = "|".join(sorted(shipped_models(), key=len, reverse=True))
    return set(re.findall(PINNED % models, text))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_names_the_files_that_ship(document: str) -> None:
    assert pinned((ROOT / document).read_text()) - names() == set()


def test_a_file_of_before_is_noticed() -> None:
    assert pinned("portrait-tflite-int8@9fb44b8f, portrait@00000000 and mine@12345678") == {
        "portrait-tflite-int8@9fb44b8f",
        "portrait@00000000",
    }


def load(name: str) -> Any:
    return json.loads((MODELS / name).read_text())


def test_quality_is_that_of_the_files_that_ship() -> None:
    measured = [row for row in load("quality.json") if row["figures"]]
    assert {row["model"] for row in measured} == set(shipped_models())
    for row in measured:
        assert row["artefacts"] == {
            "float": find_artifact(row["model"]).name,
            "int8": find_artifact(row["model"], target=SHIPPED_TARGET).name,
        }


@pytest.mark.parametrize("model", shipped_models())
def test_bias_is_that_of_the_file_that_ships(model: str) -> None:
    assert load(f"bias-{model}.json")["model"] == find_artifact(model, target=SHIPPED_TARGET).name


@pytest.mark.parametrize("page", sorted(MODELS.glob("peers-*.json")), ids=lambda page: page.stem)
def test_those_who_meet_peers_are_those_who_ship(page: Path) -> None:
    shipped = {path.name: Artifact(path).manifest.payload_sha256 for path in SHELF.glob("*@*")}
    met = load(page.name)["contestants"]
    ours = {one["name"].removesuffix(REFINED): one["sha256"] for one in met if pinned(one["name"])}
    assert ours and ours == {name: shipped.get(name) for name in ours}
    refiner = shipped[find_artifact("trimap", target=SHIPPED_TARGET).name]
    refined = [one for one in met if one["name"].endswith(REFINED) and one["absent"] is None]
    assert all(one["refiner_sha256"] == refiner for one in refined)


def test_the_table_of_what_ships_is_that_of_the_figures() -> None:
    text = (MODELS / "index.md").read_text()
    assert with_quality(text, load("quality.json")) == text
    assert BEGIN in text and END in text


def test_every_generated_page_is_there_and_is_made() -> None:
    made = {page.name for page in pages()}
    assert all((ROOT / name).exists() for name in made)
    for path in MODELS.iterdir():
        sibling = re.sub(r"^worst-(.*)\.jpg$", r"bias-\1.json", path.name)
        sibling = re.sub(r"^(peers-.*)\.json$", r"\1.md", sibling)
        assert f"docs/models/{sibling}" in made, path.name


def test_the_page_on_own_networks_is_what_was_found() -> None:
    found = json.loads((ROOT / own_networks.FOUND).read_text())
    assert (ROOT / own_networks.PAGE).read_text() == own_networks.page(found)


def test_a_table_is_put_between_its_marks(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / VERIFICATION).read_text()
    held = text.partition(COREAI_BEGIN)[2].partition(END)[0]
    coreai_check.main([])
    assert held.startswith(capsys.readouterr().out)
    assert held.count("| portrait |") == held.count("| trimap |") == 3
    assert between(text, COREAI_BEGIN, held) == text
    assert between(text, COREAI_BEGIN, "new\n").count("new\n") == text.count("new\n") + 1
    for lost in (COREAI_BEGIN, END):
        with pytest.raises(EdgematError, match="has lost its mark"):
            between(text.replace(lost, ""), COREAI_BEGIN, held)


def test_what_is_absent_leaves_a_page() -> None:
    page = Page("a.md", lambda: None, (Path("nowhere"), Path("docs")), ("json", "no_such_package"))
    assert page.absent == ["nowhere", "no_such_package"]
