"""Ctrl-C is heeded between two steps, and never lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from edgemat.training.interrupt import interrupts_held_back


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    """A job in a script's background starts with Ctrl-C ignored, also where the job is pytest."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_it_waits_for_the_end_of_a_step() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_held_back() as heed:
        for step in range(5):
            heed()
            if step == 2:
                press()
            done.append(step)
    assert done == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_after_the_last_step_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_held_back():
        press()  # nobody asks any more


def test_the_second_cuts_in() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupts_held_back():
        press()
        press()
        reached = True
    assert not reached


def test_an_error_of_the_loop_stays_that_error() -> None:
    with pytest.raises(ValueError), interrupts_held_back():
        raise ValueError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_hear_nothing_and_change_nothing() -> None:
    seen: list[object] = []

    def work() -> None:
        with interrupts_held_back() as heed:
            heed()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
