"""Every row of the thesis' matting tables is a recipe and an override, as the text has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgemat.errors import UsageError
from edgemat.models import list_models
from edgemat.recipe.checks import check_network
from edgemat.recipe.load import read_recipe
from edgemat.recipe.schema import ModelSection
from edgemat.workflow.stages.training import schedule_of

THESIS = Path(__file__).parents[2] / "recipes" / "thesis"

INDEXNET_LOSS = {"alpha_unknown": 0.5, "composition": 0.5}
PSPM_LOSS = {"alpha_unknown": 1.0, "alpha_whole": 10.0, "gradient": 10.0, "affinity": 10.0}

# What the text says, by hand: optimiser, rate, epochs or steps, crop, batch, losses.
TEXT: dict[str, dict[str, object]] = {
    # 3.6.1.1: Adam, 0.01, 30 epochs, x0.1 at 20 and 26, 320 px, 16, BN of the backbone fixed
    "indexnet": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "epochs": 30,
        "milestones": (20, 26),
        "size": 320,
        "batch": 16,
        "bn": "encoder",
        "losses": INDEXNET_LOSS,
        "augmentation": "indexnet",
    },
    # 4.6: Adam, 0.01, 30 epochs of 6000, 20 and 26, 512 px, 16, BN of the backbone fixed
    "a2u": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "epochs": 30,
        "epoch": 6000,
        "milestones": (20, 26),
        "size": 512,
        "batch": 16,
        "bn": "encoder",
        "losses": INDEXNET_LOSS,
        "augmentation": "gca",
    },
    "a2u-distinctions": {"epochs": 25, "epoch": 6000, "optimizer": "adam", "batch": 16},
    # 5.5.1: AdamW, 6e-4, cosine, 1000 of warm-up, 90k of 32, 512 px
    "rmat": {
        "optimizer": "adamw",
        "learning_rate": 6e-4,
        "decay": "cosine",
        "warmup": 1000,
        "steps": 90_000,
        "batch": 32,
        "size": 512,
        "losses": INDEXNET_LOSS,
        "augmentation": "gca",
        "strong": (),
    },
    "rmat-final": {
        "optimizer": "adamw",
        "learning_rate": 6e-4,
        "decay": "cosine",
        "warmup": 1000,
        "steps": 120_000,
        "batch": 64,
        "size": 512,
        "losses": INDEXNET_LOSS | {"laplacian": 1.0, "gradient_penalty": 1.0},
        "strong": ("af", "afb", "ac"),
    },
    # 5.4.1: L1 alone, 45k of 32, blur and Re-JPEG
    "rmat-domain-gap": {
        "steps": 45_000,
        "batch": 32,
        "losses": {"alpha_unknown": 1.0},
        "strong": ("degrade",),
    },
    # 6.5.2: SGD .9, 5e-4, 40k of 16, 512 px, 0.01, poly 0.9 every 20 epochs
    "pspm-deeplab": {
        "optimizer": "sgd",
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "learning_rate": 0.01,
        "steps": 40_000,
        "batch": 16,
        "size": 512,
        "decay": "poly",
        "power": 0.9,
        "hold": 20,
        "trains": "segmentation",
        "losses": {"cross_entropy": 1.0},
    },
    "pspm-b": {"steps": 0},
    "pspm-b1": {"losses": {"alpha_whole": 1.0, "cross_entropy": 0.1}, "trains": "all"},
    "pspm-phase-1": {
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "steps": 40_000,
        "batch": 16,
        "size": 320,
        "decay": "poly",
        "power": 0.9,
        "hold": 20,
        "trains": "matting",
        "unknown": "estimated",
        "losses": {"alpha_unknown": 1.0},
    },
    "pspm-phase-2": {
        "optimizer": "sgd",
        "learning_rate": 1e-4,
        "steps": 100_000,
        "batch": 16,
        "size": 320,
        "decay": "poly",
        "power": 0.9,
        "hold": 20,
        "trains": "all",
        "losses": PSPM_LOSS,
    },
    "pspm-a2": {"prior": "none", "losses": {"alpha_unknown": 1.0}},
}


def model(name: str, *changes: str) -> ModelSection:
    (section,) = read_recipe(THESIS / f"{name}.toml", changes).models
    check_network(name, section)
    return section


def test_every_recipe_is_compared() -> None:
    assert {path.stem for path in THESIS.glob("*.toml")} == set(TEXT)


@pytest.mark.parametrize("name", TEXT)
def test_a_recipe_says_what_the_text_says(name: str) -> None:
    train = model(name).train
    found: dict[str, object] = train.model_dump() | {"epochs": train.steps / train.epoch}
    if train.losses is not None:
        found["losses"] = train.losses.model_dump(exclude_defaults=True)
    assert {key: found[key] for key in TEXT[name]} == TEXT[name]


@pytest.mark.parametrize("name", sorted(set(TEXT) - {"pspm-b"}))
def test_lines_of_the_text_are_cited(name: str) -> None:
    keys = ("steps", "losses") if name not in ("pspm-b1", "pspm-a2") else ("losses",)
    lines = (THESIS / f"{name}.toml").read_text().splitlines()
    for key in keys:
        (line,) = (line for line in lines if line.startswith(f"{key} = "))
        assert re.search(r"# (\d{3,4}|eq\.)", line), line


def row(table: str) -> list[str]:
    return [info.name for info in list_models() if info.thesis and info.thesis.table == table]


NETWORKS = {
    "indexnet": [*row("3.3"), *row("3.4")],
    "a2u": row("4.2"),
    "a2u-distinctions": row("4.2"),
    "rmat": [*row("5.2"), *row("5.3")],
    "pspm-b1": ["pspm-b", "pspm-b2", "pspm-psp-b"],
    "pspm-phase-2": [*row("6.4"), "pspm-psp-b5"],
}
ROWS = [
    *(
        (recipe, f"models.0.architecture={one}")
        for recipe, many in NETWORKS.items()
        for one in many
    ),
    *(
        ("indexnet", f'models.0.config={{ normalisation = "{one}" }}')
        for one in ("sigmoid/sigmoid", "softmax/softmax", "softmax+sigmoid/softmax")
    ),
    *(("a2u", f"models.0.config={{ up_kernel = {k} }}") for k in (1, 3, 5)),
    ("a2u", 'models.0.config={ normalisation = "softmax" }'),
    *(
        ("rmat", f"models.0.train.losses.{term}=1")
        for term in ("laplacian", "gradient_difference", "gradient_penalty")
    ),
    *(("rmat", f"models.0.train.strong={s}") for s in ('["af"]', '["afb"]', '["af", "afb", "ac"]')),
    ("rmat-domain-gap", "models.0.train.strong="),
    ("rmat-domain-gap", 'models.0.train.strong=["degrade-alpha"]'),
    ("a2u", 'models.0.train.strong=["af", "afb", "ac"]'),
    ("rmat-final", "models.0.architecture=rmat-m7"),
    ("pspm-a2", "models.0.train.steps=0"),
    ("pspm-phase-2", "models.0.train.losses.affinity=0"),
    ("pspm-phase-1", "models.0.architecture=pspm-b5-fm"),
    ("pspm-deeplab", "models.0.architecture=pspm-psp-b"),
]


@pytest.mark.parametrize(("name", "change"), ROWS)
def test_every_row_is_a_recipe_and_an_override(name: str, change: str) -> None:
    base, changed = model(name), model(name, change)
    assert changed != base or change.endswith(f"={base.architecture}"), "the recipe's own row"
    if changed.train.steps:
        assert schedule_of(changed.train).factor(0) > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("models.0.train.prior=none", "is a portrait network"),
        ("models.0.train.augmentation=gca", "is a portrait network"),
        ("models.0.architecture=pspm-slim", None),
        ("models.0.architecture=indexnet-m2o-nlc", "is a trimap network"),
    ],
)
def test_keys_of_another_task_are_refused(change: str, said: str | None) -> None:
    if said is None:
        assert model("pspm-phase-1", change)
        return
    with pytest.raises(UsageError, match=said):
        model("pspm-phase-1", change)


@pytest.mark.parametrize(
    "change",
    ["models", "=2", "models.7.name=x", "name.x=1", "models.0.train.steps.x=1", "models.0=x"],
)
def test_a_change_that_leads_nowhere_is_said(change: str) -> None:
    with pytest.raises(UsageError) as caught:
        model("indexnet", change)
    assert caught.value.remedy
