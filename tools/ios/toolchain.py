"""A Swift toolchain: the machine's own, or Debian's in a folder of its own, without installing it.

Debian 13 (trixie) has Swift 6.0. Its packages are fetched by apt into a cache folder, checked by
apt's own signatures, unpacked there, and entered with chroot in a user namespace: the system's
packages stay as they are, and nobody needs to be root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgemat.errors import MissingToolError
from edgemat.files import atomic_path
from edgemat.folders import cache_folder
from tools.debian import check_debian, download, unpack

SUITE = "trixie"
PACKAGES = ["swiftlang", "libc6-dev", "libstdc++-14-dev", "base-files", "dash", "coreutils"]
"""The rest comes by their dependencies: about 105 packages, 550 MB, unpacked 2.6 GB."""
DOWNLOAD = "550 MB"
OLDEST = (6, 0)
_READY = "ready"

# $1 root, $2 repository, then the command: mounts exist in this namespace alone.
_ENTER = """
set -e
root=$1; source=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind "$source" "$root/src"
exec chroot "$root" /usr/bin/env -i HOME=/tmp LANG=C.UTF-8 \
  PATH=/usr/libexec/swift/bin:/usr/bin:/bin /bin/sh -c 'cd /src && exec "$@"' sh "$@"
"""


class SwiftToolchain(Protocol):
    """The folder in which `swift` runs."""

    @property
    def scratch(self) -> str:
        """Folder for what is built, as the toolchain sees it."""

    def run(self, repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository's root, its output captured; stderr is in stdout."""


@dataclass(frozen=True)
class OwnToolchain:
    """The machine's own Swift, as on a Mac."""

    scratch: str

    def run(self, repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; see :class:`SwiftToolchain`."""
        return _run(command, cwd=repository)


@dataclass(frozen=True)
class RootToolchain:
    """Debian's Swift in a root of its own."""

    root: Path
    scratch: str = "/tmp/edgemat"

    def run(self, repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; see :class:`SwiftToolchain`."""
        namespace = ["unshare", "--map-root-user", "--mount", "--pid", "--fork"]
        where = ["sh", "-c", _ENTER, "sh", str(self.root), str(repository)]
        return _run([*namespace, *where, *command])


def _folder() -> Path:
    return cache_folder() / f"swift-{SUITE}"


def find_toolchain() -> SwiftToolchain | None:
    """Return a toolchain that is there already, None without one."""
    if shutil.which("swift"):
        told = _run(["swift", "--version"]).stdout
        version = re.search(r"Swift version (\d+)\.(\d+)", told)
        if version and tuple(map(int, version.groups())) >= OLDEST:
            return OwnToolchain(str(cache_folder() / "swift-build"))
    folder = _folder()
    return RootToolchain(folder / "root") if (folder / _READY).exists() else None


def fetch_toolchain(say: Callable[[str], object]) -> SwiftToolchain:
    """Return the toolchain; fetch Debian's where there is none.

    Raises
    ------
    MissingToolError
        When this is no Debian, when the machine is offline, or when it forbids user namespaces.
    """
    found = find_toolchain()
    if found is not None:
        return found
    _check_machine()
    folder = _folder()
    say(f"Fetching Swift from Debian {SUITE} into {folder}: {DOWNLOAD}, once.")
    shutil.rmtree(folder, ignore_errors=True)  # of another version
    with atomic_path(folder, directory=True) as temporary:
        packages = download(PACKAGES, SUITE, temporary / "apt", needed=True)
        say(f"Unpacking {len(packages)} packages.")
        for package in packages:
            unpack(package, temporary / "root")
        shutil.rmtree(temporary / "apt")
        for name in ("proc", "dev", "tmp", "src"):
            (temporary / "root" / name).mkdir(exist_ok=True)
        version = RootToolchain(temporary / "root").run(temporary, "swift", "--version")
        if version.returncode != 0:
            raise MissingToolError(
                f"Debian's Swift does not start: {_last_line(version.stdout)}.",
                remedy="Install Swift 6 from swift.org.",
            )
        (temporary / _READY).write_text(version.stdout, encoding="utf-8")
    return RootToolchain(folder / "root")


def _check_machine() -> None:
    check_debian()
    for tool in ("unshare", "chroot"):
        if shutil.which(tool) is None:
            raise MissingToolError(
                f"There is no Swift here, and no {tool} to enter Debian's.",
                remedy="Install Swift 6 from swift.org, then run the same command again.",
            )
    if _run(["unshare", "--map-root-user", "--mount", "true"]).returncode != 0:
        raise MissingToolError(
            "This machine forbids user namespaces, which Debian's Swift is run in.",
            remedy="Run as root, or install Swift 6 from swift.org.",
        )


def _run(
    command: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "no reason given"
