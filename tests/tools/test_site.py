"""The site is built without a warning, and holds what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import edgemat
from tools.site.docstrings import as_markdown
from tools.site.pages import BORROWED, relink

ROOT = Path(__file__).parents[2]
REFERENCE = sorted((ROOT / "docs/reference").glob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make site` builds: a link or a name that leads nowhere would be an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.long
def test_every_page_of_the_repository_is_a_page_of_the_site(site: Path) -> None:
    pages = [place for place in BORROWED.values() if place.endswith(".md")]
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in (".md", ".ipynb"):
            pages.append(path.relative_to(ROOT / "docs").as_posix())
    assert len(pages) > 30
    for page in pages:
        assert (site / page).with_suffix(".html").is_file(), page


@pytest.mark.long
def test_links_between_pages_lead_to_files(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="([^"#?:]+)"', page.read_text("utf-8")):
            if not link.startswith(("/", "data")) and not (page.parent / link).exists():
                broken.append(f"{page.relative_to(site)}: {link}")
    assert not broken


@pytest.mark.long
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in (site / "index.html", site / "tasks/ship.html", site / "reference/files.html"):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text()
        )
        assert not loaded


@pytest.mark.long
def test_docstrings_are_shown_as_they_are_meant(site: Path) -> None:
    page = (site / "reference/files.html").read_text("utf-8")
    shown = re.sub(r"<[^>]+>", "", page)
    assert "&gt;&gt;&gt; file = edgemat.convert" in shown or ">>> file = edgemat.convert" in shown
    assert ":func:" not in shown and "blockquote" not in page
    commands = (site / "reference/commands.html").read_text("utf-8")
    assert "edgemat quantize" in commands and "--calibration" in commands


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join(page.read_text() for page in REFERENCE)
    named = re.findall(r"^::: (\S+)\n    options:\n      heading: edgemat\.(\w+)$", text, re.M)
    assert sorted(name for _, name in named) == sorted(edgemat.__all__)
    for path, name in named:
        module, _, inside = path.rpartition(".")
        assert (edgemat.find_public(name).__module__, name) == (module, inside)


@pytest.mark.parametrize(
    ("place", "link", "there"),
    [
        ("index.md", "docs/tasks/ship.md", "tasks/ship.md"),
        ("index.md", "docs/data.md#backgrounds", "data.md#backgrounds"),
        ("contributing.md", "docs/architecture.md", "architecture.md"),
        ("devices.md", "../ios_demo/README.md", "ios_demo.md"),
        ("tasks/ship.md", "../../android_demo/README.md", "../android_demo.md"),
        ("tasks/ship.md", "../models/portrait.md", "../models/portrait.md"),
        ("android_demo.md", "docs/previews.webp", "android_demo.webp"),
        ("index.md", "https://example.org/a.md", "https://example.org/a.md"),
    ],
)
def test_links_between_files_become_links_between_pages(place: str, link: str, there: str) -> None:
    assert relink(f"see [it]({link}).", place) == f"see [it]({there})."


def test_examples_are_fenced_and_roles_dropped() -> None:
    docstring = "Say so.\n\n>>> f(1)\n2\n>>> g()\n\nSee :func:`~a.b` and ``c``.\n"
    assert as_markdown(docstring) == (
        "Say so.\n\n```pycon\n>>> f(1)\n2\n>>> g()\n```\n\nSee `a.b` and ``c``.\n"
    )
