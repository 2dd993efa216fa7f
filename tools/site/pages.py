"""Pages of the site that lie outside of docs/, and links between all of them: a hook of MkDocs.

Links lead from file to file of the repository, so that pages can be read where they lie. Here they
become links from page to page.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
BORROWED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "android_demo/README.md": "android_demo.md",
    "ios_demo/README.md": "ios_demo.md",
    "android_demo/docs/previews.webp": "android_demo.webp",
    "ios_demo/docs/previews.webp": "ios_demo.webp",
}
"""File of the repository to its place in the site."""
COMMANDS = "reference/commands.md"
LINK = re.compile(r"(\]\()([^)#:\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies elsewhere, and the page of all commands."""
    for path, place in BORROWED.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, COMMANDS, content=commands()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between files of the repository be links between pages."""
    return relink(markdown, page.file.src_uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Let a notebook's links lead to pages: it is rendered by itself, and MkDocs leaves them."""
    if page.file.src_uri.endswith(".ipynb"):
        return re.sub(r'(href="\.\.?/[^":#]+)\.md(?=["#])', r"\1.html", output)
    return output


def relink(markdown: str, place: str) -> str:
    """Return a page's text with its links as they have to be at its place in the site.

    >>> relink("[how](docs/data.md#backgrounds)", "index.md")
    '[how](data.md#backgrounds)'
    >>> relink("[the app](../../ios_demo/README.md), [data](../data.md)", "tasks/ship.md")
    '[the app](../ios_demo.md), [data](../data.md)'
    """
    source = next((path for path, at in BORROWED.items() if at == place), f"docs/{place}")

    def lead(link: re.Match[str]) -> str:
        target = normpath(PurePosixPath(source).parent / link[2])
        there = BORROWED.get(target, target.removeprefix("docs/"))
        return link[1] + relpath(there, PurePosixPath(place).parent)

    return LINK.sub(lead, markdown)


def commands() -> str:
    """Return a page of all commands and their options, as Typer describes them."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "typer",
            "edgemat.cli.all_commands",
            "utils",
            "docs",
            "--name",
            "edgemat",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    listed = r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n"  # shortened, where each follows in full
    return re.sub(listed, "", done.stdout).replace("# `edgemat`\n", "# The command line\n", 1)
