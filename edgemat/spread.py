"""Many items done at once: by processes of this machine, or by workers of a Ray cluster.

Work must be picklable: each worker opens it once, with the models that it holds. A cluster's
machines see the files at the same paths, by a shared disk, and have edgemat.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import pickle
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from edgemat.doctor import explain_missing
from edgemat.errors import EdgematError, ImageError, MissingToolError, UsageError

T = TypeVar("T")
R = TypeVar("R")

LOCAL, AUTO = "local", "auto"
RETRIES = 3
"""Of an item whose worker dies; a further death is laid to the item."""
PATIENCE_S = 5.0
REMEDIES = {
    LOCAL: "Try again when the machine is less busy, or with fewer at once.",
    AUTO: f"Start one with: ray start --head; or let --ray {LOCAL} do it.",
}
ELSEWHERE = "It must be a cluster of this version; RAY_AUTH_MODE=token sends your token."
"""What helps when a cluster cannot be joined."""
STORE_BYTES = 200 << 20
"""Shared memory of a local Ray: what goes through it are names and figures."""


def spread(
    work: Callable[[T], R], items: Sequence[T], *, workers: int = 1, ray: str | None = None
) -> Generator[tuple[int, R | None]]:
    """Do all items, and yield each one's number once with what came of it, as they end.

    An item whose worker dies is done again by another, so that `work` must be able to repeat it.
    Who may stop before the end closes the generator: processes or a cluster's session end with it.

    Parameters
    ----------
    workers:
        Processes, or the cluster's workers, each with a CPU.
    ray:
        A cluster: "local" starts one that ends with the work, "auto" is the one that runs on this
        machine, HOST:PORT any other. None keeps to processes.

    Returns
    -------
    generator
        Of numbers and results; None for an item that has ended its worker again and again.

    Raises
    ------
    UsageError
        For no address.
    MissingToolError
        Without Ray, or a cluster that answers.
    EdgematError
        As `work` raises it: it ends all. Or a process died.
    """
    if ray is not None and items:  # here, not when the first result is asked for
        check_address(ray)
        rows = [{"number": n, "item": pickle.dumps(item)} for n, item in enumerate(items)]
        return _on_ray(pickle.dumps(work), rows, workers, ray, _import_ray(ray))
    if workers == 1 or not items:
        return _one_by_one(work, items)
    return _in_processes(pickle.dumps(work), items, workers)


def lost(name: str) -> ImageError:
    """Return the error of an item that :func:`spread` gave up."""
    return ImageError(
        f"{name} has ended its worker {RETRIES + 1} times.",
        remedy="It may be damaged, or too large for the memory: leave it out.",
    )


def check_address(address: str) -> None:
    """Raise unless a cluster may answer there: Ray itself would take half a minute to say so.

    Raises
    ------
    UsageError
        It is no address.
    MissingToolError
        Nothing answers.
    """
    if address in (LOCAL, AUTO):
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(
            f"{address!r} is no Ray cluster's address.",
            remedy=f"Write --ray {LOCAL}, --ray {AUTO} or --ray HOST:PORT.",
        )
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE_S).close()
    except OSError as error:
        raise MissingToolError(
            f"No Ray cluster answers at {address}.",
            remedy=f"Start one with: ray start --head; or let --ray {LOCAL} do it.",
        ) from error


# ---- processes -------------------------------------------------------------------------------

_work: bytes  # of this process, where a pool has started it


def _one_by_one(work: Callable[[T], R], items: Sequence[T]) -> Generator[tuple[int, R]]:
    yield from enumerate(map(work, items))


def _in_processes(work: bytes, items: Sequence[Any], workers: int) -> Generator[tuple[int, Any]]:
    # not forked: torch and LiteRT have threads of their own by now
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _keep, (work,))
    try:
        numbers = {pool.submit(_do, item): number for number, item in enumerate(items)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
    except BrokenProcessPool as error:
        raise EdgematError(
            "A process died, perhaps for want of memory.", remedy="Run fewer at once."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _keep(work: bytes) -> None:
    """Begin a process of a pool: what fails in opening the work fails where it is told."""
    global _work
    _work = work


@functools.cache
def _opened() -> Callable[[Any], Any]:
    opened: Callable[[Any], Any] = pickle.loads(_work)
    return opened


def _do(item: Any) -> Any:
    return _opened()(item)


# ---- Ray -------------------------------------------------------------------------------------


def _on_ray(
    work: bytes, rows: list[dict[str, Any]], workers: int, address: str, ray: Any
) -> Generator[tuple[int, Any]]:
    given = {"folder": os.getcwd(), "pickled": work}
    with _connected(ray, address, workers):
        data = ray.data
        context = data.DataContext.get_current().copy()
        context.enable_progress_bars = context.print_on_execution_start = False
        context.max_errored_blocks = -1  # one that kills its workers does not stop the rest
        with data.DataContext.current(context), warnings.catch_warnings():
            # "use the named parameters": there is none of this name as yet
            warnings.filterwarnings("ignore", message=".*ray_remote_args")
            done = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                _Worker,
                fn_constructor_kwargs=given,
                batch_size=1,
                # one at a time: what waits behind a deadly item would die with it
                compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
                num_cpus=1,
                max_task_retries=RETRIES,
            )
        waiting = set(range(len(rows)))
        try:
            for row in _quietly(done.iter_rows()):
                made = pickle.loads(row["made"])
                if isinstance(made, Exception):
                    raise made
                if row["number"] in waiting:
                    waiting.remove(row["number"])
                    yield row["number"], made
        except ray.exceptions.RayError as error:
            raise MissingToolError(
                f"The Ray cluster gave up: {_lines(error)[-1]}",
                remedy='Its machines need edgemat, too: pip install "edgemat[ray]"',
            ) from error
    for number in sorted(waiting):
        yield number, None


def _quietly(rows: Iterator[Any]) -> Iterator[Any]:
    """Hand rows on, while Ray's own words on dead workers go to standard error, not output."""
    rows = iter(rows)
    while True:
        with contextlib.redirect_stdout(sys.stderr):
            row = next(rows, None)
        if row is None:
            return
        yield row


