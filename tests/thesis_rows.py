"""The rows of the thesis' tables, and how each is reached: by a recipe or a protocol, and by what.

A row is a line of the text with the words that it begins with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edgemat.experiments.protocol import Subject
from edgemat.models.blocks.index import FAMILIES
from edgemat.models.blocks.sampling import VARIANTS


class Recipe(NamedTuple):
    """A recipe of recipes/thesis, and values to set."""

    name: str
    changes: tuple[str, ...] = ()


class Model(NamedTuple):
    """A network of a series by the thesis' protocol."""

    subject: Subject
    name: str


class Method(NamedTuple):
    """A classical method, which `edgemat evaluate` takes in the place of a model."""

    name: str


class Others(NamedTuple):
    """A figure that the thesis quotes: nobody trained for that table."""

    why: str


Way = Recipe | Model | Method | Others


class Row(NamedTuple):
    """A row: its line in the text, what that begins with, and all that it takes, in order."""

    line: int
    begins: str
    ways: tuple[Way, ...]


QUOTED = Others("others' own figures")
RELEASED = Others("the officially provided model")


def net(recipe: str, architecture: str, *changes: str) -> Recipe:
    """Return a recipe with another network; `changes` without their models.0."""
    changes = (f"architecture={architecture}", *changes)
    return Recipe(recipe, tuple(f"models.0.{change}" for change in changes))


def changed(recipe: str, *changes: str) -> Recipe:
    return Recipe(recipe, tuple(f"models.0.{change}" for change in changes))


def rows(first: int, *found: tuple[str, Way | tuple[Way, ...]]) -> list[Row]:
    """Return rows that follow each other in the text."""
    return [
        Row(first + place, begins, ways if type(ways) is tuple else (ways,))  # type: ignore[arg-type]
        for place, (begins, ways) in enumerate(found)
    ]


