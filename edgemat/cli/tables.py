"""The results that the command line shows: one table or list of lines for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from edgemat.terminal import plain

if TYPE_CHECKING:
    from edgemat.artifacts.artifact import Artifact, Int8Proof, MattingErrors
    from edgemat.artifacts.vocabulary import Region
    from edgemat.bench.bias import GroupScore
    from edgemat.bench.flicker import Flicker
    from edgemat.bench.frontier import Candidate
    from edgemat.bench.opinions import Opinion
    from edgemat.bench.quality import BarResult
    from edgemat.bench.roofline import Roof
    from edgemat.convert.layer_parity import LayerTable
    from edgemat.data.layouts.check import CheckedSet
    from edgemat.doctor import AbilityCheck
    from edgemat.scoring.bounds import Verdict
    from edgemat.workflow.pipeline import RunResult
    from edgemat.workflow.stages.converting import Verified
    from edgemat.workflow.stages.sensitivity import Sensitivity


def show_run(out: Console, result: RunResult) -> None:
    """Say how a run ended, which gates failed, and where the report lies."""
    failed = result.failed
    if result.did_nothing:
        out.print("Nothing to do: every stage is up to date.")
    out.print(f"Gates: {len(result.gates) - len(failed)} of {len(result.gates)} passed.")
    for row in failed:
        verdict = row.verdict
        out.print(
            f"[red]failed[/red] {row.model} {row.file}: {verdict.name} = "
            f"{verdict.measured:.4g}, bound {verdict.bound} ({row.scope})",
            highlight=False,
        )
    show_path(out, result.report.resolve(), before="Report: ")


def show_path(out: Console, path: Path, *, before: str = "", after: str = "") -> None:
    """Print a path on one line, however long, so that it can be copied."""
    out.print(plain(f"{before}{path}{after}"), highlight=False, soft_wrap=True)


def show_savings(
    out: Console,
    before: Artifact,
    after: Artifact,
    *,
    packed: tuple[int, int],
    errors: MattingErrors,
) -> None:
    """Show what pruning saved, and what it cost.

    Parameters
    ----------
    packed:
        Bytes of the compressed weights, before and after.
    errors:
        Of `before`, in the unknown region of the pictures that `after` was scored on.
    """
    table = Table(title="Pruned")
    for column in ("", "before", "after", "change"):
        table.add_column(column, overflow="fold")
    figures = {
        "parameters": (before.manifest.cost.parameters, after.manifest.cost.parameters),
        "MACs, millions": tuple(a.manifest.cost.macs * 1e3 for a in (before, after)),
        "float16 weights, compressed, kB": tuple(size / 1e3 for size in packed),
    }
    for name, (old, new) in figures.items():
        table.add_row(name, f"{old:,.0f}", f"{new:,.0f}", f"{new / old - 1:+.1%}")
    now = after.manifest.scores["unknown"]
    for name, old, new in (("SAD", errors.sad, now.sad), ("Grad", errors.grad, now.grad)):
        change = f"{new / old - 1:+.1%}" if old else ""
        table.add_row(f"{name}, unknown region", f"{old:.3f}", f"{new:.3f}", change)
    out.print(table)
    pruning = after.manifest.pruning
    if pruning is not None and pruning.left_alone:
        out.print(f"Channels that meet these operators stay: {', '.join(pruning.left_alone)}.")
    if after.manifest.zeros is not None:
        out.print(
            f"{after.manifest.zeros:.0%} of the weights are 0: a smaller download, once it is "
            "compressed. The file and its latency stay as they are; for those channels must leave: "
            "leave out --unstructured."
        )


def show_models(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """List networks beside what the thesis prints of them; classical methods come last."""
    table = Table(title="Networks (operations at 224 x 224)")
    for column in ("name", "task", "thesis", "parameters", "printed", "operations", "printed"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["name"]),
            str(row["task"]),
            _source(row),
            "" if row["parameters"] is None else f"{row['parameters']:,}",
            _printed(row["thesis_parameters_millions"], "M"),
            _printed(row["operations_thesis_convention"], "G", digits=4),
            _printed(row["thesis_operations"], "G"),
        )
    out.print(table)


def _source(row: Mapping[str, Any]) -> str:
    if row["chapter"] is not None:
        return f"chapter {row['chapter']}, table {row['table']}"
    if row["parameters"] is None:
        return "of another package"
    return "edgemat's own" if row["parameters"] else "classical"


def _printed(figure: float | None, unit: str, digits: int = 2) -> str:
    return "" if figure is None else f"{figure:.{digits}f} {unit}"


def show_findings(out: Console, findings: Sequence[AbilityCheck]) -> None:
    """List what this machine can and cannot do."""
    table = Table()
    for column in ("", "ability", "found", "to get it"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        sign = "[green]yes[/green]" if finding.ok else "[yellow]no[/yellow]"
        table.add_row(sign, finding.ability, finding.detail, plain(finding.remedy))
    out.print(table)


def show_scores(out: Console, title: str, scores: Mapping[Region, MattingErrors]) -> None:
    """Show errors against the ground truth, a row for each region."""
    table = Table(title=plain(title))
    for column in ("region", "SAD, thousands", "MSE", "Grad, thousands", "Conn, thousands"):
        table.add_column(column, overflow="fold")
    for region, value in scores.items():
        table.add_row(region, *(f"{v:.4g}" for v in value.model_dump().values()))
    out.print(table)


def show_checked_set(out: Console, found: CheckedSet) -> None:
    """Show what a set of pictures has, a row for each part."""
    table = Table(title=plain(found.name))
    for column in ("part", "pictures", "complete"):
        table.add_column(column, overflow="fold")
    for part, count in found.counts.items():
        expected = found.expected.get(part)
        table.add_row(part, f"{count:,}", "" if expected is None else f"{expected:,}")
    out.print(table)
    if (sizes := found.sizes) is not None:
        out.print(
            f"Sides of {sizes.shortest:,} to {sizes.longest:,} px, in the middle "
            f"{sizes.median_width:,} x {sizes.median_height:,}."
        )
    if (alphas := found.alphas) is not None:
        out.print(
            f"Alpha: {alphas.opaque:.1%} opaque, {alphas.partial:.1%} partial, "
            f"{alphas.transparent:.1%} transparent."
        )


def show_verified(out: Console, title: str, verified: Verified) -> None:
    """Show how a file agrees with its reference in each runtime."""
    table = Table(title=plain(title))
    for column in ("runtime", "reference", "max abs", "mean abs", "PSNR, dB"):
        table.add_column(column, overflow="fold")
    for a in verified.agreements:
        table.add_row(
            a.runtime, a.reference, f"{a.max_abs:.3g}", f"{a.mean_abs:.3g}", f"{a.psnr_db:.1f}"
        )
    out.print(table)
    if verified.proof is not None:
        show_proof(out, verified.proof)
    if verified.float_costs:
        total = sum(cost.latency_ms for cost in verified.float_costs)
        each = ", ".join(
            f"{cost.operator} {cost.latency_ms:.2f} ({cost.count})" for cost in verified.float_costs
        )
        out.print(
            f"In float take, each measured alone on one thread here, {total:.2f} ms: {each}.",
            highlight=False,
        )


def show_proof(out: Console, proof: Int8Proof) -> None:
    """Say what is int8 in a file, and where its grids come from."""
    islands = ", ".join(proof.float_islands) or "none"
    out.print(
        f"{proof.int8_convolutions} of {proof.convolutions} convolutions are int8 x int8; "
        f"operators in float between: {plain(islands)}.",
        highlight=False,
    )
    found = f"{proof.scales_exact} of {proof.scales} grids lie at their own tensors, bit for bit"
    if proof.origins is not None:
        one = proof.origins
        found += (
            f": {one.nncf} as NNCF chose, {one.nature} fixed by nature, {one.rule} unified by rule"
        )
    out.print(f"{found}.", highlight=False)
    if proof.tensors is not None:
        out.print(
            f"{proof.tensors_equal} of {proof.tensors} tensors equal the frozen model's in every "
            "value, to the last bit.",
            highlight=False,
        )


def show_layers(out: Console, compared: LayerTable) -> None:
    """Show how far every tensor of an int8 file lies from the frozen model's."""
    table = Table(title=plain(f"{compared.runtime}: difference from the frozen model, LSB"))
    for column in ("layer", "values off", "median", "p99", "max"):
        table.add_column(column, overflow="fold")
    for row in compared.rows:
        figures = (f"{value:g}" for value in (row.median_lsb, row.p99_lsb, row.max_lsb))
        table.add_row(plain(row.layer), f"{row.share_off:.2%}", *figures)
    out.print(table)
    first = compared.first_above(1.0)
    said = "No layer's median" if first is None else f"{first.layer} is the first whose median"
    out.print(f"{said} difference exceeds 1 LSB.", highlight=False)
    if compared.unmatched:
        out.print(f"The file has no tensor for {compared.unmatched} more: two became one.")