class _Worker:
    """Does items on a cluster's machine; raised errors are handed back as results."""

    def __init__(self, folder: str, pickled: bytes) -> None:
        self._folder, self._pickled = folder, pickled
        self._work: Callable[[Any], Any] | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Do the one item of a batch."""
        (item,) = batch["item"]
        try:
            if self._work is None:
                os.chdir(self._folder)  # relative names mean what they meant to who asked
                self._work = pickle.loads(self._pickled)
            made = _sent(self._work(pickle.loads(item)))
        except Exception as error:
            # as a pool of processes does: it is raised where the result is asked for
            error.add_note(traceback.format_exc())
            try:
                made = _sent(error)
            except Exception:  # what cannot be sent is told in words
                told = f"{type(error).__name__}: {error}"
                made = pickle.dumps(EdgematError(told, remedy="This is a fault of edgemat's."))
        return {"number": batch["number"], "made": [made]}


def _sent(made: Any) -> bytes:
    """Pickle what can be read again."""
    pickled = pickle.dumps(made)
    pickle.loads(pickled)
    return pickled


def _import_ray(address: str) -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before the import: nothing is sent home
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it calls its own doings errors
    if address == LOCAL:  # its ports on the loopback alone; the name is of the other systems
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise explain_missing(error) from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # its errors are told as edgemat's
    return ray


@contextlib.contextmanager
def _connected(ray: Any, address: str, workers: int) -> Iterator[None]:
    """Connect; a session that its user has opened is taken, and stays."""
    if ray.is_initialized():
        yield
        return
    own = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            ray.init(
                address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(own if address == LOCAL else {}),
            )
    except Exception as error:  # Ray raises all kinds, bare ones too
        ray.shutdown()
        verb = "start here" if address == LOCAL else f"join {address}"
        raise MissingToolError(
            f"Ray cannot {verb}: {_lines(error)[0]}", remedy=REMEDIES.get(address, ELSEWHERE)
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _lines(error: Exception) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]