def families(first: int, ways: Iterable[Way]) -> list[Row]:
    """Return the fifteen rows of index networks: a heading, then three."""
    marks = ("\t\t", "✓\t\t", "✓\t✓\t")
    return [
        Row(first + 4 * (place // 3) + place % 3, marks[place % 3], (way,))
        for place, way in enumerate(ways)
    ]


INDEX = [f"{family}-{variant}" for family in FAMILIES for variant in VARIANTS]
B2 = "train.init=data/mit_b2.pth"
LOSSES = ("train.losses.laplacian=1", "train.losses.gradient_penalty=1")
SOFTMAX = 'config={ normalisation = "softmax" }'
A2, A2_PLUS = changed("pspm-a2", "train.steps=0"), Recipe("pspm-a2")
A1 = changed("pspm-a2", "train.prior=trimap", "train.steps=0")
B, B1 = Recipe("pspm-b"), Recipe("pspm-b1")
CLOSED_FORM, KNN = Method("closed-form"), Method("knn")


def strong(*names: str) -> Recipe:
    """Return N3 with strong augmentations."""
    listed = ", ".join(f'"{name}"' for name in names)
    return net("rmat", "rmat-n3", *LOSSES, f"train.strong=[{listed}]")


def shared(architecture: str, *changes: str) -> tuple[Way, ...]:
    """Return PSPM's two phases."""
    return (net("pspm-phase-1", architecture), net("pspm-phase-2", architecture, *changes))


def index_normalised(value: str) -> Recipe:
    return changed("indexnet", f'config={{ normalisation = "{value}" }}')


def affinity_kernel(architecture: str, side: int) -> Recipe:
    return net("a2u", architecture, f"config={{ up_kernel = {side} }}")


def reconstruct(*names: str) -> list[Model]:
    return [Model("reconstruct", f"reconstruct-{name}") for name in names]


def upernet(pyramid: str, fusion: str) -> Model:
    return Model("segment", f"upernet-{pyramid}-{fusion}")


A2U_NAMES = (
    *("nearest", "bilinear", "carafe", "indexnet", "static-pw-cw", "static-cw", "hybrid-cw"),
    *("hybrid-cs", "dynamic-cw", "dynamic-cs", "dynamic-cs-d", "dynamic-cs-d-norm"),
)
A2U_LABELS = (
    *("Nearest", "Bilinear", "CARAFE", "IndexNet", "A ² U (static-pw-cw)", "A ² U (static-cw)"),
    *("A ² U (hybrid-cw)", "A ² U (hybrid-cs)", "A ² U (dynamic-cw)", "A ² U (dynamic-cs)"),
    *("A ² U (dynamic-cs-d)", "A ² U (dynamic-cs-d) [†]"),
)

TABLES: dict[str, list[Row]] = {
    "3.2": rows(735, *zip(
        ("AvgPool", "Conv _{/2} -Bilinear", "S2D", "Conv _{/2} -Deconv", "Conv _{/2} -CARAFE",
         "MaxPool", r"\mathcal{JP} - \mathcal{JU}^*", r"\mathcal{JP} - \mathcal{JU}^\dagger",
         r"\mathcal{JP} - \mathcal{JU}^\ddagger"),
        reconstruct("avgpool-nn", "conv-bilinear", "s2d-d2s", "conv-deconv", "conv-carafe",
                    "maxpool-unpool", "index-modelwise", "index-hin", "index-m2o"), strict=True)),
    "3.3": rows(762, *((f"B{n}\t", net("indexnet", f"matting-b{n}")) for n in range(1, 12))),
    "3.4": [
        *rows(790, *(
            (name, net("indexnet", f"matting-{name.split()[0].lower()}"))
            for name in ("B3 [113]", "B11\t", "B11-1.4", "B11-carafe", "HMI"))),
        *families(797, (net("indexnet", f"indexnet-{name}") for name in INDEX)),
        *rows(816, ("DIM w. Refinement [113]", QUOTED)),
    ],
    "3.5": rows(
        834,
        ("sigmoid\tsigmoid", index_normalised("sigmoid/sigmoid")),
        ("softmax\tsoftmax", index_normalised("softmax/softmax")),
        ("softmax+sigmoid\tsoftmax", index_normalised("softmax+sigmoid/softmax")),
        ("sigmoid+softmax\tsigmoid", Recipe("indexnet")),
    ),
    "3.7": [
        *rows(901, ("SegNet [3]", Model("segment", "segnet")),
              ("SegNet-carafe", Model("segment", "segnet-carafe"))),
        *families(905, (Model("segment", f"segnet-{name}") for name in INDEX)),
    ],
    "3.8": rows(
        938,
        ("Bilinear\tBilinear", upernet("bilinear", "bilinear")),
        ("IndexNet\tBilinear", upernet("index", "bilinear")),
        ("Bilinear\tIndexNet", upernet("bilinear", "index")),
        ("IndexNet\tIndexNet", upernet("index", "index")),
        ("CARAFE\tBilinear", upernet("carafe", "bilinear")),
        ("Bilinear\tCARAFE", upernet("bilinear", "carafe")),
        ("CARAFE\tCARAFE", upernet("carafe", "carafe")),
    ),
    "3.9": [
        *rows(999, *(
            (label, Model("depth", name)) for label, name in (
                ("FastDepth-NNConv5", "fastdepth"), ("FastDepth-P-NNConv5", "fastdepth-p"),
                ("FastDepth-carafe", "fastdepth-carafe"),
                ("FastDepth-P-carafe", "fastdepth-p-carafe")))),
        *families(1004, (Model("depth", f"fastdepth-{name}") for name in INDEX)),
    ],
    "3.10": rows(
        1029,
        ("Hu <i>et al.</i> [47]", Model("depth", "hu-depth")),
        ("Hu <i>et al.</i> + IndexNet", Model("depth", "hu-depth-hin-nlc")),
    ),
    "4.1": rows(1184, *zip(
        ("Conv _{/2} -Nearest", "Conv _{/2} -Bilinear", "Conv _{/2} -Deconv [69]", "P.S. [90]",
         "MaxPool-MaxUnpool", "MaxPool-CARAFE [100]", r"MaxPool-IndexNet \dagger [72]",
         "MaxPool-A ² U (Ours)", r"MaxPool-IndexNet \ddagger [72]"),
        reconstruct("conv-nearest", "conv-bilinear", "conv-deconv", "s2d-d2s", "maxpool-unpool",
                    "maxpool-carafe1", "maxpool-index-hin", "a2u", "maxpool-index-m2o"),
        strict=True)),
    "4.2": rows(1221, *(
        (label, net("a2u", f"a2u-{name}"))
        for label, name in zip(A2U_LABELS, A2U_NAMES, strict=True))),
    "4.3": rows(1247, *(
        (f"A ² U ({name})\t{side}", affinity_kernel(f"a2u-{name}", side))
        for name in ("hybrid-cw", "dynamic-cs") for side in (1, 3, 5))),
    "4.4": rows(1265, *(
        (f"A ² U ({name})\t{label}", net("a2u", f"a2u-{name}", *changes))
        for name in ("hybrid-cw", "dynamic-cs")
        for label, changes in (("softmax", (SOFTMAX,)), ("sigmoid+softmax", ())))),
    "4.5": rows(
        1283,
        ("CF [57]", CLOSED_FORM), ("KNN [11]", KNN), ("DIM [113]", QUOTED),
        ("IndexNet [72]", Recipe("indexnet")), ("Ada [4]", QUOTED), ("CA [43]", QUOTED),
        ("GCA [60]", QUOTED),
        ("A ² U (hybrid-cw)", net("a2u", "a2u-hybrid-cw")),
        ("A ² U (dynamic-cs)", net("a2u", "a2u-dynamic-cs")),
        ("A ² U (dynamic-cs-d)", Recipe("a2u")),
    ),
    "4.6": rows(
        1303,
        ("Ours", changed("a2u", "data.part=all")),
        ("Ada [4]", QUOTED), ("GCA [60]", QUOTED), ("CA [43]", QUOTED),
    ),
    "4.7": rows(
        1315,
        ("CF* [57]", CLOSED_FORM), ("KNN* [11]", KNN), ("DIM* [113]", QUOTED),
        ("Baseline-Nearest", net("a2u-distinctions", "a2u-nearest")),
        ("A ² U (hybrid-cw)", net("a2u-distinctions", "a2u-hybrid-cw")),
        ("A ² U (dynamic-cs)", net("a2u-distinctions", "a2u-dynamic-cs")),
        ("A ² U (dynamic-cs-d)", Recipe("a2u-distinctions")),
    ),
    "5.1": rows(
        1488,
        ("\t\t", changed("rmat-domain-gap", "train.strong=")),
        ("✓\t\t", Recipe("rmat-domain-gap")),
        ("✓\t✓", changed("rmat-domain-gap", 'train.strong=["degrade-alpha"]')),
    ),
    "5.2": rows(1547, *(
        (f"B{n}\t", net("rmat", f"rmat-b{n}", *((B2,) if n > 6 else ()))) for n in range(1, 11))),
    "5.3": rows(
        1561,
        ("-", Recipe("rmat")),
        ("-", changed("rmat", LOSSES[0])),
        ("-", changed("rmat", "train.losses.gradient_difference=1")),
        ("-", changed("rmat", LOSSES[1])),
        ("N3", net("rmat", "rmat-n3", *LOSSES)),
        ("-", net("rmat", "rmat-m3")),
        ("M3", net("rmat", "rmat-m3", *LOSSES)),
        ("-", net("rmat", "rmat-b7", B2)),
        ("M7", net("rmat", "rmat-m7", B2, *LOSSES)),
    ),
    "5.4": rows(
        1582,
        ("CF [57]", CLOSED_FORM), ("KNN [11]", KNN), ("DIM [113]", QUOTED),
        ("IndexNet [72]", Recipe("indexnet")), ("CA [43]", QUOTED), ("CA+DA [43]", QUOTED),
        ("GCA [60]", QUOTED), ("A ² U [22]", Recipe("a2u")), ("SIM [97]", QUOTED),
        ("FBA [32]", QUOTED), ("FBA+TTA [32]", QUOTED),
        ("M3 [‡]", Recipe("rmat-final")), ("M7 [‡]", net("rmat-final", "rmat-m7", B2)),
    ),
    "5.5": [
        *rows(1640, *(
            (f"{name}* [", RELEASED)
            for name in ("IndexNet", "CA", "CA+DA", "GCA", "A ² U", "SIM", "FBA"))),
        *rows(1648, ("N3", net("rmat", "rmat-n3", *LOSSES)), ("N3", strong("af")),
              ("N3", strong("afb")), ("N3", strong("af", "afb")),
              ("N3", strong("af", "afb", "ac")), ("M3 [†]", Recipe("rmat-final")),
              ("M7 [†]", net("rmat-final", "rmat-m7", B2))),
    ],
    "5.6": rows(
        1660,
        ("Ours-M7 [‡]", net("rmat-final", "rmat-m7", B2)), ("SIM [97]", QUOTED),
        ("A ² U [22]", QUOTED), ("GCA [60]", QUOTED), ("CA [43]", QUOTED),
        ("IndexNet [72]", QUOTED),
    ),
    "5.7": rows(
        1682,
        ("SIM [97]", QUOTED), ("FBA [32]", QUOTED), ("M3 [‡]", Recipe("rmat-final")),
        ("M7 [‡]", net("rmat-final", "rmat-m7", B2)),
    ),
    "5.8": rows(
        1703,
        ("N3+AF\t", strong("af")), ("N3+AFB\t", strong("afb")),
        ("N3+AF+AF", strong("af", "afb")),  # printed so; 1710 has them combined
        ("N3+AF+AFB+AC", strong("af", "afb", "ac")),
    ),
    "5.9": rows(
        1721,
        ("A ² U [22]", Recipe("a2u")),
        ("A ² U+AF+AFB+AC", changed("a2u", 'train.strong=["af", "afb", "ac"]')),
    ),
    "6.1": rows(
        1904,
        ("GT Trimap + IndexNet(A1)", A1), ("No Trimap + IndexNet(A2)", A2),
        ("A2 + posterior(A2+)", A2_PLUS),
    ),
    "6.2": rows(
        2005,
        ("GT Trimap + IndexNet [72] (A1)", A1), ("No Trimap + IndexNet (A2)", A2),
        ("A2 + Loss-guided training (A2+)", A2_PLUS), ("GT Trimap + CF [57] (A3)", CLOSED_FORM),
    ),
    "6.3": rows(2029, ("B\t", B), ("B1", B1), ("B2", net("pspm-b1", "pspm-b2"))),
    "6.4": rows(
        2046,
        ("LFM [123]", QUOTED), ("B1", B1), ("B3", shared("pspm-b3")), ("B4", shared("pspm-b4")),
        ("B5", shared("pspm-b5")), ("IndexNet [72]", Recipe("indexnet")),
        ("B5+FM", shared("pspm-b5-fm")),
    ),
    "6.5": rows(
        2063,
        ("DeepLabV3+ [10]", Recipe("pspm-deeplab")), ("B3", shared("pspm-b3")),
        ("B4", shared("pspm-b4")), ("B5", shared("pspm-b5")),
    ),
    "6.6": rows(
        2075,
        ("B5\t", shared("pspm-b5")),
        ("B5 w/o affinity", shared("pspm-b5", "train.losses.affinity=0")),
        ("B5- w/o gradient",
         shared("pspm-b5", "train.losses.affinity=0", "train.losses.gradient=0")),
    ),
    "6.7": rows(
        2096,
        ("B\t", net("pspm-b", "pspm-psp-b")), ("B1", net("pspm-b1", "pspm-psp-b")),
        ("B5", (net("pspm-deeplab", "pspm-psp-b"), *shared("pspm-psp-b5"))),
    ),
}  # fmt: skip
"""Without Table 3.6, whose rows the text does not have; its networks are those of line 870."""
