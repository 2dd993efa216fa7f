"""Which channels of a network hang together: what leaves together when one channel is pruned.

The network is exported once, and every channel is followed through its operators. A convolution
makes new channels. Batch normalisation, activations, pooling, unpooling and resizing hand them on;
additions, products and unpooling tie the channels of their operands one by one; concatenation and
pixel shuffles rearrange them. Where an operator is not known, the channels that meet it stay.

Why not torch-pruning: its automatic mode fails on index blocks and on unpooling, and with rules for
those it has nothing left to do that the rules do not.
"""

from __future__ import annotations

import torch
from torch import Tensor, fx

from edgemat.models.network import MattingNetwork
from edgemat.quantize.pruning.channels import ChannelGraph
from edgemat.quantize.pruning.operators import RULES
from edgemat.quantize.pruning.pointwise import name_of
from edgemat.quantize.pruning.record import ChannelRecord, Ids


def trace_channels(network: MattingNetwork, example: Tensor) -> ChannelGraph:
    """Follow the channels of `network` from one export.

    Parameters
    ----------
    network:
        In eval mode; not a deploy form, whose maps are reordered for runtimes.
    example:
        An input, B,C,H,W; costs are counted for its size.
    """
    program = torch.export.export(network.eval(), (example,))
    record = ChannelRecord(program)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs:
            record.ids[node] = record.still(node)
            record.lift(node, {})
        elif node.op == "call_function" and _has_channels(record, node):
            record.ids[node] = _follow(record, node)
        elif node.op == "output":
            record.freeze(node)
    return ChannelGraph(
        record.sets(), record.convolutions, record.left_alone(), record.scales, record.shifts
    )


def _has_channels(record: ChannelRecord, node: fx.Node) -> bool:
    """Return False for arithmetic on shapes, and for what is made of parameters alone."""
    is_map = isinstance(node.meta.get("val"), Tensor | tuple | list)
    return is_map and any(argument in record.ids for argument in node.all_input_nodes)


def _follow(record: ChannelRecord, node: fx.Node) -> Ids:
    """Return the channels that an operator gives; note the operator if none of the rules fits."""
    given = [argument for argument in node.all_input_nodes if argument in record.ids]
    record.lift(node, {k: v for argument in given for k, v in record.lifted[argument].items()})
    rule = RULES.get(name_of(node))
    found = None if rule is None else rule(record, node)
    return record.abandon(node, name_of(node)) if found is None else found
