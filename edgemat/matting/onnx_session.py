"""onnxruntime, for networks of others: an extra that most people do without."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgemat.errors import ArtifactError, MissingToolError
from edgemat.images import F32


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
    except ImportError as error:
        raise MissingToolError(
            f"{path.name} runs in onnxruntime, which is not installed.",
            remedy='Install it with: pip install "edgemat[label]"',
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: it warns of processor details
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _refusals() as error:
        raise ArtifactError(
            f"{path} is not an .onnx file that onnxruntime can load.",
            remedy="The file is missing, damaged, or of operators that it lacks: fetch another.",
        ) from error


def run_onnx(session: Any, output: str, given: Mapping[str, F32], path: Path) -> F32:
    """Return one output of a session, float32.

    Raises
    ------
    ArtifactError
        When the network does not take what it is given.
    """
    try:
        (made,) = session.run([output], dict(given))
    except _refusals() as error:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in given.items())
        raise ArtifactError(
            f"{path} does not run on {shapes}.",
            remedy="Another --side may fit, or a file of one fixed size.",
        ) from error
    return np.asarray(made, np.float32)


def _refusals() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile",
             "NotImplemented", "RuntimeException")  # fmt: skip
    return tuple(getattr(state, name) for name in names)
