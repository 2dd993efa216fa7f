"""Every command on every page is one that edgemat knows, with options that it has.

Most are run as well: see tests/test_task_pages.py.
"""

from __future__ import annotations

import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
from page_commands import PAGES, ROOT, Written, commands_of, mentions_of, text_of

from edgemat.cli import app
from edgemat.recipe.load import read_recipe

COMMAND = typer.main.get_command(app)
WRITTEN = [command for page in PAGES for command in commands_of(page)]


def find(words: tuple[str, ...]) -> tuple[typer.core.TyperCommand, list[str]]:
    """Return the command that words name, and what they give it."""
    command, rest = COMMAND, list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"there is no edgemat {name}"
        command = command.commands[name]
    return command, rest


def parse(words: tuple[str, ...]) -> dict[str, object]:
    """Return the values of a command's parameters, or fail as the command line does."""
    command, rest = find(words)
    return command.make_context("edgemat", rest).params


def options(command: typer.core.TyperCommand) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {
        "--help"
    }


@pytest.mark.parametrize("written", WRITTEN, ids=lambda one: f"{one.page}: {one.line}")
def test_a_command_on_a_page_parses(written: Written) -> None:
    parse(written.words)
    changes = [after for before, after in pairwise(written.words) if before == "--set"]
    for word in written.words:
        if word.startswith("recipes/"):
            assert (ROOT / word).is_file(), word
            if written.words[0] in ("run", "train"):
                read_recipe(ROOT / word, changes)


@pytest.mark.parametrize("page", PAGES)
def test_what_sentences_say_of_the_command_is_there(page: str) -> None:
    for words in mentions_of(page):
        command, rest = find(tuple(word for word in words if not word.isupper()))
        unknown = {word.partition("=")[0] for word in rest if word.startswith("-")} - options(
            command
        )
        assert not unknown - {"-"}, " ".join(words)


@pytest.mark.parametrize("page", PAGES)
def test_what_else_a_page_has_typed_is_there(page: str) -> None:
    text, makefile = text_of(page), (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^    |&& )make ([a-z][\w-]+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    for module in re.findall(r"python -m ((?:tools|edgemat)(?:\.\w+)*)", text):
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize(
    "words", ["cut photo.jpg", "matte photo.jpg --colour red", "data softly a b", "prune"]
)
def test_a_command_that_nobody_knows_is_noticed(words: str) -> None:
    with pytest.raises((Exception, SystemExit, AssertionError)):
        parse(tuple(words.split()))


def test_commands_are_found_as_they_are_typed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Text.\n\n    make x && edgemat bench a --strict   # it's here\n"
        "    edgemat matte - < photo.jpg > cutout.png\n    no edgemat here\n\n"
        '```sh\nedgemat matte "a b" \\\n    -o c\n```\n\n```toml\nedgemat = 1\n```\n'
    )
    found = commands_of(str(page))
    assert [one.words for one in found] == [
        ("bench", "a", "--strict"),
        ("matte", "-"),
        ("matte", "a b", "-o", "c"),
    ]
    assert [one.piped for one in found] == [False, True, False]
