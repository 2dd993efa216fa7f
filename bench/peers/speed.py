"""Latencies of all contestants, in turns: of the networks alone, and of a whole photograph.

A network's latency is comparable with what others print. A whole photograph's (resizing, the
network or the solver, and the way back to full size) is what a user waits for, and all that can
be said of a classical method. Both are taken by :func:`edgemat.bench.protocol.measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgemat.bench.peers.contestants import Contestant
from edgemat.bench.peers.pictures import Loaded
from edgemat.bench.protocol import Measurement, Protocol, measure
from edgemat.callbacks import Progress


def network_latencies(
    contestants: Mapping[str, Contestant], protocol: Protocol, *, progress: Progress | None = None
) -> dict[str, Measurement]:
    """Measure one run of each network on an input in place; classical methods are left out."""
    calls = {name: contestant.network() for name, contestant in contestants.items()}
    networks = {name: call for name, call in calls.items() if call is not None}
    return measure(networks, protocol, progress=progress) if networks else {}


def photo_protocol(runs: int) -> Protocol:
    """Return a short protocol, because closed-form matting takes seconds a run."""
    return Protocol(
        warmup_runs=1, warmup_seconds=0.0, runs=runs, seconds=0.0, blocks=2, settle_runs=0
    )


def photo_latencies(
    contestants: Mapping[str, Contestant],
    loaded: Loaded,
    *,
    runs: int,
    progress: Progress | None = None,
) -> dict[str, Measurement]:
    """Measure one photograph from pixels to matte; those that lack a trimap are left out."""
    calls: dict[str, Callable[[], object]] = {
        name: _on_photo(contestant, loaded)
        for name, contestant in contestants.items()
        if loaded.trimap is not None or not contestant.facts.takes_trimap
    }
    return measure(calls, photo_protocol(runs), progress=progress) if calls else {}


def _on_photo(contestant: Contestant, loaded: Loaded) -> Callable[[], object]:
    return lambda: contestant.predict(loaded.image, loaded.trimap)
