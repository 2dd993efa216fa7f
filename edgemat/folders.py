"""The folders of what can be made or fetched again: a cache for each user, and what lies there."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of what can be made or fetched again: one for each user."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "edgemat"


def part_folder(name: str) -> Path:
    """Return the folder into which ``python -m tools.parts NAME`` unpacks Debian packages."""
    return cache_folder() / "parts" / name
