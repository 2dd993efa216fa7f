"""Run a finished .tflite file: float32 in, float32 out, with the kernels of one's choice.

This is the light install's way to a model: numpy and ``ai-edge-litert``, no torch.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgemat.errors import ArtifactError, MissingToolError, UsageError
from edgemat.files import shorten

Kernels = Literal["xnnpack", "builtin", "reference"]

_RESOLVERS = {
    "xnnpack": "BUILTIN",
    "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "reference": "BUILTIN_REF",
}
_DELEGATE = "DELEGATE"
MAX_THREADS = 1024
# In a forked child, such as one that prepares data, an interpreter's threads are not there, and to
# end it is a segmentation fault: what is garbage at the fork is not collected there.
if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=gc.freeze)


@dataclass(frozen=True)
class DelegateCoverage:
    """The part of a graph that runs inside a delegate.

    Attributes
    ----------
    delegated, total:
        Operators of the file inside a delegate's partitions, and all of them.
    partitions:
        Pieces the delegated part is cut into; every cut costs a copy.
    """

    delegated: int
    total: int
    partitions: int

    @property
    def share(self) -> float:
        """Return the delegated share of the operators, 0..1."""
        return self.delegated / self.total


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of the graph as the interpreter knows it.

    Attributes
    ----------
    scales, zero_points:
        Empty where the tensor is not quantized; one entry, or one per slice along `axis`.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int


class TfliteModel:
    """A .tflite file with one input and one output, loaded and ready to run.

    Parameters
    ----------
    path:
        The file.
    threads:
        Threads of the kernels, 1 to 1,024.
    kernels:
        ``"xnnpack"``: the XNNPACK delegate, as on a phone's CPU; ``"builtin"``: TFLite's own
        optimised kernels; ``"reference"``: its plain reference kernels (slow, the arbiter).
    keep_tensors:
        Keep every intermediate tensor for :meth:`read`. With XNNPACK this cuts the graph into
        one partition per operator, so such a model is for looking and not for timing.

    Attributes
    ----------
    input_shape, output_shape:
        As in the file, usually (1, H, W, C).

    Raises
    ------
    ArtifactError
        When the file is missing, damaged, or not of one input and one output.
    MissingToolError
        When ``ai-edge-litert`` is not installed.
    UsageError
        When `threads` or `kernels` is impossible.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        kernels: Kernels = "xnnpack",
        keep_tensors: bool = False,
    ) -> None:
        if not 1 <= threads <= MAX_THREADS:
            raise UsageError(
                f"{threads} threads are impossible.", remedy=f"Give 1 to {MAX_THREADS:,}."
            )
        if kernels not in _RESOLVERS:
            raise UsageError(
                f"There are no {kernels!r} kernels.", remedy=f"Known: {', '.join(_RESOLVERS)}."
            )
        self.path = path
        self.threads = threads
        self.kernels = kernels
        self._interpreter = _load(path, threads, _RESOLVERS[kernels], keep_tensors)
        self._input = _only(self._interpreter.get_input_details(), "input", path)
        self._output = _only(self._interpreter.get_output_details(), "output", path)
        self.input_shape = self._input.shape
        self.output_shape = self._output.shape

    @property
    def input_span(self) -> tuple[float, float] | None:
        """Real values of an integer input's least and largest byte; None for a float input."""
        info = self._input
        if info.dtype == np.float32:
            return None
        limits = np.iinfo(info.dtype)
        least, most = (
            (limit - info.zero_points[0]) * info.scales[0] for limit in (limits.min, limits.max)
        )
        return least, most

    def run(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the output for one input.

        Where the file has integer input or output, values are quantized and dequantized here
        with the file's scale and zero-point.

        Parameters
        ----------
        x:
            float32 of shape ``input_shape`` (N, H, W, C), finite.

        Returns
        -------
        numpy.ndarray
            float32 of shape ``output_shape``.

        Raises
        ------
        UsageError
            When shape or dtype is wrong or a value is not finite.
        ArtifactError
            When the interpreter fails on the file.
        """
        self.set_input(x)
        self.invoke()
        return self.output()

    def set_input(self, x: npt.NDArray[np.float32]) -> None:
        """Put one input in place for :meth:`invoke`; see :meth:`run`."""
        if x.shape != self.input_shape or x.dtype != np.float32:
            raise UsageError(
                f"{self.path.name} takes float32 {self.input_shape}, not {x.dtype} {x.shape}.",
                remedy="Resize to the model's height and width and keep the batch axis.",
            )
        if not np.isfinite(x).all():
            raise UsageError(
                f"The input of {self.path.name} contains NaN or infinity.",
                remedy="Look at how the picture was decoded and scaled.",
            )
        self._interpreter.set_tensor(self._input.index, _quantize(x, self._input))

    def invoke(self) -> None:
        """Run the graph on the input already set. This is the call that a benchmark times."""
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ArtifactError(
                f"{self.path} cannot be run: {_first_line(error)}",
                remedy="Convert it again, or try kernels='reference'.",
            ) from error

    def output(self) -> npt.NDArray[np.float32]:
        """Return the output of the last :meth:`invoke`, float32 of shape ``output_shape``."""
        return _dequantize(self._interpreter.get_tensor(self._output.index), self._output)

    def delegate_coverage(self) -> DelegateCoverage:
        """Return how many operators the delegate really took over."""
        original, partitions, taken = self._assignment()
        return DelegateCoverage(len(taken), len(original), len(partitions))

    def operators(self) -> list[str]:
        """Return the names of the file's operators, in their order."""
        return [op["op_name"] for op in self._assignment()[0]]

    def operators_outside(self) -> list[str]:
        """Return the names of the operators that the delegate did not take, in their order."""
        original, _, taken = self._assignment()
        return [op["op_name"] for op in original if op["index"] not in taken]

    def _assignment(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[int]]:
        """Return the file's operators, the delegate's partitions, and who is in a partition.

        The interpreter keeps the file's operators in its list and appends one DELEGATE node
        per partition. The operators of a partition are those met when walking back from
        the node's outputs to its inputs.
        """
        ops = self._interpreter._get_ops_details()
        original = [op for op in ops if op["op_name"] != _DELEGATE]
        partitions = [op for op in ops if op["op_name"] == _DELEGATE]
        producer = {int(t): op for op in original for t in op["outputs"]}
        taken: set[int] = set()
        for node in partitions:
            borders = {int(t) for t in node["inputs"]}
            pending = [int(t) for t in node["outputs"]]
            while pending:
                tensor = pending.pop()
                op = producer.get(tensor)
                if tensor in borders or op is None or op["index"] in taken:
                    continue
                taken.add(op["index"])
                pending.extend(int(t) for t in op["inputs"])
        return original, partitions, taken

    def tensors(self) -> list[TensorInfo]:
        """Return all tensors of the graph, constants included."""
        return [_tensor_info(detail) for detail in self._interpreter.get_tensor_details()]

    def activations(self) -> list[TensorInfo]:
        """Return the tensors that operators of the file compute, in the order of the operators."""
        known = {tensor.index: tensor for tensor in self.tensors()}
        original, _, _ = self._assignment()
        return [known[int(index)] for op in original for index in op["outputs"]]

    def read(self, index: int) -> npt.NDArray[Any]:
        """Return a copy of one tensor's raw content after a run (see `keep_tensors`).

        Raises
        ------
        ArtifactError
            When the tensor's content was not kept.
        """
        try:
            content: npt.NDArray[Any] = self._interpreter.get_tensor(index)
        except ValueError as error:
            raise ArtifactError(
                f"Tensor {index} of {self.path.name} has no content.",
                remedy="Load the model with keep_tensors=True and run it first.",
            ) from error
        return content


def runtime_version() -> str:
    """Return the name and version of the runtime, for example ``ai-edge-litert 2.3.0``.

    Raises
    ------
    MissingToolError
        When ``ai-edge-litert`` is not installed.
    """
    try:
        return f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}"
    except importlib.metadata.PackageNotFoundError as error:
        raise _missing_runtime() from error


