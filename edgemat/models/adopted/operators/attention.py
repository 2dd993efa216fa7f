"""Attention: products of matrices and a softmax."""

from __future__ import annotations

import math

import torch
from torch import Tensor, fx

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.lowering import Lowering, Rules, rule, shape_of
from edgemat.models.adopted.operators.activations import softmax

aten = torch.ops.aten
RULES: Rules = {}


@rule(RULES, aten.matmul.default, aten.bmm.default, aten.mm.default)
def _product(to: Lowering, *, x: fx.Node, **other: fx.Node | Tensor) -> fx.Node:
    (second,) = other.values()
    return to.call(torch.matmul, x, second)


@rule(
    RULES,
    aten.scaled_dot_product_attention.default,
    becomes="two products and a softmax (among many in float)",
)
def _attention(
    to: Lowering,
    *,
    query: fx.Node,
    key: fx.Node,
    value: fx.Node,
    attn_mask: fx.Node | Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
) -> fx.Node:
    if is_causal or enable_gqa:
        raise UnsupportedError(
            "Causal or grouped attention has no form that phones run.",
            remedy="Use plain attention: every pixel sees every other.",
        )
    mask = attn_mask.meta["val"] if isinstance(attn_mask, fx.Node) else attn_mask
    if mask is not None and mask.dtype == torch.bool:
        raise UnsupportedError(
            "Attention with a mask of true and false has no form that phones run.",
            remedy="Use plain attention: every pixel sees every other.",
        )
    depth = shape_of(query)[-1]
    factor = 1 / math.sqrt(depth) if scale is None else scale
    turned = to.call(torch.transpose, key, -2, -1)
    scores = to.call(torch.matmul, to.call(torch.mul, query, factor), turned)
    if attn_mask is not None:
        scores = to.call(torch.add, scores, attn_mask)
    return to.call(torch.matmul, softmax(to, scores, -1), value)
