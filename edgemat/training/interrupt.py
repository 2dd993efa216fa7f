"""Ctrl-C between two steps of a long loop, instead of anywhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the function that is given is called; a second one cuts in.

    Anywhere else it may be lost in a destructor, or leave a lock that another thread waits for.

    Raises
    ------
    KeyboardInterrupt
        By the function, or at the end, when Ctrl-C was pressed.
    """
    if threading.current_thread() is not threading.main_thread():  # no other one hears signals
        yield lambda: None
        return
    pressed = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def heed() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield heed
    finally:
        signal.signal(signal.SIGINT, before)
    heed()


def ignore_interrupts(_: int) -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the one that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
