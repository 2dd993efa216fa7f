"""The thesis' tables beside edgemat's: `python -m tools.thesis docs/thesis.md`.

The tables' complexity columns are compared, which need no data set: parameters, and operations at
224x224 in the thesis' convention (2**30). A figure agrees when edgemat's, rounded as printed, is
the same; where it is not, the row says what the difference is known to be.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from torch import nn

from edgemat.files import write_text
from edgemat.models import model_info
from edgemat.models.blocks.a2u import A2U, FORMS
from edgemat.models.blocks.index import IndexBlock
from edgemat.models.blocks.sampling import VARIANTS
from edgemat.models.count import count, count_parameters, on_paper
from edgemat.terminal import run_app
from tools.thesis_tables import (
    AFFINITY_FORMULAS,
    FAMILY_NAMES,
    INDEX_FORMULAS,
    TABLES,
    VARIANT_NAMES,
    PrintedRow,
    ThesisTable,
)

app = typer.Typer(add_completion=False)

UNITS = {"": 1, "K": 1e3, "M": 1e6}


@app.command()
def main(output: Annotated[Path, typer.Argument(help="Markdown file to write.")]) -> None:
    """Write the page, in one step."""
    write_text(output, page())


def page() -> str:
    """Return the whole page as Markdown."""
    tables = {table.number: _table(table) for table in TABLES}
    formulas = {"3.1": _index_blocks(), "4.8": _affinity_blocks()}
    in_order = sorted((tables | formulas).items(), key=lambda item: item[0])
    return "\n\n".join([INTRODUCTION, *(text for _, text in in_order)]) + "\n"


INTRODUCTION = """\
# The thesis' tables beside edgemat's

Made by `python -m tools.thesis docs/thesis.md`; a test makes it again and compares.

Parameters are learnable ones. Operations are in the thesis' convention: multiply-accumulates of
convolutions and linear layers, in units of 2^30, at 224x224; a linear layer on B,N,C tokens counts
N x N x outputs, and a convolution on one-channel pictures in the batch axis counts once.
`edgemat models --json` has honest multiply-accumulates beside them.

*same*: edgemat's, rounded as the thesis prints, is what it prints. Where it is not, the reason is
below the table. Accuracy is not compared: the data sets may not be had. Rows that print neither
parameters nor operations are left out."""


def _table(table: ThesisTable) -> str:
    with_parameters = any(row.parameters for row in table.rows)
    with_operations = any(row.operations for row in table.rows)
    header = ["thesis", "edgemat"]
    header += ["parameters, thesis", "edgemat's"] * with_parameters
    header += ["operations, thesis", "edgemat's"] * with_operations
    lines: list[list[str]] = []
    notes: dict[str, list[str]] = {}  # why rows differ: for one reason, often
    for row in table.rows:
        parameters, operations, agrees = _compare(row, table.baseline)
        cells = [row.label, f"`{row.model}`" if row.model else ""]
        cells += [row.parameters, parameters] * with_parameters
        cells += [row.operations, operations] * with_operations
        lines.append([*cells, agrees])
        if agrees == "differs":
            assert row.model is not None
            note = model_info(row.model).note
            assert note is not None, f"{row.model} differs, and nothing says why"
            notes.setdefault(note, []).append(row.label)
    text = f"## Table {table.number}: {table.title}\n\n" + _markdown([*header, ""], lines)
    reasons = [f"- {', '.join(labels)}: {note}" for note, labels in notes.items()]
    return text + "\n\n" * bool(reasons) + "\n".join(reasons)


def _compare(row: PrintedRow, baseline: str | None) -> tuple[str, str, str]:
    """Return our parameters, our operations, and whether they agree with the thesis'."""
    if row.model is None:
        return "", "", ""
    parameters, operations = _measure(row.model)
    added = row.parameters.startswith("+")
    if added:
        assert baseline is not None
        parameters -= _measure(baseline)[0]
    agree = [
        rounded(value, printed) == printed
        for value, printed in ((parameters, row.parameters), (operations, row.operations))
        if printed
    ]
    said = "same" if all(agree) else "differs"
    return f"{'+' * added}{parameters:,}", f"{operations:.4f}", said


def rounded(value: float, printed: str) -> str:
    """Return `value` in the form of `printed`: its sign, its decimals, its unit."""
    match = re.fullmatch(r"(\+?)\d+(?:\.(\d+))?([KM]?)", printed)
    assert match is not None, printed
    sign, decimals, unit = match.groups()
    return f"{sign}{value / UNITS[unit]:.{len(decimals or '')}f}{unit}"


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


@functools.cache
def _measure(model: str) -> tuple[int, float]:
    network = on_paper(model)
    shape = (model_info(model).in_channels, 224, 224)
    return count_parameters(network), count(network, shape, convention="thesis")


# ---- tables of formulas ---------------------------------------------------------------------

C, KERNEL, ENCODING, WINDOW = 64, 2, 5, 3


def _index_blocks() -> str:
    lines = []
    for family, formulas in INDEX_FORMULAS.items():
        for variant, formula in zip(VARIANTS, formulas, strict=True):
            nonlinear, context = VARIANTS[variant]
            block = IndexBlock(C, family=family, nonlinear=nonlinear, context=context)
            counted = sum(m.weight.numel() for m in block.modules() if isinstance(m, nn.Conv2d))
            lines.append(
                _formula(f"{FAMILY_NAMES[family]} {VARIANT_NAMES[variant]}", formula, counted)
            )
    return (
        "## Table 3.1: parameters of one index block\n\n"
        f"Without batch normalisation; the figures are for C = {C} channels and K = {KERNEL}.\n\n"
        f"{_markdown(FORMULA_HEADER, lines)}\n\n"
        "The last term of Unshared Stagewise O2O DINs is a misprint for 2C: their second\n"
        "convolution is depthwise, too, and the increases of Tables 3.4, 3.7 and 3.9 need that."
    )


def _affinity_blocks() -> str:
    lines = []
    for form, formula in AFFINITY_FORMULAS.items():
        block = A2U(C, kernel=ENCODING, up_kernel=WINDOW, **FORMS[form])
        lines.append(_formula(form.replace("-", ", "), formula, count_parameters(block)))
    return (
        "## Table 4.8: parameters of one A2U block\n\n"
        f"The figures are for C = {C} channels, k = {ENCODING} and s = {WINDOW}.\n\n"
        f"{_markdown(FORMULA_HEADER, lines)}"
    )


FORMULA_HEADER = ("thesis", "formula, as printed", "gives", "edgemat's", "")


def _formula(label: str, formula: str, counted: int) -> list[str]:
    letters = {"C": C, "K": KERNEL, "k": ENCODING, "s": WINDOW}
    printed = evaluate(formula, letters)
    shown = formula.replace("*", " x ")
    verdict = "same" if counted == printed else "differs"
    return [label, shown, f"{printed:,}", f"{counted:,}", verdict]


def evaluate(formula: str, letters: Mapping[str, int]) -> int:
    """Return the value of a sum of products, where one bracket may be multiplied."""
    bracket = re.fullmatch(r"\((.+)\)\*(\d+)", formula)
    inside, times = (bracket[1], int(bracket[2])) if bracket else (formula, 1)
    products = [term.split("*") for term in inside.split(" + ")]
    number = {**{str(n): n for n in range(10)}, **letters}
    return times * sum(math.prod(number[factor] for factor in term) for term in products)


if __name__ == "__main__":
    run_app(app)
