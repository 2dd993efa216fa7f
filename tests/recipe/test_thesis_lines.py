"""What a recipe sets stands in the thesis: its line, the words there, and the value they give.

What ``Said`` gives are values of a recipe's [models.train]. They are compared always; the words
where the text is (thesis_text.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from thesis_text import Said, cited_lines, not_in_the_text, quotations

from edgemat.recipe.load import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes" / "thesis"


HALVES = {"alpha_unknown": 0.5, "composition": 0.5}
AS_DEEP_MATTING = {"losses": HALVES}
PHOTOGRAPHS = Said(384, "1700 images", {"epoch": 106})  # in batches of 16
BY_POLY = {"decay": "poly", "power": 0.9, "hold": 20}
ALL_OF_PHASE_1 = (
    Said(1960, "We train the MatDecoder with SGD optimizer", {"optimizer": "sgd"}),
    Said(1960, "with a learning rate of 0.01", {"learning_rate": 0.01}),
    Said(1960, "for about $40k$ iterations", {"steps": 40_000}),
    Said(1960, "into 320x320 blocks", {"size": 320}),
    Said(1962, "for every 20 epochs", BY_POLY),
    Said(1962, "A batch size of 16 is utilized", {"batch": 16}),
    PHOTOGRAPHS,
    Said(1960, "following the settings in Section 6.5.2", {"momentum": 0.9, "weight_decay": 5e-4}),
)
ALL_OF_PHASE_2 = (
    *(one for one in ALL_OF_PHASE_1 if not {"learning_rate", "steps"} & set(one.values)),
    Said(1962, "The same strategies are taken here", {"optimizer": "sgd", "size": 320}),
    Said(1962, "initializing the learning rate as 0.0001", {"learning_rate": 1e-4}),
    Said(1962, "training for around 100k iterations", {"steps": 100_000}),
)
ALL_OF_A2U = (
    Said(1242, "followed by 512x512 random cropping", {"size": 512, "augmentation": "gca"}),
    Said(1244, "Adam optimizer [52] is used", {"optimizer": "adam"}),
    Said(1244, "including alpha prediction loss and composition loss", AS_DEEP_MATTING),
    Said(1244, "The backbone is pretrained on ImageNet", {"init": "torchvision"}),
    Said(1256, "a fixed number of 6000 iterations", {"epoch": 6000}),
    Said(1256, "A batch size of 16 is used", {"batch": 16}),
    Said(1256, "BN layers in the backbone are fixed", {"bn": "encoder"}),
    Said(1256, "The learning rate is initialized to 0.01", {"learning_rate": 0.01}),
    Said(1256, r"reduced by $\times 10$ at the 20-th epoch and the 26-th epoch",
         {"decay": "step", "drop": 0.1, "milestones": (20, 26)}),
)  # fmt: skip
ALL_OF_RMAT = (
    Said(1573, "optimized by AdamW [70] optimizer", {"optimizer": "adamw"}),
    Said(1573, "initial learning rate 6x10^{-4} with cosine decay",
         {"learning_rate": 6e-4, "decay": "cosine"}),
    Said(1573, "The warm up stage takes 1000 iterations", {"warmup": 1000}),
    Said(1573, "512x512 patches are finally generated", {"size": 512}),
    Said(1544, "Our baseline models follow the dataloader pipeline in [60]",
         {"augmentation": "gca"}),
)  # fmt: skip

SAID: dict[str, tuple[Said, ...]] = {
    "indexnet": (
        Said(778, "The Adam optimizer [52] is used", {"optimizer": "adam"}),
        Said(778, "The learning rate is initially set to 0.01", {"learning_rate": 0.01}),
        Said(778, r"reduced by $10\times$ at the 20-th and 26-th epoch",
             {"decay": "step", "drop": 0.1, "milestones": (20, 26)}),
        Said(778, "We update parameters with 30 epochs (around 90,000 iterations)",
             {"epochs": 30, "steps": 80_790}),
        Said(778, "320x320 random cropping", {"size": 320, "augmentation": "indexnet"}),
        Said(778, "We use a batch size of 16", {"batch": 16}),
        Said(778, "fix the BN layers of the backbone", {"bn": "encoder"}),
        Said(778, "a combination of the alpha prediction loss and the composition loss",
             AS_DEEP_MATTING),
        Said(778, "Encoder parameters are pretrained on ImageNet", {"init": "torchvision"}),
    ),
    "a2u": (
        *ALL_OF_A2U,
        Said(1244, "We update parameters for 30", {"epochs": 30}),
        Said(1256, "epochs. Each epoch has a fixed number of 6000", {"steps": 30 * 6000}),
    ),
    "a2u-distinctions": (
        *ALL_OF_A2U,
        Said(1256, "are the same except that we update the parameters for only 25 epochs",
             {"epochs": 25, "steps": 25 * 6000}),
    ),
    "rmat": (
        *ALL_OF_RMAT,
        Said(1573, "the pretrained weights on ImageNet-1K", {"init": "data/mit_b1.pth"}),
        Said(1573, "we update parameters for 90k iterations with a batch size of 32",
             {"steps": 90_000, "batch": 32}),
        Said(1575, "only use L1 alpha prediction loss and composition loss as [72]",
             AS_DEEP_MATTING | {"strong": ()}),
    ),
    "rmat-final": (
        *ALL_OF_RMAT,
        Said(1573, "Batch size 64 and 120k iterations are used for final benchmark results",
             {"steps": 120_000, "batch": 64}),
        Said(1610, "Combining l_{lap} and l_{gp} together builds the best prediction",
             {"losses": HALVES | {"laplacian": 1.0, "gradient_penalty": 1.0}}),
        Said(1596, "training with a batch size of 64, 120k iterations using our SA",
             {"steps": 120_000, "batch": 64}),
        *(Said(line, words, {"strong": ("af", "afb", "ac")}) for line, words in (
            (1623, "or combine them with AC"),
            (1710, "we set its possibility as 0.1 when AF and AFB do not happen"),
            (1712, "in AF and AFB, linear pixel-wise augmentation"),
        )),
    ),
    "rmat-domain-gap": (
        *ALL_OF_RMAT,
        Said(1492, "a batch size of 32, 45k iterations", {"steps": 45_000, "batch": 32}),
        Said(1498, "only L1 alpha prediction loss is applied", {"losses": {"alpha_unknown": 1.0}}),
        Said(1498, "Other training details match the main experiments, as detailed in Section. 5.5",
             {"optimizer": "adamw", "learning_rate": 6e-4, "size": 512}),
        Said(1498, "Gaussian blur and Re-JPEG with the possibility 0.25 for each",
             {"strong": ("degrade",)}),
    ),
    "pspm-deeplab": (
        Said(1954, "We use SGD optimizer with a momentum of 0.9",
             {"optimizer": "sgd", "momentum": 0.9}),
        Said(1954, "a weight decay of 5x10^{-4}", {"weight_decay": 5e-4}),
        Said(1954, "The training is executed for about $40k$ iterations", {"steps": 40_000}),
        Said(1954, "a batch size of 16 is used", {"batch": 16}),
        Said(1954, "including random scaling, flipping and rotation",
             {"augmentation": "photographs"}),
        PHOTOGRAPHS,
        Said(1954, "We randomly crop 512x512 sub-images", {"size": 512}),
        Said(1954, "The learning rate is initialized as 0.01", {"learning_rate": 0.01}),
        Said(1954, "for every 20 epochs", BY_POLY),
        Said(1868, "a Cross-Entropy loss L_c to optimize the segmentation network directly",
             {"losses": {"cross_entropy": 1.0}, "trains": "segmentation"}),
        Said(1954, "pre-trained on ImageNet dataset", {"init": "torchvision"}),
    ),
    "pspm-b": (Said(2002, "without updating weights", {"steps": 0}),),
    "pspm-b1": (
        *ALL_OF_PHASE_2,
        Said(1868, "which is calculated in the whole image", {"trains": "all"}),
        Said(2012, "implements end-to-end training on B", {"trains": "all"}),
        Said(1872, "λ is set to 0.1", {"losses": {"alpha_whole": 1.0, "cross_entropy": 0.1}}),
    ),
    "pspm-phase-1": (
        *ALL_OF_PHASE_1,
        Said(1954, "with a momentum of 0.9 and a weight decay of 5x10^{-4}",
             {"momentum": 0.9, "weight_decay": 5e-4}),
        Said(1960, "argument them with random scaling, rotation and flipping",
             {"augmentation": "photographs"}),
        Said(1984, "$l = l_{a_U}$ in *Phase 1*", {"losses": {"alpha_unknown": 1.0}}),
        Said(1960, "the weight-fixed encoder and the weight-fixed SegDecoder",
             {"trains": "matting"}),
        Said(1934, "unknown regions are generated by the weight-fixed segmentation module",
             {"unknown": "estimated"}),
    ),
    "pspm-phase-2": (
        *ALL_OF_PHASE_2,
        Said(1962, "The same strategies are taken here", {"augmentation": "photographs"}),
        Said(1984, r"$\lambda_1 = 10$, $\lambda_2 = 10$ and $\lambda_3 = 10$",
             {"losses": {"alpha_unknown": 1.0, "alpha_whole": 10.0, "gradient": 10.0,
                         "affinity": 10.0}}),
        Said(1962, "end-to-end training of the whole network", {"trains": "all"}),
    ),
    "pspm-a2": (
        *ALL_OF_PHASE_1,
        Said(1996, "the 4th input channel of IndexNet as a map covered by unknown regions",
             {"prior": "none"}),
        Said(1998, "uses ground-truth trimap to calculate training loss",
             {"losses": {"alpha_unknown": 1.0}, "unknown": "truth"}),
    ),
}  # fmt: skip
OF_ANOTHER = {
    "pspm-a2": "Of A2+ the text gives no schedule: phase 1's is taken",
    "pspm-b1": "the schedule of line 1962, which trains end to end as well",
}
"""Recipes whose rates the text does not give: which others are taken, as their heads say."""
ASKED = {"optimizer", "learning_rate", "size", "batch", "losses"}
"""What the text must say of every network that is trained, beside its length."""


def resolved(name: str) -> dict[str, object]:
    (model,) = read_recipe(RECIPES / f"{name}.toml").models
    found: dict[str, object] = model.train.model_dump()
    found["epochs"] = model.train.steps / model.train.epoch
    if model.train.losses is not None:
        found["losses"] = model.train.losses.model_dump(exclude_defaults=True)
    return found


@pytest.mark.parametrize("name", SAID)
def test_a_recipe_has_the_values_that_the_words_give(name: str) -> None:
    found = resolved(name)
    for one in SAID[name]:
        assert {key: found[key] for key in one.values} == one.values, one


def test_every_recipe_is_quoted() -> None:
    assert set(SAID) == {path.stem for path in RECIPES.glob("*.toml")}


@pytest.mark.parametrize("name", sorted(set(SAID) - {"pspm-b"}))
def test_optimiser_rate_length_crop_batch_and_losses_are_quoted(name: str) -> None:
    quoted = {key for one in SAID[name] for key in one.values}
    assert quoted >= ASKED and quoted & {"steps", "epochs"}


@pytest.mark.parametrize("name", OF_ANOTHER)
def test_a_schedule_of_another_network_is_said_to_be_one(name: str) -> None:
    head = (RECIPES / f"{name}.toml").read_text().partition("\nname = ")[0]
    assert OF_ANOTHER[name] in " ".join(head.replace("\n#", " ").split())


@pytest.mark.parametrize("name", SAID)
def test_what_the_text_does_not_give_is_said_to_be_from_elsewhere(name: str) -> None:
    """The text never gives the encoder a rate of its own, nor AdamW a weight decay."""
    quoted = {key for one in SAID[name] for key in one.values}
    for line in (RECIPES / f"{name}.toml").read_text().splitlines():
        key = line.partition(" = ")[0]
        if key in ("encoder_rate", "weight_decay") and key not in quoted:
            assert "# not in the text: " in line, line


@pytest.mark.parametrize("name", SAID)
def test_a_line_that_a_recipe_cites_is_quoted_for_that_key(name: str) -> None:
    quoted = {(key, one.line) for one in SAID[name] for key in one.values}
    cited = cited_lines((RECIPES / f"{name}.toml").read_text())
    assert cited <= quoted, cited - quoted


def test_the_words_stand_at_their_lines() -> None:
    found = {(one.line, one.words) for many in SAID.values() for one in many}
    for path in RECIPES.glob("*.toml"):
        found |= quotations(path.read_text())
    assert not not_in_the_text(found)
