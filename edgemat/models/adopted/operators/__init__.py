"""The rules, by what they are about."""

from __future__ import annotations

from edgemat.models.adopted.lowering import Rules
from edgemat.models.adopted.operators import (
    activations,
    arithmetic,
    attention,
    convolutions,
    norms,
    pooling,
    shapes,
)

RULES: Rules = {
    **convolutions.RULES,
    **norms.RULES,
    **activations.RULES,
    **arithmetic.RULES,
    **pooling.RULES,
    **shapes.RULES,
    **attention.RULES,
}
