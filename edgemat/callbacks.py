"""What long work calls on its way, so that somebody is told how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""
Count = Callable[[int], None]
"""Called with how many are done, where somebody else knows of how many."""
