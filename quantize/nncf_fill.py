"""Teach NNCF what TFLite needs, before it collects statistics.

NNCF places quantizers for OpenVINO, which runs sigmoid, softmax, subtraction and resizing in float
fuses more than TFLite does, and leaves squeeze-and-excitation out. In an int8 TFLite file every one
of these edges needs a grid too ("the fill"). NNCF 3.4 has no public interface for this; its version
is pinned.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from nncf.common.graph.patterns import GraphPattern, HWFusedPatternNames
from nncf.common.graph.patterns.patterns import IgnoredPatternNames
from nncf.common.quantization.quantizer_propagation.structs import QuantizationTrait
from nncf.quantization.algorithms.min_max import torch_backend
from nncf.torch.graph import operator_metatypes as om
from nncf.torch.graph.pattern_operations import ARITHMETIC_OPERATIONS, LINEAR_OPERATIONS
from nncf.torch.hardware.fused_patterns import PT_HW_FUSED_PATTERNS
from nncf.torch.quantization.ignored_patterns import PT_IGNORED_PATTERNS

NEED_QUANTIZED_INPUTS = (
    om.PTSubMetatype,
    om.PTSigmoidMetatype,
    om.PTSoftmaxMetatype,
    om.PTInterpolateMetatype,
    # of networks that are not edgemat's; what computes before them stays int8 by it
    om.PTGELUMetatype,
    om.PTELUMetatype,
    om.PTTanhMetatype,
    om.PTGroupNormMetatype,
)
# relu; relu6 and clamp
FUSED_ACTIVATIONS = [om.PTRELUMetatype, om.PTHardTanhMetatype]


class TfliteBackend(torch_backend.PTMinMaxAlgoBackend):  # type: ignore[misc]  # NNCF has no types
    """NNCF's torch backend, with TFLite's idea of what runs in int8."""

    @property
    def hw_config(self) -> Callable[[Any], None]:
        """No OpenVINO device description: the traits below decide alone."""
        return lambda target_device: None

    @property
    def elementwise_metatypes(self) -> list[type[om.PTOperatorMetatype]]:
        """Keep every quantizer of elementwise operators (those by a constant would go)."""
        return []

    @property
    def quant_trait_op_dict(self) -> dict[QuantizationTrait, list[type[om.PTOperatorMetatype]]]:
        traits = dict(super().quant_trait_op_dict)
        quantizable = QuantizationTrait.INPUTS_QUANTIZABLE
        traits[quantizable] = [*traits[quantizable], *NEED_QUANTIZED_INPUTS]
        return traits


@contextlib.contextmanager
def filled_for_tflite() -> Iterator[None]:
    """Within, ``nncf.quantize`` quantizes every edge that an int8 TFLite file has in int8."""
    patterns = PT_HW_FUSED_PATTERNS.registry_dict
    saved_patterns, saved_backend = dict(patterns), torch_backend.PTMinMaxAlgoBackend
    patterns.clear()
    patterns.update(_tflite_fusions())
    ignored = PT_IGNORED_PATTERNS.registry_dict
    squeezed = ignored.pop(IgnoredPatternNames.SE_BLOCK)
    torch_backend.PTMinMaxAlgoBackend = TfliteBackend
    try:
        yield
    finally:
        torch_backend.PTMinMaxAlgoBackend = saved_backend
        ignored[IgnoredPatternNames.SE_BLOCK] = squeezed
        patterns.clear()
        patterns.update(saved_patterns)


def _tflite_fusions() -> dict[str, Callable[[], GraphPattern]]:
    """Patterns that TFLite runs as one operator, without a grid between them."""

    def followed_by_relu(operations: dict[str, Any]) -> GraphPattern:
        pattern, relu = GraphPattern(), GraphPattern()
        pattern.add_node(**operations)
        relu.add_node(type=FUSED_ACTIVATIONS, label="RELU")
        pattern.join_patterns(relu)
        return pattern

    return {
        HWFusedPatternNames.LINEAR_ACTIVATIONS: lambda: followed_by_relu(LINEAR_OPERATIONS),
        HWFusedPatternNames.ARITHMETIC_ACTIVATIONS: lambda: followed_by_relu(ARITHMETIC_OPERATIONS),
    }
