"""Write the hashes of a list's packages into it: `python -m tools.lock requirements.txt ...`.

Each line pins a version. Below it come the SHA-256 of that version's files on PyPI, as PyPI tells
them; pip then installs none but those.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import typer
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from edgemat.errors import MissingToolError, UsageError
from edgemat.files import write_text
from edgemat.terminal import run_app

INDEX = "https://pypi.org/simple"
PYTHONS = ("3.11", "3.12", "3.13")
TIMEOUT_S = 60

FilesOf = Callable[[str], list[dict[str, Any]]]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    lists: Annotated[list[Path], typer.Argument(help="Files of requirements, each NAME==VERSION.")],
) -> None:
    """Write the hashes of all packages of some lists into them."""
    for path in lists:
        write_text(path, lock(path.read_text(encoding="utf-8"), fetch_files))
        print(path)


def lock(text: str, files_of: FilesOf) -> str:
    """Return a list of requirements with the hashes of all files that may be installed for it.

    Parameters
    ----------
    text:
        Of the list; hashes that it has are replaced.
    files_of:
        Returns the index' files of a package, by its name: dictionaries with filename and hashes.

    Raises
    ------
    UsageError
        For a requirement that pins no version, or that the index has no file of.
    """
    return "".join(_lock_line(line, files_of) for line in split_lines(text))


def split_lines(text: str) -> list[str]:
    """Return the lines of a list, each requirement on one, without its hashes."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [re.sub(r"\s*--hash=\S+", "", line).rstrip() for line in joined.splitlines()]


def _lock_line(line: str, files_of: FilesOf) -> str:
    if not line or line.startswith("#"):
        return f"{line}\n"
    requirement = Requirement(line)
    (pin, *others) = requirement.specifier or [None]
    if pin is None or others or pin.operator != "==":
        raise UsageError(f"{line} pins no version.", remedy="Write NAME==VERSION.")
    hashes = choose(files_of(requirement.name), pin.version)
    if not hashes:
        raise UsageError(f"PyPI has no file of {line}.", remedy="Look at the name and the version.")
    return " \\\n    ".join([line, *(f"--hash=sha256:{one}" for one in hashes)]) + "\n"


def choose(files: Iterable[Mapping[str, Any]], version: str) -> list[str]:
    """Return the hashes of a version's files for our Pythons: its wheels, or its source."""
    wheels, sources = set[str](), set[str]()
    for file in files:
        name, sha256 = file["filename"], file["hashes"]["sha256"]
        if name.endswith(".whl"):
            try:
                _, found, _, tags = parse_wheel_filename(name)
            except InvalidWheelFilename:
                continue  # of long ago
            if str(found) == version and any(map(_is_for_us, tags)):
                wheels.add(sha256)
        elif name.endswith((".tar.gz", ".zip")):
            try:
                found = parse_sdist_filename(name)[1]
            except ValueError:
                continue
            if str(found) == version:
                sources.add(sha256)
    return sorted(wheels or sources)


def _is_for_us(tag: Tag) -> bool:
    python = re.fullmatch(r"(py|cp)(\d)(\d*)", tag.interpreter)
    if python is None or python[2] != "3":
        return False
    minor = int(python[3] or 0)
    ours = [int(one.split(".")[1]) for one in PYTHONS]
    if tag.abi in ("none", "abi3"):
        return minor <= max(ours)
    return minor in ours and not tag.abi.endswith("t")  # not the builds without the lock


def fetch_files(name: str) -> list[dict[str, Any]]:
    """Return what PyPI says of a package's files.

    Raises
    ------
    MissingToolError
        When PyPI does not answer.
    """
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    plain = re.sub(r"[-_.]+", "-", name).lower()
    try:
        with urlopen(Request(f"{INDEX}/{plain}/", headers=accept), timeout=TIMEOUT_S) as answer:
            files: list[dict[str, Any]] = json.load(answer)["files"]
            return files
    except (URLError, TimeoutError) as error:
        raise MissingToolError(
            f"PyPI does not tell of {name}: {error}.", remedy="Try again with a connection."
        ) from error


if __name__ == "__main__":
    sys.exit(run_app(app))
