"""The SPDX name of a package's licence, where what it says of itself makes that certain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

NAMES = {
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "ISC License": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
}
"""Words of packages to what they stand for beyond doubt."""
BSD, APACHE = ("BSD License", "BSD"), ("Apache Software License",)
"""Words for several licences: which of them it is, only its text says."""

# Beyond it a file goes on with the licences of what is bundled.
_FIRST_CHARACTERS = 2500
_IS_FILE = re.compile(r"(LICEN[CS]E|COPYING)[^/]*$", re.IGNORECASE)
_IS_BSD = re.compile(r"Redistribution and use in source and binary forms")
_HAS_THIRD_CLAUSE = re.compile(r"used\s+to\s+endorse\s+or\s+promote")
_HAS_FOURTH_CLAUSE = re.compile(r"advertising\s+materials")
_IS_APACHE_2 = re.compile(r"Apache License,?\s+Version 2\.0")


def spdx_of(name: str, package: metadata.Distribution) -> str:
    """Return a licence's SPDX name, or the name that the package gives it where none is certain.

    Parameters
    ----------
    name:
        What the package calls its licence.
    """
    if name in BSD:
        return _by_text(package, _bsd) or name
    if name in APACHE:
        return _by_text(package, _apache) or name
    return NAMES.get(name, name)


def _by_text(package: metadata.Distribution, read: Callable[[str], str | None]) -> str | None:
    """Return what the first text says that says anything."""
    told = (read(text[:_FIRST_CHARACTERS]) for text in _texts(package))
    return next((name for name in told if name is not None), None)


def _texts(package: metadata.Distribution) -> Iterator[str]:
    yield str(package.metadata.json.get("license", ""))
    for file in package.files or []:
        path = Path(str(file.locate()))
        if ".dist-info" in str(file) and _IS_FILE.search(str(file)) and path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace")


def _bsd(text: str) -> str | None:
    words = " ".join(text.split())
    if not _IS_BSD.search(words) or _HAS_FOURTH_CLAUSE.search(words):
        return None
    return "BSD-3-Clause" if _HAS_THIRD_CLAUSE.search(words) else "BSD-2-Clause"


def _apache(text: str) -> str | None:
    return "Apache-2.0" if _IS_APACHE_2.search(" ".join(text.split())) else None
