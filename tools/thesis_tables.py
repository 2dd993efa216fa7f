"""Parameters and operations as the thesis prints them, row by row, with edgemat's names."""

from __future__ import annotations

from dataclasses import dataclass

from edgemat.models.blocks.index import FAMILIES, IndexFamily
from edgemat.models.blocks.sampling import VARIANTS

FAMILY_NAMES = {
    "hin": "HINs",
    "modelwise": "Modelwise O2O DINs",
    "shared": "Shared Stagewise O2O DINs",
    "unshared": "Unshared Stagewise O2O DINs",
    "m2o": "M2O DINs",
}
VARIANT_NAMES = {"l": "L", "nl": "NL", "nlc": "NL+C"}


@dataclass(frozen=True)
class PrintedRow:
    """One row of a table.

    Attributes
    ----------
    label:
        As the thesis calls it.
    model:
        Our name for it; None where only the thesis has it (a released model of others).
    parameters, operations:
        As printed there: "8.15M", "+4.99K", "6.30"; empty where nothing is printed.
    """

    label: str
    model: str | None
    parameters: str = ""
    operations: str = ""


@dataclass(frozen=True)
class ThesisTable:
    """One table of the thesis; increases ("+") are over `baseline`."""

    number: str
    title: str
    rows: tuple[PrintedRow, ...]
    baseline: str | None = None


def _families(
    prefix: str, printed: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, str]]]
) -> tuple[PrintedRow, ...]:
    """Return the fifteen rows of index networks; printed: by family, (added, operations) x 3."""
    return tuple(
        PrintedRow(
            f"{FAMILY_NAMES[family]} {VARIANT_NAMES[variant]}",
            f"{prefix}-{family}-{variant}",
            *printed[family][place],
        )
        for family in FAMILIES
        for place, variant in enumerate(VARIANTS)
    )