def show_sensitivity(out: Console, found: Sensitivity) -> None:
    """Show what each block costs when it alone is int8, and what stays in float."""
    base = found.base
    table = Table(title=f"one block in int8; float has SAD {base.sad:.3f}, Grad {base.grad:.3f}")
    for column in ("block", "tensors", "SAD", "", "Grad", ""):
        table.add_column(column, overflow="fold")
    for row in found.blocks:
        sad, grad = row.added["sad"], row.added["grad"]
        figures = (f"{row.errors.sad:.3f}", f"{sad:+.2%}", f"{row.errors.grad:.3f}", f"{grad:+.2%}")
        table.add_row(plain(row.block), str(row.tensors), *figures)
    out.print(table)
    if found.kept is not None and found.artifact is not None:
        names = ", ".join(found.kept.names) or "nothing"
        errors = found.kept.errors
        out.print(
            f"In float: {plain(names)}. SAD {errors.sad:.3f}, Grad {errors.grad:.3f}.",
            highlight=False,
        )
        show_path(out, found.artifact.path)


def show_frontier(out: Console, found: Sequence[Candidate]) -> None:
    """Show error beside cost, the fastest first."""
    table = Table(title="error in the unknown region, pictures of 512 x 512")
    for column in ("file", "kind", "input", "MB", "p50, ms", "SAD", "Grad", "best for"):
        table.add_column(column, overflow="fold")
    for c in found:
        table.add_row(
            plain(c.name),
            c.kind,
            f"{c.size[0]}x{c.size[1]}",
            f"{c.megabytes:.2f}",
            f"{c.p50_ms:.2f}" + ("" if c.quiet else " (!)"),
            f"{c.sad:.3f}",
            f"{c.grad:.3f}",
            c.best_for,
        )
    out.print(table)