def _missing_runtime() -> MissingToolError:
    return MissingToolError(
        "Running a .tflite file needs the LiteRT runtime, which is not installed.",
        remedy="Install it with: pip install ai-edge-litert",
    )


def invoke_freely(path: Path) -> Callable[[], None]:
    """Return what runs a .tflite of any inputs once, on zeros, with one thread: to be measured."""
    interpreter = _load(path, 1, _RESOLVERS["xnnpack"], False)
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    run: Callable[[], None] = interpreter.invoke
    return run


def _load(path: Path, threads: int, resolver: str, keep_tensors: bool) -> Any:
    """Return an allocated interpreter."""
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise _missing_runtime() from error
    if not os.path.isfile(path):  # False as well for a name that the system refuses
        raise ArtifactError(
            f"There is no file {shorten(path)}.", remedy="Give the path of a .tflite file."
        )
    try:
        with warnings.catch_warnings():
            # It says that kept tensors cost memory, which is what the caller asked for.
            warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")
            interpreter = Interpreter(
                model_path=str(path),
                num_threads=threads,
                experimental_op_resolver_type=getattr(OpResolverType, resolver),
                experimental_preserve_all_tensors=keep_tensors,
            )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        raise ArtifactError(
            f"{path} is not a .tflite file that this runtime can load: {_first_line(error)}",
            remedy="The file is damaged or of another kind: convert it again.",
        ) from error
    return interpreter


def _only(details: list[dict[str, Any]], what: str, path: Path) -> TensorInfo:
    if len(details) != 1:
        raise ArtifactError(
            f"{path} has {len(details)} {what}s.", remedy=f"Edgemat's files have one {what}."
        )
    info = _tensor_info(details[0])
    if info.dtype == np.float32:
        return info
    if info.dtype not in (np.int8, np.uint8, np.int16) or len(info.scales) != 1:
        raise ArtifactError(
            f"The {what} of {path} is {info.dtype} with {len(info.scales)} scales.",
            remedy="It must be float32, or int8, uint8 or int16 with one scale.",
        )
    return info


def _tensor_info(detail: dict[str, Any]) -> TensorInfo:
    quantization = detail["quantization_parameters"]
    return TensorInfo(
        index=int(detail["index"]),
        name=str(detail["name"]),
        shape=tuple(int(n) for n in detail["shape"]),
        dtype=np.dtype(detail["dtype"]),
        scales=tuple(float(s) for s in quantization["scales"]),
        zero_points=tuple(int(z) for z in quantization["zero_points"]),
        axis=int(quantization["quantized_dimension"]),
    )


def _quantize(x: npt.NDArray[np.float32], info: TensorInfo) -> npt.NDArray[Any]:
    if info.dtype == np.float32:
        return x
    steps = x / np.float32(info.scales[0])
    # TFLite rounds half away from zero; numpy's round would take the even neighbour.
    rounded = np.copysign(np.floor(np.abs(steps) + np.float32(0.5)), steps)
    limits = np.iinfo(info.dtype)
    levels: npt.NDArray[Any] = np.clip(rounded + info.zero_points[0], limits.min, limits.max)
    return levels.astype(info.dtype)


def _dequantize(raw: npt.NDArray[Any], info: TensorInfo) -> npt.NDArray[np.float32]:
    if info.dtype == np.float32:
        return raw
    return (raw.astype(np.float32) - info.zero_points[0]) * np.float32(info.scales[0])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
