"""The categories of a set's pictures, such as AIM-500's three types: a table beside the pictures.

Published sets say it in a paper, in a list or not at all; here each folder, however it is laid out,
may have a categories.csv with lines of NAME,CATEGORY.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from edgemat.errors import UsageError

CATEGORIES_FILE = "categories.csv"


def read_categories(folder: Path, names: Collection[str]) -> dict[str, str]:
    """Return name to category for all `names`; empty where the folder has no categories.csv.

    Raises
    ------
    UsageError
        When it cannot be read, has another line than NAME,CATEGORY, names a picture twice, or
        leaves one of `names` out. It may name more: those that are not judged.
    """
    file = folder / CATEGORIES_FILE
    if not file.is_file():
        return {}
    remedy = "A line of it is NAME,CATEGORY: a matte's name without the suffix, and its category."
    found: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines), start=1):
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if len(cells) != 2 or not all(cells):
                    raise UsageError(f"Line {number} of {file} is no NAME,CATEGORY.", remedy=remedy)
                name, category = cells
                if name in found:
                    raise UsageError(f"{file} names {name} twice.", remedy="Leave one line out.")
                found[name] = category
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read: {error}.", remedy=remedy) from error
    absent = sorted(set(names) - set(found))
    if absent:
        raise UsageError(f"{file} has no category for {absent[0]}.", remedy=remedy)
    return {name: found[name] for name in names}