def show_opinions(out: Console, found: Sequence[Opinion]) -> None:
    """Show what each tool's file costs, and its errors."""
    table = Table(title="error in the unknown region, and latency, one run")
    columns = ("file", "SAD", "Grad", "p50, ms", "litert-benchmark, ms", "MB", "parts", "in float")
    for column in columns:
        table.add_column(column, overflow="fold")
    for o in found:
        inside = ", ".join(f"{count} {name}" for name, count in sorted(o.float_operators.items()))
        table.add_row(
            plain(o.name),
            "" if o.sad is None else f"{o.sad:.3f}",
            "" if o.grad is None else f"{o.grad:.3f}",
            f"{o.p50_ms:.2f}" + ("" if o.quiet else " (!)"),
            "" if o.litert_benchmark_ms is None else f"{o.litert_benchmark_ms:.2f}",
            f"{o.megabytes:.2f}",
            str(o.partitions),
            inside or ("nothing" if o.precision == "int8" else "all"),
        )
    out.print(table)


def show_agreements(out: Console, found: Sequence[Opinion]) -> None:
    """Show how far each tool's file lies from the float torch model."""
    images = found[0].agreement.images
    table = Table(title=f"distance from the float torch model, {images} pictures")
    for column in ("file", "max abs", "mean abs", "PSNR, dB", "max from litert-torch's", ""):
        table.add_column(column, overflow="fold")
    signs = {True: "[green]agrees[/green]", False: "[red]wrong[/red]", None: ""}
    for o in found:
        table.add_row(
            plain(o.name),
            f"{o.agreement.max_abs:.2g}",
            f"{o.agreement.mean_abs:.2g}",
            f"{o.agreement.psnr_db:.1f}",
            "" if o.from_ours is None else f"{o.from_ours.max_abs:.2g}",
            signs[o.agrees],
        )
    out.print(table)


