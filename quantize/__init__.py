"""Quantization to int8 with NNCF: a float network in, corrected weights and a QuantSpec out."""

import logging
import sys

from edgemat.callable_package import make_callable

# NNCF looks for CUDA when it is imported, and torch warns of not finding it.
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

# NNCF reports its use to an analytics host, from a child process, and keeps an identifier in the
# user's home; nobody was asked. Where this package is absent it does neither.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
make_callable(__name__)