TABLES = (
    ThesisTable(
        "3.4",
        "Index networks for matting",
        (
            PrintedRow("B3 (DIM)", "matting-b3", "130.55M", "32.34"),
            PrintedRow("B11", "matting-b11", "3.75M", "4.08"),
            PrintedRow("B11-1.4", "matting-b11-1.4", "8.86M", "7.61"),
            PrintedRow("B11-carafe", "matting-b11-carafe", "4.06M", "5.01"),
            PrintedRow("HMI", "matting-hmi", "3.75M", "4.08"),
            *_families(
                "indexnet",
                {
                    "hin": (("+4.99K", "4.09"), ("+0.26M", "4.22"), ("+1.04M", "4.61")),
                    "modelwise": (("+16", "4.08"), ("+56", "4.08"), ("+152", "4.08")),
                    "shared": (("+80", "4.08"), ("+280", "4.08"), ("+760", "4.08")),
                    "unshared": (("+4.99K", "4.09"), ("+17.47K", "4.10"), ("+47.42K", "4.15")),
                    "m2o": (("+0.52M", "4.34"), ("+1.30M", "4.73"), ("+4.40M", "6.30")),
                },
            ),
        ),
        baseline="matting-b11",
    ),
    ThesisTable(
        "3.7",
        "SegNet with index networks (SUN RGB-D)",
        (
            PrintedRow("SegNet", "segnet", "24.96M", "24.76"),
            PrintedRow("SegNet-carafe", "segnet-carafe", "25.35M", "25.75"),
            *_families(
                "segnet",
                {
                    "hin": (("+23.55K", "24.79"), ("+4.90M", "26.40"), ("+19.55M", "31.28")),
                    "modelwise": (("+16", "24.76"), ("+56", "24.76"), ("+152", "24.77")),
                    "shared": (("+80", "24.76"), ("+280", "24.76"), ("+760", "24.77")),
                    "unshared": (("+0.02M", "24.79"), ("+0.08M", "24.82"), ("+0.22M", "24.96")),
                    "m2o": (("+9.76M", "28.02"), ("+24.44M", "32.90"), ("+83.02M", "52.42")),
                },
            ),
        ),
        baseline="segnet",
    ),
    ThesisTable(
        "3.9",
        "FastDepth with index networks (NYUDv2)",
        (
            PrintedRow("FastDepth-NNConv5", "fastdepth", "3.96M", "0.69"),
            PrintedRow("FastDepth-P-NNConv5", "fastdepth-p", "3.96M", "1.01"),
            PrintedRow("FastDepth-carafe", "fastdepth-carafe", "4.31M", "1.63"),
            PrintedRow("FastDepth-P-carafe", "fastdepth-p-carafe", "4.31M", "1.96"),
            *_families(
                "fastdepth",
                {
                    "hin": (("+31.23K", "1.03"), ("+11.17M", "2.65"), ("+44.62M", "7.53")),
                    "modelwise": (("+16", "1.02"), ("+56", "1.02"), ("+152", "1.02")),
                    "shared": (("+80", "1.02"), ("+280", "1.02"), ("+760", "1.02")),
                    "unshared": (("+31.23K", "1.03"), ("+0.11M", "1.06"), ("+0.30M", "1.16")),
                    "m2o": (("+22.30M", "4.27"), ("+55.78M", "9.15"), ("+189.57M", "28.67")),
                },
            ),
        ),
        baseline="fastdepth",
    ),
    ThesisTable(
        "4.2",
        "Upsampling operators in one matting network",
        (
            PrintedRow("Nearest", "a2u-nearest", "8.05M"),
            PrintedRow("Bilinear", "a2u-bilinear", "8.05M"),
            PrintedRow("CARAFE", "a2u-carafe", "+0.26M"),
            PrintedRow("IndexNet", "a2u-indexnet", "+12.26M"),
            PrintedRow("A2U (static-pw-cw)", "a2u-static-pw-cw", "+0.10M"),
            PrintedRow("A2U (static-cw)", "a2u-static-cw", "+26K"),
            PrintedRow("A2U (hybrid-cw)", "a2u-hybrid-cw", "+44K"),
            PrintedRow("A2U (hybrid-cs)", "a2u-hybrid-cs", "+19K"),
            PrintedRow("A2U (dynamic-cw)", "a2u-dynamic-cw", "+0.20M"),
            PrintedRow("A2U (dynamic-cs)", "a2u-dynamic-cs", "+20K"),
            PrintedRow("A2U (dynamic-cs-d)", "a2u-dynamic-cs-d", "+38K"),
            PrintedRow(
                "A2U (dynamic-cs-d), with normalisation (†)", "a2u-dynamic-cs-d-norm", "+38K"
            ),
        ),
        baseline="a2u-nearest",
    ),
    ThesisTable(
        "5.2",
        "Decoders and skips of RMat",
        tuple(
            PrintedRow(f"B{number}", f"rmat-b{number}", printed)
            for number, printed in enumerate(
                [
                    "13.6M",
                    "15.4M",
                    "15.8M",
                    "18.2M",
                    "14.0M",
                    "16.1M",
                    "26.8M",
                    "29.2M",
                    "25.1M",
                    "27.2M",
                ],
                start=1,
            )
        ),
    ),
    ThesisTable(
        "5.3",
        "Losses and LFA of RMat (the losses add no parameters)",
        (
            PrintedRow("B3", "rmat-b3", "15.8M"),
            PrintedRow("B3, l_lap", "rmat-b3", "15.8M"),
            PrintedRow("B3, l_g", "rmat-b3", "15.8M"),
            PrintedRow("B3, l_gp", "rmat-b3", "15.8M"),
            PrintedRow("N3 (B3, l_lap, l_gp)", "rmat-n3", "15.8M"),
            PrintedRow("B3, LFA", "rmat-m3", "16.8M"),
            PrintedRow("M3 (B3, LFA, l_lap, l_gp)", "rmat-m3", "16.8M"),
            PrintedRow("B7", "rmat-b7", "26.8M"),
            PrintedRow("M7 (B7, LFA, l_lap, l_gp)", "rmat-m7", "27.9M"),
        ),
    ),
    ThesisTable(
        "5.7",
        "Operations of RMat",
        (
            PrintedRow("SIM (not in edgemat)", None, operations="48.30"),
            PrintedRow("FBA (not in edgemat)", None, operations="30.47"),
            PrintedRow("M3", "rmat-m3", operations="16.62"),
            PrintedRow("M7", "rmat-m7", operations="22.22"),
        ),
    ),
    ThesisTable(
        "6.3",
        "Baselines of PSPM",
        (
            PrintedRow("B", "pspm-b", "13.97M", "10.98"),
            PrintedRow("B1 (B trained end to end)", "pspm-b", "13.97M", "10.98"),
            PrintedRow("B2", "pspm-b2", "13.97M", "10.98"),
        ),
    ),
    ThesisTable(
        "6.4",
        "Parameter sharing of PSPM",
        (
            PrintedRow("B1", "pspm-b", "13.97M", "10.98"),
            PrintedRow("B3", "pspm-b3", "6.74M", "6.77"),
            PrintedRow("B4", "pspm-b4", "6.96M", "6.81"),
            PrintedRow("B5", "pspm-b5", "5.90M", "6.53"),
            PrintedRow("IndexNet", "indexnet-m2o-nlc", "8.15M", "6.30"),
            PrintedRow("B5+FM", "pspm-b5-fm", "5.96M", "6.54"),
        ),
    ),
    ThesisTable(
        "6.7",
        "Parameter sharing on PSPNet",
        (
            PrintedRow("B", "pspm-psp-b", "13.39M", "7.29"),
            PrintedRow("B1 (B trained end to end)", "pspm-psp-b", "13.39M", "7.29"),
            PrintedRow("B5", "pspm-psp-b5", "5.33M", "2.86"),
        ),
    ),
)

# Table 3.1 and Table 4.8 as printed, in Python: of channels C, kernels K and k, and windows s
INDEX_FORMULAS: dict[IndexFamily, tuple[str, str, str]] = {
    "hin": ("K*K*C*4", "K*K*C*2*C + 2*C*4", "2*K*2*K*C*2*C + 2*C*4"),
    "modelwise": ("K*K*4", "(K*K*2 + 2)*4", "(2*K*2*K*2 + 2)*4"),
    "shared": ("K*K*4", "(K*K*2 + 2)*4", "(2*K*2*K*2 + 2)*4"),
    "unshared": ("K*K*C*4", "(K*K*2*C + 2*C*C)*4", "(2*K*2*K*2*C + 2*C*C)*4"),
    "m2o": ("K*K*C*C*4", "(K*K*C*2*C + 2*C*C)*4", "(2*K*2*K*C*2*C + 2*C*C)*4"),
}
AFFINITY_FORMULAS = {
    "static-cw": "4*s*s + 2*k*k*C",
    "static-cs": "4*s*s + 2*k*k",
    "hybrid-cw": "4*s*s*C + 2*k*k*C",
    "hybrid-cs": "4*s*s*C + 2*k*k",
    "dynamic-cw": "4*s*s*C + 2*C*C",
    "dynamic-cs": "4*s*s*C + 2*C",
}
