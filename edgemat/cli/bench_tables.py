"""Tables of latencies, of devices and of peers, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from edgemat.terminal import plain

if TYPE_CHECKING:
    from edgemat.bench.compare import Change
    from edgemat.bench.devices.transport import Attached
    from edgemat.bench.peers.table import TextTable
    from edgemat.bench.result import Result


def show_latencies(out: Console, results: Mapping[int, Result]) -> None:
    """Show numbered results, a table for each set of circumstances; emulated ones without times."""
    places: dict[tuple[object, ...], dict[int, Result]] = {}
    for number, result in results.items():
        where = result.circumstances
        key = (where.device_kind, where.transport, where.device, where.soc, where.os, where.runtime)
        places.setdefault(key, {})[number] = result
    for place in places.values():
        _show_place(out, place)


def _show_place(out: Console, results: Mapping[int, Result]) -> None:
    """Show what was measured in one place: the place, a table, and what must be known of it."""
    where = next(iter(results.values())).circumstances
    emulated = where.device_kind == "emulated"
    virtual = ", virtual" if where.virtualised else ""
    out.print(plain(f"{where.device}: {where.soc}, {where.cores} cores{virtual}"), style="bold")
    out.print(plain(f"{where.os}, {where.abi}; {where.runtime}"))
    if emulated:
        out.print("Emulated: instructions are counted, and times mean nothing.")
    table = Table()
    times = ("instructions",) if emulated else ("p50, ms", "p90, ms", "p99, ms")
    for column in ("", "file", "threads", *times, "runs", "delegate", ""):
        table.add_column(column, overflow="fold")
    for number, r in results.items():
        latency, valid = r.latency, r.verdict == "valid"
        shown = [f"{value:.2f}" for value in (latency.p50_ms, latency.p90_ms, latency.p99_ms)]
        if not valid:
            shown = [""] * len(times)
        if emulated:
            shown = ["not counted" if r.instructions is None else f"{r.instructions:,}"]
        table.add_row(
            str(number),
            plain(r.name),
            str(r.threads),
            *shown,
            str(len(r.samples_ms)),
            plain(r.delegate.used),
            "valid" if valid else "[red]invalid[/red]",
        )
    out.print(table)
    for number, r in results.items():
        for note in _notes(r):
            out.print(plain(f"{number}: {note}"))


def _notes(result: Result) -> list[str]:
    notes = [] if result.verdict == "valid" else [f"invalid: {result.reason}."]
    delegate, golden = result.delegate, result.golden
    if delegate.operators is not None and delegate.delegated != delegate.operators:
        notes.append(
            f"{delegate.delegated} of {delegate.operators} operators in {delegate.used}, "
            f"partitions: {delegate.partitions}."
        )
    if golden is None:
        notes.append("the matte was not checked.")
    if result.sustained is not None:
        curve = result.sustained
        notes.append(
            f"sustained for {curve.seconds:.0f} s: p50 {curve.p50_ms[0]:.2f} ms at first, "
            f"{curve.p50_ms[-1]:.2f} ms at last ({curve.change:+.1%})."
        )
    return notes


def show_changes(out: Console, changes: Sequence[Change]) -> None:
    """Show how latencies changed, with intervals of 95 % confidence."""
    table = Table(title="Change, with its 95 % confidence interval")
    for column in ("", "file", "threads", "figure", "before", "after", "change", "interval"):
        table.add_column(column, overflow="fold")
    for number, c in enumerate(changes, start=1):
        form = "{:,.0f}" if c.figure == "instructions" else "{:.2f} ms"
        table.add_row(
            str(number),
            plain(c.name),
            str(c.threads),
            c.figure,
            form.format(c.before),
            form.format(c.after),
            f"{c.change:+.1%}",
            f"{c.low:+.1%} to {c.high:+.1%}",
        )
    out.print(table)
    for number, c in enumerate(changes, start=1):
        if not c.certain and c.change:
            out.print(f"{number}: may be nothing: the interval holds 0.")
        for note in c.notes:
            out.print(plain(f"{number}: {note}."))


def show_devices(out: Console, found: Sequence[Attached]) -> None:
    """Show what can be measured on, and what is missing."""
    table = Table(title="Devices")
    for column in ("--device", "", "remedy"):
        table.add_column(column, overflow="fold")
    for one in found:
        sign = "[green]ready[/green]" if one.ready else "[yellow]not ready[/yellow]"
        table.add_row(plain(one.spec), f"{sign} {plain(one.state)}", plain(one.remedy))
    out.print(table)


def show_text_tables(out: Console, tables: Sequence[TextTable]) -> None:
    """Print tables whose cells are text already, with their notes."""
    for table in tables:
        shown = Table(title=plain(table.title))
        for number, column in enumerate(table.columns):
            side: Literal["left", "right"] = "right" if number else "left"
            shown.add_column(column, justify=side, overflow="fold")
        for row in table.rows:
            shown.add_row(*(plain(cell) for cell in row))
        out.print(shown)
        for note in table.notes:
            out.print(plain(f"  {note}"), highlight=False, soft_wrap=True)
