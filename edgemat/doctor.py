"""The abilities of this machine, and how to get those that it lacks."""

from __future__ import annotations

import functools
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, ParamSpec, TypeVar

from edgemat.errors import MissingToolError
from edgemat.files import explained

P = ParamSpec("P")
R = TypeVar("R")


INT8_DOT_PRODUCT = "int8 dot product"
INT8_SAYS_NOTHING = (
    "not found: int8 is about as fast as float here, which says nothing of phones, that have one"
)


@dataclass(frozen=True)
class Finding:
    """One ability of this machine.

    Attributes
    ----------
    ability:
        What a user wants to do.
    detail:
        The version found, or what is missing.
    remedy:
        The command that brings it; empty where all is well.
    """

    ability: str
    ok: bool
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


# ability, packages that it needs, the extra that brings them
PACKAGES = (
    ("Run .tflite files: matte, bench", ("ai-edge-litert",), ""),
    ("Matting without a network: closed-form, knn", ("pymatting",), "classical"),
    ("Cut videos out", ("av",), "video"),
    ("Serve a page: edgemat serve", ("starlette", "uvicorn"), "serve"),
    ("Spread work over a cluster: --ray", ("ray", "pandas", "pyarrow"), "ray"),
    ("Train", ("torch", "torchvision", "safetensors"), "train"),
    ("Quantize with NNCF", ("nncf", "torchao"), "deploy"),
    ("Convert to TFLite", ("litert-torch",), "deploy"),
    ("Convert to Core ML, and check the result", ("coremltools",), "deploy"),
    (
        "Convert to Core AI, and run the result in Apple's runtime",
        ("coreai-core", "coreai-torch"),
        "coreai",
    ),
    ("Write reports", ("jinja2", "matplotlib", "scikit-image"), "report"),
)
IMPORT_NAMES = {"scikit-image": "skimage", "coreai-core": "coreai"}


def examine() -> list[Finding]:
    """Look at this machine."""
    findings = [_packages(*row) for row in PACKAGES]
    return [_python(), *findings, _gpu(), _bfloat16(), _int8(), _mac(), _disk()]


def explain_missing(error: ImportError) -> MissingToolError:
    """Return how to get the package that `error` misses; raises `error` if no extra brings it."""
    missing = (error.name or "").split(".")[0]
    for _, packages, extra in PACKAGES:
        for package in packages:
            if extra and missing == IMPORT_NAMES.get(package, package.replace("-", "_")):
                return MissingToolError(
                    f"This needs {package}, which is not installed.",
                    remedy=f'Run: pip install "edgemat[{extra}]"',
                )
    raise error


def explains_missing(function: Callable[P, R]) -> Callable[P, R]:
    """Let `function` say how to get a package that is missing, or what a path lacks.

    In place of ImportError and OSError its callers meet an :class:`EdgematError`.
    """

    @functools.wraps(function)
    def explaining(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ImportError as error:
            raise explain_missing(error) from error
        except OSError as error:
            raise explained(error) from error

    return explaining


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info < (3, 14)
    return Finding("Python 3.11 to 3.13", ok, version, "" if ok else "Install Python 3.11.")


def _packages(ability: str, names: tuple[str, ...], extra: str) -> Finding:
    versions, missing = [], []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        target = f'"edgemat[{extra}]"' if extra else "edgemat"
        return Finding(ability, False, f"missing: {', '.join(missing)}", f"pip install {target}")
    return Finding(ability, True, ", ".join(versions))


def _gpu() -> Finding:
    found = _ask_torch(lambda torch: torch.cuda.is_available() or torch.backends.mps.is_available())
    detail = {True: "found", False: "none found: training runs on the CPU", None: "torch missing"}
    return Finding("Train on a GPU", bool(found), detail[found])


def _bfloat16() -> Finding:
    ok = cpu_has_bfloat16()
    return Finding("bfloat16 on the CPU", ok, "found" if ok else "not found in this processor")


def _int8() -> Finding:
    ok = cpu_has_int8_dot_product()
    return Finding(f"{INT8_DOT_PRODUCT} on the CPU", ok, "found" if ok else INT8_SAYS_NOTHING)


def cpu_has_bfloat16() -> bool:
    """Return whether the processor is known to compute in bfloat16 itself."""
    return bool(_cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"})


def cpu_has_int8_dot_product() -> bool:
    """Return whether the processor multiplies int8 and adds up in one instruction, as phones do."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"  # every one of Apple's does
    return bool(_cpu_flags() & {"avx512_vnni", "avx_vnni", "asimddp", "i8mm"})


def int8_kind(has_dot_product: bool) -> str:
    """Return the kind of a processor whose int8 times are told, in words.

    >>> from edgemat.doctor import int8_kind
    >>> int8_kind(True)
    'with an int8 dot product'
    """
    return f"{'with' if has_dot_product else 'without'} an {INT8_DOT_PRODUCT}"


def _cpu_flags() -> set[str]:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return set(file.read().split())
    except OSError:
        return set()


def _mac() -> Finding:
    ok = sys.platform == "darwin"
    detail = "this is a Mac" if ok else "needs a Mac; edgemat's own executor checks the files here"
    return Finding("Run Core ML files in Core ML", ok, detail)


def _disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    ok = free > 2
    remedy = "" if ok else "Free some space: a run needs up to 2 GB."
    return Finding("Disk space for a run", ok, f"{free:.0f} GB free", remedy)


def _ask_torch(question: Callable[[Any], bool]) -> bool | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return bool(question(torch))
