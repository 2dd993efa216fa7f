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
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgemat.errors import MissingToolError

SUITE = "trixie"
PACKAGES = ("swiftlang", "libc6-dev", "libstdc++-14-dev", "base-files", "dash", "coreutils")
"""The rest comes by their dependencies: about 105 packages, 550 MB, unpacked 2.6 GB."""
DOWNLOAD = "550 MB"
OLDEST = (6, 0)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "EDGEMAT_DEBIAN_MIRROR"
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

_APT_CONFIG = """
Dir "{folder}";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc "{folder}/etc";
Dir::Etc::sourceparts "-";
APT::Install-Recommends "false";
APT::Sandbox::User "";
"""


class Toolchain(Protocol):
    """Where `swift` runs."""

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
        """Run a command; see :class:`Toolchain`."""
        return _run(command, cwd=repository)


@dataclass(frozen=True)
class RootToolchain:
    """Debian's Swift in a root of its own."""

    root: Path
    scratch: str = "/tmp/edgemat"

    def run(self, repository: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; see :class:`Toolchain`."""
        namespace = ["unshare", "--map-root-user", "--mount", "--pid", "--fork"]
        where = ["sh", "-c", _ENTER, "sh", str(self.root), str(repository)]
        return _run([*namespace, *where, *command])


def cache_folder() -> Path:
    """Return the folder that keeps the toolchain: one for each user."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "edgemat" / f"swift-{SUITE}"


def find_toolchain() -> Toolchain | None:
    """Return a toolchain that is there already, None without one."""
    if shutil.which("swift"):
        told = _run(["swift", "--version"]).stdout
        version = re.search(r"Swift version (\d+)\.(\d+)", told)
        if version and tuple(map(int, version.groups())) >= OLDEST:
            return OwnToolchain(str(cache_folder().with_name("swift-build")))
    folder = cache_folder()
    return RootToolchain(folder / "root") if (folder / _READY).exists() else None


def fetch_toolchain(say: Callable[[str], object]) -> Toolchain:
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
    folder = cache_folder()
    say(f"Fetching Swift from Debian {SUITE} into {folder}: {DOWNLOAD}, once.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)  # what a killed fetch left behind
    _download(folder)
    _unpack(folder, say)
    toolchain = RootToolchain(folder / "root")
    version = toolchain.run(folder, "swift", "--version")
    if version.returncode != 0:
        raise MissingToolError(
            f"Debian's Swift does not start: {_last_line(version.stdout)}.",
            remedy=f"Remove {folder} and try again, or install Swift 6 from swift.org.",
        )
    (folder / _READY).write_text(version.stdout, encoding="utf-8")
    return toolchain


def _check_machine() -> None:
    for tool in ("apt-get", "dpkg-deb", "unshare", "chroot"):
        if shutil.which(tool) is None:
            raise MissingToolError(
                f"There is no Swift here, and no {tool} to fetch Debian's.",
                remedy="Install Swift 6 from swift.org, then run the same command again.",
            )
    if _run(["unshare", "--map-root-user", "--mount", "true"]).returncode != 0:
        raise MissingToolError(
            "This machine forbids user namespaces, which Debian's Swift is run in.",
            remedy="Run as root, or install Swift 6 from swift.org.",
        )


def _mirror() -> str:
    """Return the address of the Debian mirror that this machine itself uses."""
    if os.environ.get(MIRROR):
        return os.environ[MIRROR]
    pattern = ["--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]
    for line in _run(["apt-get", "indextargets", *pattern]).stdout.splitlines():
        origin, _, address = line.partition(" ")
        if origin == "Debian" and not address.rstrip("/").endswith("-security"):
            return address
    raise MissingToolError(
        "This machine's apt knows no Debian mirror to fetch Swift from.",
        remedy=f"Name one in the environment: {MIRROR}=http://...",
    )


def _download(folder: Path) -> None:
    """Fetch all packages by an apt of its own, which knows of no installed package."""
    for name in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d"):
        (folder / name).mkdir(parents=True)
    (folder / "etc" / "preferences.d").mkdir()
    (folder / "state" / "status").touch()
    source = f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n"
    (folder / "etc" / "sources.list").write_text(source, encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".conf", dir=folder) as config:
        config.write(_APT_CONFIG.format(folder=folder))
        config.flush()
        environment = {"APT_CONFIG": config.name}
        for command in (["update"], ["install", "--download-only", "--yes", *PACKAGES]):
            done = _run(["apt-get", *command], environment=environment)
            if done.returncode != 0:
                raise MissingToolError(
                    f"Swift cannot be fetched from Debian: {_last_line(done.stdout)}.",
                    remedy="Check the network, then run the same command again.",
                )


def _unpack(folder: Path, say: Callable[[str], object]) -> None:
    packages = sorted((folder / "cache" / "archives").glob("*.deb"))
    size = sum(package.stat().st_size for package in packages) / 1e6
    say(f"Unpacking {len(packages)} packages, {size:.0f} MB.")
    root = folder / "root"
    for package in packages:
        done = _run(["dpkg-deb", "--extract", str(package), str(root)])
        if done.returncode != 0:
            raise MissingToolError(
                f"{package.name} cannot be unpacked: {_last_line(done.stdout)}.",
                remedy="Free 4 GB on this disk, then run the same command again.",
            )
        package.unlink()
    for name in ("proc", "dev", "tmp", "src"):
        (root / name).mkdir(exist_ok=True)


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
