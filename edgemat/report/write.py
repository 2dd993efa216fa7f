"""The report of one run: a single HTML file that needs neither network nor JavaScript.

The pipeline fills a :class:`ReportData` and hands it to :func:`write_report`. What is derived
from it (changes against the float model, pictures, plots, lineage) is worked out in
``view``, drawn in ``plots`` and laid out by ``templates/report.html.j2``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgemat.bench.frontier import Frontier
from edgemat.bench.result import Result
from edgemat.errors import MissingToolError
from edgemat.files import write_text
from edgemat.report.data import ReportData
from edgemat.report.figures import anchor, change, known, megabytes, moment, number, signs

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "report.html.j2"
BENCH_TEMPLATE = "bench.html.j2"


def write_report(data: ReportData, path: Path) -> None:
    """Write the report to `path` in one step; everything that it shows is inside the file.

    Raises
    ------
    MissingToolError
        jinja2 or matplotlib is not installed.
    ImageError
        A matte differs in size from its sample, or an array is no image.
    DiskError
        The disk is full or the folder may not be written.
    """
    with _parts_of_the_report():
        from edgemat.report.view import build_view

        _render(path, TEMPLATE, data=data, view=build_view(data))


def write_bench_report(
    benches: Sequence[Result],
    path: Path,
    *,
    created: str,
    frontier: Frontier | None = None,
) -> None:
    """Write a page of latencies, of devices anywhere, and of a frontier.

    Raises
    ------
    MissingToolError, DiskError
        As :func:`write_report`.
    """
    with _parts_of_the_report():
        from edgemat.report.view import build_latency_view

        view = build_latency_view(benches) if benches else None
        _render(path, BENCH_TEMPLATE, created=created, view=view, frontier=frontier)


@contextmanager
def _parts_of_the_report() -> Iterator[None]:
    """Say how to install what a page needs where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"The report needs {error.name}, which is not installed.",
            remedy='Install it with: pip install "edgemat[report]"',
        ) from error


def _render(path: Path, template: str, **values: object) -> None:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "change": change,
        "megabytes": megabytes,
        "known": known,
        "signs": signs,
        "moment": moment,
    }
    environment.globals["anchor"] = anchor
    write_text(path, environment.get_template(template).render(values))
