"""Progress bars on everything that takes over two seconds; on stderr, away from --json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from edgemat.terminal import err

T = TypeVar("T")


@contextmanager
def progress_bar(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar, or a spinner where `total` is unknown; yields a function that sets how many."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    hidden = not err.is_terminal  # in a log file, bars are noise
    with Progress(*columns, console=err, transient=True, disable=hidden) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def share_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar; yields a function of how much is done and how much there is in all."""
    with progress_bar(title, 1000) as show:
        yield lambda done, total: show(1000 * done // total)


def track(items: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Yield `items` behind a progress bar."""
    with progress_bar(title, total) as show:
        for done, item in enumerate(items, start=1):
            yield item
            show(done)
