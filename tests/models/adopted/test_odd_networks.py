"""Networks with what few networks have, from a module to files for both phones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from strangers import Attention, OddUNet, randomised
from torch import nn

import edgemat


@pytest.mark.long
@pytest.mark.parametrize("make", [OddUNet, Attention])
def test_odd_networks_go_the_whole_way(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    """PReLU, instance norm, borders that are reflected; attention."""
    network = randomised(make()).eval()
    made = edgemat.adopt(network, size=(64, 64), logits=True, name="odd", output=tmp_path)
    quantized = edgemat.quantize(made, calibration=8, images=2, data="procedural")
    for target, least in (("tflite-fp32", 70), ("coreml-fp16", 45)):
        file = edgemat.convert(made, target, images=2, data="procedural")
        assert min(agreement.psnr_db for agreement in file.manifest.agreements) >= least
    for target, most in (("tflite-int8", 0.005), ("coreml-w8a8", 1e-4)):
        manifest = edgemat.convert(quantized, target, images=2, data="procedural").manifest
        proof = manifest.int8_proof
        assert proof is not None and proof.int8_convolutions == proof.convolutions
        assert proof.scales_exact == proof.scales
        assert manifest.agreements[0].mean_abs <= most
