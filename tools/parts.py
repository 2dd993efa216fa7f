"""Fetch Debian packages into a folder of one's own: ``python -m tools.parts emulator phone``.

Nothing is installed and no root is needed: a private apt root knows a Debian release that need
not be the system's, and packages are only unpacked. Once there, nothing is fetched again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgemat.errors import EdgematError, nearest
from edgemat.files import atomic_path
from edgemat.folders import part_folder
from tools.debian import check_debian, download, unpack


@dataclass(frozen=True)
class Part:
    """Packages of one Debian release.

    Attributes
    ----------
    megabytes:
        To fetch, without the release's list of packages (10 MB, for each part).
    unless:
        A program of the system that does as well.
    """

    what: str
    release: str
    packages: str
    megabytes: int
    unless: str = ""


PARTS = {
    "emulator": Part(
        "qemu for arm64 programs, with plugins (the one of later releases has none)",
        "bookworm",
        "qemu-user libc6 libgcc-s1 zlib1g libcapstone4 libnuma1 liburing2 libglib2.0-0 "
        "libpcre2-8-0 libgnutls30 libp11-kit0 libidn2-0 libunistring2 libtasn1-6 libnettle8 "
        "libhogweed6 libgmp10 libffi8",
        19,
    ),
    "cross": Part(
        "a C compiler for arm64",
        "bookworm",
        "gcc-12-aarch64-linux-gnu cpp-12-aarch64-linux-gnu binutils-aarch64-linux-gnu "
        "libgcc-12-dev-arm64-cross libc6-dev-arm64-cross libc6-arm64-cross "
        "linux-libc-dev-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross libisl23 libmpc3 "
        "libmpfr6 libgmp10",
        38,
        unless="aarch64-linux-gnu-gcc",
    ),
    "phone": Part(
        "adb, and Android's adbd, which stands in for a phone in the tests",
        "trixie",
        "adbd adb libc6 libgcc-s1 libstdc++6 android-liblog android-libbase "
        "android-libboringssl android-libcutils android-libziparchive libusb-1.0-0 libudev1 "
        "libbrotli1 libbsd0 libmd0 libcap2 liblz4-1 libprotobuf32t64 libsystemd0 libxxhash0 "
        "libzstd1 zlib1g",
        8,
    ),
    "android": Part(
        "what builds the Android app without Gradle, and android.jar",
        "bullseye",  # later releases have no compiler to dex files, and no android.jar
        "aapt android-framework-res android-libaapt android-libandroidfw android-libart "
        "android-libbacktrace android-libbase android-libcutils android-liblog "
        "android-libnativebridge android-libnativeloader android-libunwind android-libutils "
        "android-libziparchive apksigner dalvik-exchange dexdump junit4 libandroid-23-java "
        "libapksig-java libatomic1 libbsd0 libc6 libexpat1 libgcc-s1 libhamcrest-java liblz4-1 "
        "libmd0 libpng16-16 libprotobuf-lite23 libstdc++6 libzopfli1 p7zip p7zip-full zipalign "
        "zlib1g",
        40,
    ),
    "sshd": Part(
        "OpenSSH's server, for the tests",
        "bookworm",
        "openssh-server libwrap0 libnsl2 libtirpc3",
        1,
    ),
}


def fetch(name: str) -> Path:
    """Return the folder of a part; fetch and unpack it unless it is there.

    Raises
    ------
    MissingToolError
        When this is no Debian on x86-64, or the packages cannot be had.
    """
    part, folder = PARTS[name], part_folder(name)
    wanted = f"{part.release} {part.packages}"
    note = folder / "packages"
    if note.is_file() and note.read_text() == wanted:
        return folder
    check_debian()
    shutil.rmtree(folder, ignore_errors=True)  # of another list
    with (
        tempfile.TemporaryDirectory() as scratch,
        atomic_path(folder, directory=True) as temporary,
    ):
        for package in download(part.packages.split(), part.release, Path(scratch)):
            unpack(package, temporary)
        (temporary / "packages").write_text(wanted)
    return folder


def main(arguments: list[str] | None = None) -> int:
    """Fetch the parts that are named; exit status 3 when one cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tools.parts", description=__doc__)
    parser.add_argument("parts", nargs="+", help=", ".join(PARTS))
    status = 0
    for name in parser.parse_args(arguments).parts:
        if name not in PARTS:
            parser.error(f"There is no part {name!r}. {nearest(name, PARTS)}")
        try:
            part = PARTS[name]
            print(f"{name} ({part.megabytes} MB to fetch): {part.what}", flush=True)
            print(f"  {shutil.which(part.unless) or fetch(name)}")
        except EdgematError as error:
            print(f"  left out: {error}", file=sys.stderr)
            status = error.exit_code
    return status


if __name__ == "__main__":
    sys.exit(main())
