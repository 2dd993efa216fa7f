"""LiteRT's wheel for another processor: what goes onto devices is known by its hash."""

from __future__ import annotations

import sys
from pathlib import Path

from edgemat.bench.runner.bundle import PACKAGE, litert_version
from edgemat.errors import MissingToolError

WHEELS = {"aarch64": "manylinux_2_27_aarch64", "x86_64": "manylinux_2_27_x86_64"}
HASHES = {
    "2.3.0": (  # CPython 3.11, 3.12 and 3.13, for both processors
        "853fc608f96da87bd5f3458465dfb9abbf18d5ae6b94eceacead407146f175ae",
        "1f15078a6725d2357d9de9221664c29afa0545d807559c5f7199ce5e40b96b23",
        "9891611b23a87cc2ace60e4b5ee9a2ee6f0fb7f395f009470961ae6e6310e1b8",
        "dc9f56c23e0dcf182b6c35f23fbb102ed048296588882b806d5eff7654c04c88",
        "2ab71e4f5dfa65b3882634b42755f455f3e7415630d720200bd792733e15e257",
        "985ac3823fe1d5d6a04cf5f613cc2adf98a9c8a456af0b5efa8d9ac6b118ea14",
    ),
}
"""SHA-256 of the wheels by version: for a new one, `pip download` them and `sha256sum`."""


def download_command(architecture: str, folder: Path, *, version: str | None = None) -> list[str]:
    """Return the command that puts the wheel into `folder`; pip refuses one of another hash.

    Raises
    ------
    MissingToolError
        When the hashes of the installed version are not known.
    """
    version = version or litert_version()
    if version not in HASHES:
        raise MissingToolError(
            f"The hashes of {PACKAGE} {version} for devices are not known.",
            remedy=f"Install one of these: {', '.join(HASHES)}.",
        )
    hashes = " ".join(f"--hash=sha256:{one}" for one in HASHES[version])
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{PACKAGE}=={version} {hashes}\n")
    options = ["--no-deps", "--only-binary=:all:", "--platform", WHEELS[architecture]]
    options += ["--require-hashes", "-r", str(requirements), "-d", str(folder)]
    return [sys.executable, "-m", "pip", "download", "-q", *options]
