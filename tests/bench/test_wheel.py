"""What goes onto devices is fetched by hash."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from edgemat.bench.runner import wheel
from edgemat.bench.runner.wheel import HASHES, WHEELS, download_command
from edgemat.errors import MissingToolError
from tools.lock import PYTHONS


def test_the_pinned_version_has_hashes_of_each_python_and_processor() -> None:
    assert len(set(HASHES[metadata.version("ai-edge-litert")])) == len(PYTHONS) * len(WHEELS)


def test_a_version_without_hashes_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match=r"hashes of ai-edge-litert 9\.9"):
        download_command("aarch64", tmp_path, version="9.9")


def test_pip_refuses_a_wheel_of_another_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    name = f"ai_edge_litert-2.3.0-py3-none-{WHEELS['aarch64']}.whl"
    (tmp_path / "shelf" / name).write_bytes(b"PK\x05\x06" + bytes(18))
    monkeypatch.setattr(wheel, "HASHES", {"2.3.0": ("0" * 64,)})
    command = download_command("aarch64", tmp_path, version="2.3.0")
    offline = ["--no-index", "--find-links", str(tmp_path / "shelf")]
    done = subprocess.run([*command, *offline], capture_output=True, text=True)
    assert done.returncode != 0 and "DO NOT MATCH THE HASHES" in done.stderr
    assert not list(tmp_path.glob("*.whl"))
