"""The exported page, and a file server that has it."""

from __future__ import annotations

import http.server
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_visitor import serve

import edgemat
from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.errors import MissingToolError


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("site") / "web"
    edgemat.export("portrait", folder)
    return folder


@pytest.fixture
def server(web: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    with serve(web.parent) as running:
        yield running
