"""Public weights that edgemat knows by their names, and does not import: whose, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """Weights of one public repository.

    Attributes
    ----------
    names:
        Ends of the names of tensors that such a file has all of.
    reason:
        Ends the sentence that begins with the title.
    """

    title: str
    names: tuple[str, ...]
    reason: str


REFUSED = (
    Refused(
        "DeepLabV3+ (jfzhang95's pytorch-deeplab-xception)",
        (
            "backbone.features.0.0.weight",
            "aspp.aspp1.atrous_conv.weight",
            "decoder.last_conv.8.weight",
        ),
        "segments classes and mattes nothing; its MobileNetV2 pads before it expands, which "
        "edgemat's DeepLabV3+ of three classes does not",
    ),
    Refused(
        "CARAFE (CARAFEPack)",
        ("channel_compressor.weight", "content_encoder.weight"),
        "predicts its kernels with biases, for which edgemat's, the thesis' of Table 4.2, has no "
        "place",
    ),
)


def find_refused(names: Iterable[str]) -> Refused | None:
    """Return which of these a file's tensors are, by their names; None for any other."""
    known = tuple(names)
    return next(
        (
            one
            for one in REFUSED
            if all(any(f".{name}".endswith(f".{end}") for name in known) for end in one.names)
        ),
        None,
    )
