"""Mattes of rendered people through one sampling or another: the comparison of Table 3.4.

The thesis compares samplings on Adobe's set, which may not be had by everybody; its protocol is
`recipes/thesis/indexnet.toml`. Here networks start from random weights, on crops around hair.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import default_collate

from edgemat.artifacts.artifact import MattingErrors
from edgemat.data.dataset import MattingDataset
from edgemat.data.held_out import for_training
from edgemat.data.open import open_data
from edgemat.experiments.protocol import SeriesProtocol
from edgemat.experiments.trial import Trial, hash_pixels
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.scoring.validation import VALIDATION_SEED, default_data, evaluation_set
from edgemat.training.losses import alpha_loss

SIZE, JUDGED = 96, 40
"""Side of crops and of judged composites, px; and how many are judged."""
MODELS = ("matting-b11-carafe", "matting-b11", "indexnet-hin-nlc")
"""Rows of Table 3.4: blind, max-unpooling, guided."""


def portraits_trial() -> Trial:
    """Return the experiment for a series: rendered people over drawn backgrounds, with trimaps.

    Figures are those of the unknown region. People who are held out are judged and not learned.
    """
    data = default_data("portrait")
    judged = evaluation_set(
        data, task="trimap", size=(SIZE, SIZE), count=JUDGED, seed=VALIDATION_SEED
    )

    def epoch(seed: int, number: int, protocol: SeriesProtocol) -> Iterator[tuple[Tensor, Tensor]]:
        source = open_data(for_training(data), seed=seed, size=(SIZE, SIZE))
        composites = MattingDataset(
            source, size=(SIZE, SIZE), seed=seed, length=1 << 30, views="edges"
        )
        first = number * protocol.samples
        for start in range(first, first + protocol.samples, protocol.batch):
            yield stack_composites(composites, range(start, start + protocol.batch))

    return Trial(
        subject="portraits",
        models=MODELS,
        data=f"rendered people that edgemat brings, {JUDGED} composites of those held out judged",
        pixels=hash_pixels([judged.pixels, judged.alphas, judged.trimaps]),
        epoch=epoch,
        loss=lambda found, wanted: alpha_loss(found.alpha, wanted[:, :1], wanted[:, 1:]),
        judge=lambda network: judge_alphas(network, judged).model_dump(),
        score="sad",
        more_is_better=False,
    )


def stack_composites(composites: MattingDataset, places: range) -> tuple[Tensor, Tensor]:
    """Return inputs B,4,H,W, and B,2,H,W: the alpha matte, and where it is unknown."""
    batch = default_collate([composites[place] for place in places])
    trimap = batch["trimap"]
    unknown = ((trimap > 0) & (trimap < 1)).float()
    return torch.cat([batch["image"], trimap], 1), torch.cat([batch["alpha"], unknown], 1)


def judge_alphas(network: nn.Module, judged: EvaluationSet) -> MattingErrors:
    """Return the errors of a network's mattes in the unknown region."""
    alphas = predict_all(torch_predictor(lambda x: network(x).alpha.clamp(0, 1)), judged)
    return score(alphas, judged)["unknown"]
