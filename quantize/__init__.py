"""Quantization to int8 with NNCF: a float network in, corrected weights and a QuantSpec out."""
