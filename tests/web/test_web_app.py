"""`edgemat export --to web`: the folder, and the page's own code on the shared vectors."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from calling import Call
from toy_artifacts import tflite_artifact

import edgemat
from edgemat.artifacts.feeding import Feeding
from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.errors import ArtifactError, DiskError, MissingToolError, UsageError
from edgemat.files import move_into_place, sha256_file
from edgemat.workflow.web_app import SOURCE

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the shipped portrait model; skips without LiteRT.js."""
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("site") / "web"
    assert edgemat.export("portrait", folder) == [folder]
    return folder


def content_of(page: Path) -> dict[str, str]:
    """Return file to hash, as the service worker has them."""
    first = (page / "sw.js").read_text().partition("\n")[0]
    files: dict[str, str] = json.loads(first.removeprefix("const CONTENT = ").rstrip(";"))["files"]
    return files


@pytest.mark.parametrize("name", ["core", "bench"])
def test_the_page_computes_what_python_computes(name: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node: apt-get install nodejs")
    done = subprocess.run(
        [node, "--test", str(HERE / f"{name}.test.js")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 0" not in done.stdout


def test_the_folder_has_all_that_the_page_asks_for(page: Path) -> None:
    files = {path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()}
    assert files == {*content_of(page), "sw.js"}
    for script in page.rglob("*.js"):
        if script.parent.name == "litert" and script.name != "core.js":
            continue
        for module in re.findall(r"""^import .*? ?['"](.+?)['"]""", script.read_text(), re.M):
            assert (script.parent / module).is_file(), f"{script.name} imports {module}"
    for link in re.findall(r'(?:href|src)="([^"]+)"', (page / "index.html").read_text()):
        assert (page / link).is_file(), link
    for icon in json.loads((page / "app.webmanifest").read_text())["icons"]:
        assert (page / icon["src"]).is_file()


def test_browsers_check_every_file_by_its_hash(page: Path) -> None:
    for name, integrity in content_of(page).items():
        digest = hashlib.sha256((page / name).read_bytes()).digest()
        assert integrity == f"sha256-{base64.b64encode(digest).decode()}", name


def test_the_shipped_files_are_what_the_page_runs(page: Path) -> None:
    models = json.loads((page / "models" / "manifest.json").read_text())["models"]
    assert [model["name"] for model in models] == ["portrait-int8", "trimap-int8"]
    for model in models:
        assert sha256_file(page / "models" / model["file"]) == model["sha256"]
        assert all((page / "models" / name).is_file() for name in model["golden"].values())
    (shipped,) = (SOURCE.parent / "weights").glob("portrait-tflite-int8@*")
    assert models[0]["sha256"] == sha256_file(next(shipped.glob("*.tflite")))


def test_nothing_of_the_page_names_another_host() -> None:
    for file in SOURCE.rglob("*"):
        if file.suffix in {".js", ".html", ".css", ".webmanifest"}:
            assert not re.search(r"https?://|[\"'`]//", file.read_text()), file.name


def test_an_earlier_export_is_replaced_and_nothing_else_is(page: Path, tmp_path: Path) -> None:
    mine = tmp_path / "web"
    shutil.copytree(page, mine)
    (mine / "style.css").write_text("of an older version")
    edgemat.export(None, mine)
    assert (mine / "style.css").read_bytes() == (SOURCE / "style.css").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["web"], "nothing is left behind"
    (mine / "CNAME").write_text("a host's own file")
    with pytest.raises(UsageError, match="CNAME is no part of an earlier export"):
        edgemat.export("portrait", mine)
    assert (mine / "CNAME").is_file()


def test_one_may_stand_in_the_folder_that_is_written(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    mine = tmp_path / "web"
    shutil.copytree(page, mine)
    (mine / "style.css").write_text("of an older version")
    monkeypatch.chdir(mine)
    status, _, said = call("export", "portrait", "--to", ".")
    monkeypatch.chdir(tmp_path)
    assert status == 0, said
    assert (mine / "style.css").read_bytes() == (SOURCE / "style.css").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["web"], "nothing is left behind"
    assert {path.name for path in mine.iterdir()} == {path.name for path in page.iterdir()}


def test_where_a_folder_cannot_be_replaced_the_old_one_stays_alone(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("old")
    with pytest.raises(DiskError, match="web cannot be written"):
        move_into_place(tmp_path / "not made", tmp_path / "web")
    assert (tmp_path / "web" / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["web"]


def test_a_network_of_ones_own_with_a_shipped_name_is_the_one_that_is_meant(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tflite_artifact(tmp_path / "shelf")
    mine.path.rename(tmp_path / mine.path.name.replace(mine.manifest.name, "portrait"))
    monkeypatch.chdir(tmp_path)
    edgemat.export("portrait", "web")
    models = json.loads((tmp_path / "web" / "models" / "manifest.json").read_text())["models"]
    assert models[0]["sha256"] == mine.manifest.payload_sha256, "not the shipped one"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, call: Call) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("my own site")
    status, _, said = call("export", "portrait", "--to", tmp_path / "web")
    assert status == 2 and "would be lost" in said and "mine/web" in said
    (tmp_path / "file" / "web").parent.mkdir()
    (tmp_path / "file" / "web").write_text("a file")
    with pytest.raises(UsageError, match="would be lost"):
        edgemat.export(None, tmp_path / "file" / "web")


def test_a_network_that_the_page_cannot_feed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="a photograph alone") as refused:
        edgemat.export("trimap", tmp_path / "web")
    assert "comes with it" in refused.value.remedy
    assert not (tmp_path / "web").exists()


def test_a_file_of_ones_own_comes_with_the_network_to_refine_with(
    page: Path, tmp_path: Path
) -> None:
    """And with how it is fed: the page obeys it."""
    resized = Feeding(layout="NHWC", height=32, width=32, channels=3, stride=16, fit="resize")
    mine = tflite_artifact(tmp_path / "shelf", feeding=resized)
    edgemat.export(mine, tmp_path / "web")
    manifest = json.loads((tmp_path / "web" / "models" / "manifest.json").read_text())
    names = [model["name"] for model in manifest["models"]]
    assert names == [f"{mine.manifest.model}-int8", "trimap-int8"]
    assert [model["feeding"].get("fit") for model in manifest["models"]] == ["resize", None]


def test_without_npm_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, said = call("export", "portrait", "--to", tmp_path / "web")
    assert status == 3 and "npm is not installed" in said and "Install Node.js" in said
    assert not (tmp_path / "web").exists()
