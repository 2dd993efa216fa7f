"""LiteRT.js, which the page runs: fetched once, checked, served under the page's own address."""

from __future__ import annotations

import sys
from pathlib import Path

from edgemat.bench.peers.catalog import Package, PackageMember
from edgemat.bench.peers.fetch import fetch
from edgemat.errors import EdgematError, MissingToolError
from edgemat.folders import part_folder

VERSION = "2.5.3"
COMMAND = "make browser"
PACKAGES = (
    Package(
        "npm",
        "@litertjs/core",
        VERSION,
        "Apache-2.0",
        tuple(
            PackageMember(
                f"package/{path}", path.rpartition("/")[2].replace("index.js", "core.js"), sha256
            )
            for path, sha256 in {
                "dist/index.js": "e7daccc3a31eef890848a737ccb863ded5f046a6b40c3fdc0556495adeb5d9b3",
                "wasm/litert_wasm_compat_internal.js": (
                    "4d8f894b7883654fd6e8439730aa41e79ceaab7d19184fc4f1f0b0f1a2a2c8a5"
                ),
                "wasm/litert_wasm_compat_internal.wasm": (
                    "5255c8ad06eabdbd2522cdebf6b22fc10faf74625c23a49b9e072570cd1fa41c"
                ),
                "wasm/litert_wasm_internal.js": (
                    "68efb69f770e3f76aff36a377de629ca496c131b86ac0f0f4b592a1543a898eb"
                ),
                "wasm/litert_wasm_internal.wasm": (
                    "7280cf4471774867e385e6c3cd53e2b45e2975b80fea338fff4ef359b0865614"
                ),
                "wasm/litert_wasm_threaded_internal.js": (
                    "92fe7a720c6deedaa1194c011c79a005ea4f6fc98f533b661cf7900760ab4849"
                ),
                "wasm/litert_wasm_threaded_internal.wasm": (
                    "b5e54eca10f043497edf9a02186332707cae260c550d7ea22b2cae55669596cf"
                ),
            }.items()
        ),
    ),
    Package(
        "npm",
        "@litertjs/wasm-utils",
        VERSION,
        "Apache-2.0",
        (
            PackageMember(
                "package/dist/index.js",
                "wasm-utils.js",
                "e0e20bc28ab001ac732cf40d15b6eebd24fb0deaeb95eeba5100f51eebf015f2",
            ),
        ),
    ),
)


def find_litert() -> Path:
    """Return the folder with LiteRT.js' files.

    Raises
    ------
    MissingToolError
        When it has not been fetched, or not wholly.
    """
    folder = part_folder(f"litertjs-{VERSION}")
    names = [member.file for package in PACKAGES for member in package.members]
    if not all((folder / name).is_file() for name in names):
        raise MissingToolError(
            "A browser needs LiteRT.js, which has not been fetched.",
            remedy=f"Run: {COMMAND} (12 MB, by npm)",
        )
    return folder


def fetch_litert() -> tuple[Path, list[EdgematError]]:
    """Fetch what is not there yet, each file by its hash; return the folder, and what went wrong.

    Beside the files lies `sources.json`: their packages, licences and hashes.
    """
    folder = part_folder(f"litertjs-{VERSION}")
    return folder, fetch(folder, packages=PACKAGES)[1]


def main() -> int:
    """Fetch LiteRT.js; exit status 3 when it cannot be had."""
    print(f"LiteRT.js {VERSION} (12 MB to fetch)", flush=True)
    _, errors = fetch_litert()
    for error in errors:
        print(f"  left out: {error}", file=sys.stderr)
    return errors[0].exit_code if errors else 0


if __name__ == "__main__":
    sys.exit(main())
