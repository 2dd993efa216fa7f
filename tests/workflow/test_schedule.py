"""A recipe's sections on training reach the training loop whole."""

from __future__ import annotations

import pytest

from edgemat.recipe.sections import QatSection, RecoverSection, TrainSection, TuneSection
from edgemat.training.schedule import DETAIL_RAMP
from edgemat.workflow.stages.training import schedule_of

# Values that are nobody's default.
OTHER = {
    "steps": 7,
    "batch": 3,
    "learning_rate": 0.123,
    "warmup": 5,
    "bn": "running",
    "gradient_weight": 0.7,
    "affinity_weight": 0.6,
    "distillation_weight": 0.4,
    "autocast": "bf16",
    "workers": 9,
    "checkpoint_every": 11,
}


@pytest.mark.parametrize("kind", [TuneSection, TrainSection, RecoverSection, QatSection])
def test_what_a_section_says_is_what_the_loop_does(kind: type[TuneSection]) -> None:
    assert {*OTHER, "size"} == set(TuneSection.model_fields), "size is the data's"
    schedule = schedule_of(kind.model_validate(OTHER))
    assert {name: getattr(schedule, name) for name in OTHER} == OTHER


def test_the_losses_on_detail_come_in_slowly_where_training_starts() -> None:
    first = schedule_of(TrainSection(steps=2, encoder_rate=0.01))
    assert (first.detail_ramp, first.encoder_rate) == (DETAIL_RAMP, 0.01)
    again = schedule_of(RecoverSection())
    assert (again.detail_ramp, again.encoder_rate) == (0.0, 1.0)
