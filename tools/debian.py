"""An apt of one's own: Debian packages of any release, into any folder, without being root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from edgemat.errors import MissingToolError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = "EDGEMAT_DEBIAN_MIRROR"
"""Variable of the environment with a mirror's address, for machines whose apt knows none."""


def check_debian() -> None:
    """Make sure that packages can be fetched and unpacked here.

    Raises
    ------
    MissingToolError
        When this is no Debian on x86-64.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise MissingToolError(f"There is no {tool} here.", remedy="This needs Debian.")
    machine = run(["dpkg", "--print-architecture"]).strip()
    if machine != "amd64" or not KEYRING.exists():
        raise MissingToolError(
            "The packages are those of Debian on x86-64.", remedy="Use such a machine or container."
        )


def download(
    packages: list[str], release: str, folder: Path, *, needed: bool = False
) -> list[Path]:
    """Fetch packages of a release, checked by apt's own signatures.

    Parameters
    ----------
    folder:
        Where the packages and what apt notes go: an empty one.
    needed:
        Fetch all that the packages depend on as well.

    Returns
    -------
    list[Path]
        The packages, by name.

    Raises
    ------
    MissingToolError
        When they cannot be had.
    """
    apt = _own_apt(folder, release)
    run([*apt, "update"])
    if needed:
        run([*apt, "install", "--download-only", "--yes", *packages])
    else:
        run([*apt, "download", *packages], cwd=folder / "archives")
    return sorted((folder / "archives").glob("*.deb"))


def unpack(package: Path, folder: Path) -> None:
    """Unpack a package into a folder.

    Raises
    ------
    MissingToolError
        When it is damaged, or the disk is full.
    """
    run(["dpkg-deb", "--extract", str(package), str(folder)])


def run(command: list[str], *, cwd: Path | None = None) -> str:
    """Return what a command printed.

    Raises
    ------
    MissingToolError
        When it failed, with the last line of what it said.
    """
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise MissingToolError(
            f"{command[0]} failed: {last}", remedy="Look at the network and at the disk's space."
        ) from error
    return done.stdout


def _own_apt(folder: Path, release: str) -> list[str]:
    """Return an apt-get that knows one release, no installed package, and only this folder."""
    for name in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    source = f"deb [signed-by={KEYRING}] {_mirror()} {release} main\n"
    (folder / "etc" / "sources.list").write_text(source)
    options = {
        "Dir::Etc": folder / "etc",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    return ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]


def _mirror() -> str:
    """Return the address from which this system has its Debian packages."""
    if os.environ.get(MIRROR):
        return os.environ[MIRROR]
    listed = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian"])
    # before the first `apt-get update` no origin is known, only the address
    listed = listed or run(["apt-get", "indextargets", "--format", "$(REPO_URI)"])
    for address in listed.splitlines():
        if re.search(r"/debian/?$", address):
            return address
    raise MissingToolError(
        "apt knows no Debian mirror.", remedy=f"Name one in the environment: {MIRROR}=http://..."
    )
