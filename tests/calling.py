"""How tests call the command in their own process: see the fixture `call`."""

from __future__ import annotations

from collections.abc import Callable

Call = Callable[..., tuple[int, str, str]]
"""Takes the command's words; gives its exit status, and what it wrote to stdout and stderr."""
