"""onnxruntime, for networks of others: an extra that most people do without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgemat.errors import ArtifactError, MissingToolError


def open_onnx(path: Path, *, threads: int = 1) -> Any:
    """Return an onnxruntime session of an .onnx file on the CPU.

    Raises
    ------
    MissingToolError
        Without onnxruntime.
    ArtifactError
        When the file is missing, or none that onnxruntime can load.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError as error:
        raise MissingToolError(
            f"{path.name} runs in onnxruntime, which is not installed.",
            remedy='Install it with: pip install "edgemat[label]"',
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: it warns of processor details
    refusals = (state.InvalidProtobuf, state.InvalidGraph, state.Fail, state.NoSuchFile)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise ArtifactError(
            f"{path} is not an .onnx file that onnxruntime can load.",
            remedy="The file is missing, damaged or of another kind: fetch it again.",
        ) from error
