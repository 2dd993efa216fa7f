"""Write what edgemat is made of, with licences: `python -m tools.sbom sbom.cdx.json`.

A CycloneDX 1.6 bill of materials: edgemat's own code, the packages that an installation brings, as
they are installed here, the shipped models, and the data that they learned from.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import SHELF
from edgemat.errors import MissingToolError, UsageError, nearest
from edgemat.files import write_json
from edgemat.terminal import run_app
from tools.licences import spdx_of
from tools.sbom_data import DATA

ROOT = Path(__file__).parents[1]

app = typer.Typer(add_completion=False)


@app.command()
def main(
    output: Annotated[Path, typer.Argument(help="File to write, NAME.cdx.json.")],
    extra: Annotated[list[str] | None, typer.Option(help="With an extra's packages too.")] = None,
) -> None:
    """Write the bill of materials of a light installation, or of one with extras."""
    write_json(output, bill(extra or []))
    print(output)


def bill(extras: Iterable[str]) -> dict[str, Any]:
    """Return the bill of materials.

    Raises
    ------
    UsageError
        For an extra that there is not.
    MissingToolError
        For a package that is not installed, whose licence nobody can tell therefore.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = sorted(_closure(_wanted(project, extras)))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "edgemat",
                "name": "edgemat",
                "version": _installed("edgemat").version,
                "description": project["description"],
                "licenses": [_licence(project["license"])],
            }
        },
        "components": [*map(_library, packages), *_models(), *_data()],
    }


def _wanted(project: dict[str, Any], extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield what pyproject.toml asks for; extras of edgemat itself are followed."""
    optional = project["optional-dependencies"]
    yield from map(Requirement, project["dependencies"])
    for extra in extras:
        if extra not in optional:
            raise UsageError(f"There is no extra {extra!r}.", remedy=nearest(extra, optional))
        for requirement in map(Requirement, optional[extra]):
            if requirement.name == "edgemat":
                yield from _wanted(project, requirement.extras)
            else:
                yield requirement


def _closure(wanted: Iterable[Requirement]) -> set[str]:
    """Return the names of all packages that some need, as those that are installed say."""
    found: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        if not _applies(requirement, extras={""}) or extras <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(extras)
        for needed in map(Requirement, _installed(name).requires or []):
            if _applies(needed, extras):
                needed.marker = None
                waiting.append(needed)
    return set(found)


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)


def _installed(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise MissingToolError(
            f"{name} is not installed, so that its licence is not known.",
            remedy=f"Run: pip install {name}",
        ) from error


def _library(name: str) -> dict[str, Any]:
    found = _installed(name)
    purl = f"pkg:pypi/{name}@{found.version}"
    licence = _licence(_licence_of(found))
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": found.version,
        "purl": purl,
        "licenses": [licence],
    }


def _licence_of(found: metadata.Distribution) -> str:
    """Return what a package says of its licence: an SPDX expression where one is certain."""
    told = found.metadata.json
    line = str(told.get("license", "")).strip().splitlines()
    classified = [
        classifier.rpartition(" :: ")[2]
        for classifier in told.get("classifier", [])
        if classifier.startswith("License :: ")
    ]
    named = [str(told.get("license_expression", "")), *classified, *line[:1]]
    return next((spdx_of(name, found) for name in named if name), "not stated")


def _licence(text: str) -> dict[str, Any]:
    """Return a licence as CycloneDX has it: an expression of SPDX names, or a name."""
    names = re.split(r"\s+(?:AND|OR|WITH)\s+", text.replace("(", " ").replace(")", " ").strip())
    if all(re.fullmatch(r"[A-Za-z]+[A-Za-z0-9.+]*-[A-Za-z0-9.+-]*|MIT|ISC|0BSD", n) for n in names):
        return {"expression": text}
    return {"license": {"name": text}}


def _models() -> Iterator[dict[str, Any]]:
    """Yield the shipped models: their files' hashes, licence, data and limits."""
    for path in sorted(SHELF.glob("*@*")):
        told = Artifact(path).manifest
        component: dict[str, Any] = {
            "type": "machine-learning-model",
            "bom-ref": path.name,
            "name": told.name,
            "version": path.name.rpartition("@")[2],
            "hashes": [{"alg": "SHA-256", "content": told.payload_sha256}],
            "licenses": [_licence(told.licence)],
        }
        if told.data_notice:
            component["description"] = told.data_notice
        if told.card is not None:
            component["modelCard"] = {
                "modelParameters": {
                    "task": "image matting",
                    "datasets": [
                        {"type": "dataset", "name": told.name, "description": told.card.data},
                        *({"ref": one.ref} for one in DATA if one.is_named(told.card.data)),
                    ],
                },
                "considerations": {"technicalLimitations": [told.card.limits]},
            }
        yield component


def _data() -> Iterator[dict[str, Any]]:
    """Yield the sets of data; what the package holds of them says where."""
    for one in DATA:
        component: dict[str, Any] = {
            "type": "data",
            "bom-ref": one.ref,
            "name": one.name,
            "licenses": [_licence(one.licence)],
            "scope": "excluded" if one.ships is None else "required",
            "data": [{"type": "dataset", "name": one.name}],
        }
        if one.ships is not None:
            component["properties"] = [{"name": "edgemat:path", "value": one.ships}]
        yield component


if __name__ == "__main__":
    sys.exit(run_app(app))