def show_old_runs(out: Console, found: Sequence[Opinion]) -> None:
    """Show which files an old runtime takes, and how far its mattes lie from today's."""
    table = Table(title="tflite-runtime 2.14 (2023), and max, mean abs from today's LiteRT")
    for column in ("file", "runs", "default kernels", "reference kernels"):
        table.add_column(column, overflow="fold")
    for o in found:
        if o.old is None:
            continue
        figures = [f"{d.max_abs:.2g}, {d.mean_abs:.2g}" for d in o.old.distances.values()]
        refused = o.old.refused
        sign = "[green]yes[/green]" if refused is None else f"[red]no[/red]: {plain(refused)}"
        table.add_row(plain(o.name), sign, *figures)
    if table.row_count:
        out.print(table)


def show_roofline(out: Console, rows: Sequence[Roof]) -> None:
    """Show what each file reaches of the machine's peak, and int8 against float32."""
    table = Table(title="multiply-accumulates a second, one run")
    for column in ("file", "p50, ms", "faster", "G MACs", "G/s", "of peak", "parts", "outside"):
        table.add_column(column, overflow="fold")
    slowest = {row.name: max(r.p50_ms for r in rows if r.name == row.name) for row in rows}
    for row in rows:
        outside = [f"{count} {name}" for name, count in sorted(row.outside.items())]
        outside += [f"{row.transposes} TRANSPOSE in all"] if row.transposes else []
        table.add_row(
            plain(f"{row.name} {row.target.removeprefix('tflite-')}"),
            f"{row.p50_ms:.2f}" + ("" if row.verdict == "valid" else " (!)"),
            f"{slowest[row.name] / row.p50_ms:.2f}x",
            f"{row.macs:.2f}",
            f"{row.gmacs_per_second:.0f}",
            f"{row.gmacs_per_second / row.peak:.0%}",
            str(row.partitions),
            ", ".join(outside) or "none",
        )
    out.print(table)
    if any(row.verdict != "valid" for row in rows):
        out.print("(!) The machine was not quiet.")


def show_verdicts(out: Console, verdicts: Sequence[Verdict]) -> None:
    """Show a line for each bound of a gate."""
    for verdict in verdicts:
        change = "" if verdict.change is None else f" ({verdict.change:+.1%})"
        sign = "[green]passed[/green]" if verdict.passed else "[red]failed[/red]"
        out.print(f"{sign} {verdict.name} = {verdict.measured:.4g}{change}, bound {verdict.bound}")


def show_quality(out: Console, rows: Sequence[BarResult]) -> None:
    """Print quality bars: what was asked, what the float model and the int8 file reached."""
    table = Table(title="Quality, through edgemat.matting.matte.matte")
    for column in ("model", "photographs", "figure", "float", "int8", "bar", ""):
        table.add_column(column, overflow="fold")
    for row in rows:
        bar = row.bar
        figures = [f"{row.figures[file]:.4g}" for file in ("float", "int8")] if row.figures else []
        if not row.figures:
            said = "[yellow]not here[/yellow]"
        elif row.verdict is None:
            said = ""
        else:
            said = "[green]met[/green]" if row.verdict.passed else "[red]missed[/red]"
        photos = f"{plain(bar.set)} ({row.photos})" if row.photos else plain(bar.set)
        cells = (*(figures or ["", ""]), plain(bar.bound or ""), said)
        table.add_row(bar.model, photos, bar.figure, *cells)
    out.print(table)


def show_bias(out: Console, groups: Sequence[GroupScore]) -> None:
    """Print the errors of groups of rendered people."""
    table = Table(title="Rendered people, each over the same backgrounds")
    for column in ("", "group", "people", "IoU", "MAD", "MAD at the edge"):
        table.add_column(column, overflow="fold")
    for one in groups:
        cells = (f"{one.iou:.4f}", f"{one.mad:.4f}", f"{one.mad_band:.4f}")
        table.add_row(one.topic, one.group, str(one.people), *cells)
    out.print(table)


def show_flicker(out: Console, found: Sequence[Flicker]) -> None:
    """Print how steady the mattes of some files are."""
    table = Table(title=f"dtSSD x 100 of {found[0].frames} frames: 0 changes as the truth does")
    for column in ("file", "smoothing", "dtSSD", "MAD"):
        table.add_column(column, overflow="fold")
    for one in found:
        mad = "" if one.mad is None else f"{one.mad:.4f}"
        table.add_row(plain(one.file), f"{one.smoothing:g}", f"{one.dtssd:.3f}", mad)
    out.print(table)
