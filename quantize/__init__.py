"""Quantization to int8 with NNCF: a float network in, corrected weights and a QuantSpec out."""

import logging

# NNCF looks for CUDA when it is imported, and torch warns of not finding it.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
