"""The abilities of this machine, and how to get those that it lacks."""

from __future__ import annotations

import contextlib
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from edgemat.errors import MissingToolError
from edgemat.files import explained

INT8_DOT_PRODUCT = "int8 dot product"
INT8_SAYS_NOTHING = (
    "not found: int8 is about as fast as float here, which says nothing of phones, that have one"
)


@dataclass(frozen=True)
class AbilityCheck:
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
    ("Measure the errors of mattes: evaluate, bias", ("scipy",), "evaluate"),
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
# extra to those that come with it
_WITHIN = {
    "train": ("evaluate",),
    "deploy": ("evaluate", "train"),
    "classical": ("evaluate",),
    "report": ("evaluate",),
    "coreai": ("deploy", "evaluate", "train"),
    "label": ("evaluate",),
}
IMPORT_NAMES = {"scikit-image": "skimage", "coreai-core": "coreai"}


def examine() -> list[AbilityCheck]:
    """Look at this machine."""
    findings = [_packages(*row) for row in PACKAGES]
    return [_python(), *findings, _gpu(), _bfloat16(), _int8(), _mac(), _disk()]


def explain_missing(error: ImportError, *extras: str) -> MissingToolError:
    """Return how to get the package that `error` misses; raises `error` if no extra brings it.

    Parameters
    ----------
    extras:
        What else is needed, such as "deploy": one installation is enough, where the package's own
        extra might be the first of several.
    """
    missing = (error.name or "").split(".")[0]
    for _, packages, extra in PACKAGES:
        for package in packages:
            if extra and missing == _import_name(package):
                wanted = {*extras, extra}
                named = ",".join(sorted(wanted - _within(wanted)))
                return MissingToolError(
                    f"This needs {package}, which is not installed.",
                    remedy=f'Run: pip install "edgemat[{named}]"',
                )
    raise error


@contextlib.contextmanager
def needs(*extras: str) -> Iterator[None]:
    """Say which extras bring a package that is missing inside, or what a path lacks.

    In place of ImportError and OSError its callers meet an :class:`EdgematError`. A function is
    decorated with it as well. Without `extras`, the missing package's own is named.
    """
    try:
        yield
    except ImportError as error:
        raise explain_missing(error, *extras) from error
    except OSError as error:
        raise explained(error) from error


def require(*extras: str) -> None:
    """Raise MissingToolError, before any work begins, where a package of some extras is missing."""
    wanted = {*extras} | _within(extras)
    packages = (package for _, some, extra in PACKAGES if extra in wanted for package in some)
    with needs(*extras):
        for name in map(_import_name, packages):
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"There is no {name}.", name=name)


def _import_name(package: str) -> str:
    return IMPORT_NAMES.get(package, package.replace("-", "_"))


def _within(extras: Iterable[str]) -> set[str]:
    """Return the extras that come with others."""
    return {part for extra in extras for part in _WITHIN.get(extra, ())}


def _python() -> AbilityCheck:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info < (3, 14)
    return AbilityCheck("Python 3.11 to 3.13", ok, version, "" if ok else "Install Python 3.11.")


def _packages(ability: str, names: tuple[str, ...], extra: str) -> AbilityCheck:
    versions, missing = [], []
    for name in names:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        target = f'"edgemat[{extra}]"' if extra else "edgemat"
        return AbilityCheck(
            ability, False, f"missing: {', '.join(missing)}", f"pip install {target}"
        )
    return AbilityCheck(ability, True, ", ".join(versions))


def _gpu() -> AbilityCheck:
    found = _ask_torch(lambda torch: torch.cuda.is_available() or torch.backends.mps.is_available())
    detail = {True: "found", False: "none found: training runs on the CPU", None: "torch missing"}
    return AbilityCheck("Train on a GPU", bool(found), detail[found])


def _bfloat16() -> AbilityCheck:
    ok = cpu_has_bfloat16()
    return AbilityCheck("bfloat16 on the CPU", ok, "found" if ok else "not found in this processor")


def _int8() -> AbilityCheck:
    ok = cpu_has_int8_dot_product()
    return AbilityCheck(f"{INT8_DOT_PRODUCT} on the CPU", ok, "found" if ok else INT8_SAYS_NOTHING)


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


def _mac() -> AbilityCheck:
    ok = sys.platform == "darwin"
    detail = "this is a Mac" if ok else "needs a Mac; edgemat's own executor checks the files here"
    return AbilityCheck("Run Core ML files in Core ML", ok, detail)


def _disk() -> AbilityCheck:
    free = shutil.disk_usage(".").free / 1e9
    ok = free > 2
    remedy = "" if ok else "Free some space: a run needs up to 2 GB."
    return AbilityCheck("Disk space for a run", ok, f"{free:.0f} GB free", remedy)


def _ask_torch(question: Callable[[Any], bool]) -> bool | None:
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return bool(question(torch))
