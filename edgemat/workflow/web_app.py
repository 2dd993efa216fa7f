"""The app for any phone's browser: `edgemat export portrait --to web`, a folder for any web server.

OUTPUT/index.html, page/, style.css    what is seen: edgemat/web, copied
       core/, engine/, bench/          what computes, in a worker
       litert/                         LiteRT.js and its WebAssembly, from npm by their hashes
       models/                         as in the demo apps: see app_assets.py
       sw.js                           keeps all of that, by its hashes, for use without a network

The folder holds no server's code and no absolute address: it works wherever it is put.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgemat.artifacts.artifact import Artifact
from edgemat.bench.devices.browser.litert_js import fetch_litert
from edgemat.bench.devices.browser.server import PAGE as BENCH_PAGE
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import explain_os_errors, move_into_place
from edgemat.workflow.app_assets import WEB

NAME = "web"
"""What a folder is called that becomes the app where there is none in it yet."""
SOURCE = Path(__file__).parents[1] / "web"
SERVICE_WORKER = "sw.js"
_CONTENT = "const CONTENT = "
# LiteRT.js names its other package as a bundler would resolve it; a worker has no import map.
_BARE, _BESIDE = b'"@litertjs/wasm-utils"', b'"./wasm-utils.js"'


def is_web_app(folder: Path) -> bool:
    """Return whether an export to a folder makes the app: by its name, or as it holds one."""
    return folder.absolute().name == NAME or (folder / WEB.marker).is_file()


def require_page_can_feed(artifact: Artifact) -> None:
    """Refuse a network that the page has no input for.

    Raises
    ------
    ArtifactError
        When it takes a trimap, which nobody draws on the page.
    """
    if artifact.manifest.task != "portrait":
        raise ArtifactError(
            f"{artifact.path.name} is a {artifact.manifest.task} network; the page gives a network "
            "a photograph alone.",
            remedy="Export a portrait network; the shipped trimap network comes with it.",
        )


@contextlib.contextmanager
def web_app(output: Path) -> Iterator[Path]:
    """Give a folder with the page, for models to be put in; at the end it stands at `output`.

    An earlier export there is replaced as a whole, at the end.

    Raises
    ------
    UsageError
        When something else lies there.
    MissingToolError
        When LiteRT.js is not there, and npm does not give it.
    DiskError
        When the folder cannot be written.
    """
    output = output.resolve()  # "." has no parent to rename it in
    _require_ours(output)
    litert, errors = fetch_litert()
    if errors:
        raise errors[0]
    with explain_os_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{NAME}-")
    with scratch:
        staging = Path(scratch.name) / output.name
        with explain_os_errors(output):
            _copy_page(litert, staging)
        yield staging
        with explain_os_errors(output):
            _write_service_worker(staging)
            move_into_place(staging, output)


def _copy_page(litert: Path, folder: Path) -> None:
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("package.json"))
    shutil.copyfile(BENCH_PAGE / "protocol.js", folder / "bench" / "protocol.js")
    shutil.copytree(litert, folder / "litert")
    core = folder / "litert" / "core.js"
    core.write_bytes(core.read_bytes().replace(_BARE, _BESIDE))


def _require_ours(folder: Path) -> None:
    """Refuse a folder with anything but an earlier export: that would be lost."""
    if not folder.exists():
        return
    files = [] if folder.is_dir() else [folder]
    files += sorted(path for path in folder.rglob("*") if not path.is_dir())
    known = _content(folder / SERVICE_WORKER)
    for file in files:
        if file.relative_to(folder).as_posix() not in known:
            raise UsageError(
                f"{file} is no part of an earlier export, and would be lost.",
                remedy=f"Name another folder, such as mine/{NAME}, or move that file away.",
            )


def _content(service_worker: Path) -> set[str]:
    """Return the files of the export that a service worker belongs to."""
    try:
        first = service_worker.read_text(encoding="utf-8").partition("\n")[0]
        files = json.loads(first.removeprefix(_CONTENT).removesuffix(";"))["files"]
        return {*files, SERVICE_WORKER}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _write_service_worker(folder: Path) -> None:
    """Say in the service worker which files there are, by the hashes that browsers check."""
    files = {
        path.relative_to(folder).as_posix(): _integrity(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SERVICE_WORKER
    }
    text = json.dumps(files)
    content = {"version": hashlib.sha256(text.encode()).hexdigest()[:12], "files": files}
    worker = folder / SERVICE_WORKER
    code = worker.read_text(encoding="utf-8")
    worker.write_text(f"{_CONTENT}{json.dumps(content)};\n{code}", encoding="utf-8")


def _integrity(path: Path) -> str:
    """Return a file's hash in the form of Subresource Integrity."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
