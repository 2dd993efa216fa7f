"""The commands that pages tell a reader to type: found, split into words, and parsed.

A page is a Markdown file of the site, or a script beside it. Commands stand in code that is
indented or fenced; what is named in a sentence (`edgemat bench`) is a mention, which may leave out
what a command needs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
APPS = ("android_demo/README.md", "ios_demo/README.md")
PAGES = [
    *(*OUTSIDE, *APPS, "docs/ci/gate.sh"),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"^    (.*\S.*)$", re.M)
OURS = ("edgemat", ".venv/bin/edgemat")
BETWEEN, TAKEN = ("&&", "||"), ("<", ">", "|")
"""What stands between two commands, and what a shell takes for itself from there on."""


@dataclass(frozen=True)
class Written:
    """One command of edgemat's: its page, its line, and its words behind ``edgemat``.

    The words end where the shell takes over; ``piped`` says that it does.
    """

    page: str
    line: str
    words: tuple[str, ...]
    piped: bool


def text_of(page: str) -> str:
    """Return a page's text; a script's with the command for its variable, less optional words."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".sh"):
        text = re.sub(r"\$\{\w+:\+.*?\}", "", text.replace("$edgemat", "edgemat"))
        text = "".join(f"    {line.strip()}\n" for line in text.splitlines())
    return text


def code_of(text: str) -> list[str]:
    """Return the lines of code that a text shows a reader, continued ones as one."""
    shell = [body for language, body in FENCE.findall(text) if language in ("", "sh")]
    lines = "\n".join([*INDENTED.findall(FENCE.sub("", text)), *shell])
    return [line.strip() for line in re.sub(r"\s*\\\n\s*", " ", lines).splitlines()]


def commands_of(page: str) -> list[Written]:
    """Return the commands of a page, in their order."""
    return [one for line in code_of(text_of(page)) for one in _split(page, line)]


def _split(page: str, line: str) -> Iterator[Written]:
    if not any(name in line.split() for name in OURS):
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars="<>|&")
    lexer.whitespace_split = True
    for between, words in groupby(lexer, key=lambda word: word in BETWEEN):
        name, *rest = words
        if not between and name in OURS:
            taken = next((at for at, word in enumerate(rest) if word in TAKEN), None)
            yield Written(
                page, line.partition(" #")[0].rstrip(), (*rest[:taken],), taken is not None
            )


def mentions_of(page: str) -> list[list[str]]:
    """Return what sentences of a page say of edgemat's command: the words behind it."""
    prose = INDENTED.sub("", FENCE.sub("", text_of(page)))
    spans = re.findall(r"`edgemat\s([^`]+)`", prose)
    return [span.replace("...", "").split() for span in spans]
