"""The names by which shipped models and their files are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemat.artifacts.shipped import SHELF, SHIPPED_TARGET, find_artifact, shipped_models
from edgemat.cli.quality import _files_of
from edgemat.errors import UsageError
from edgemat.workflow.api.latency import _find_file

FILES = [f"{name}-{SHIPPED_TARGET}" for name in shipped_models()]


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_file_is_found_by_its_name_whatever_is_asked_for(name: str) -> None:
    found = find_artifact(name)
    assert found.parent == SHELF and found.name.startswith(f"{name}@")
    assert find_artifact(name, target=SHIPPED_TARGET) == found  # bias
    assert find_artifact(name.removesuffix(f"-{SHIPPED_TARGET}"), target=SHIPPED_TARGET) == found
    assert _find_file(name) == found  # bench
    assert [*_files_of([name]).values()] == [found]  # flicker


@pytest.mark.parametrize("path", sorted(SHELF.glob("*@*")), ids=lambda path: path.name)
def test_a_shipped_artefact_is_found_by_name_and_hash(path: Path) -> None:
    assert find_artifact(path.name) == path
    assert find_artifact(path.name, target=SHIPPED_TARGET) == path
    assert _find_file(path.name) == path


@pytest.mark.parametrize("name", ["portrait@0", "portrait-tflite", "port*", "portrait@*", "@"])
def test_what_only_resembles_a_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no artefact"):
        find_artifact(name)
