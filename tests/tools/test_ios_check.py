"""`make ios-check`: its parts on the app itself, and on copies of it with a fault each."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from edgemat.errors import MissingToolError
from tools.finding import Finding
from tools.ios import __main__ as command
from tools.ios import preview, project, swift, texts
from tools.ios.toolchain import SwiftToolchain, find_toolchain

REPOSITORY = Path(__file__).parents[2]
RESOURCES = "ios_demo/MattingDemo/Resources"
Edit = Callable[[str, str, str], None]


@pytest.fixture(scope="module")
def toolchain() -> SwiftToolchain:
    found = find_toolchain()
    if found is None:
        pytest.skip("there is no Swift 6 here: make ios-check fetches it")
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the cheap checks read."""
    models = shutil.ignore_patterns("*.mlpackage", "*.bin", "manifest.json", ".build")
    shutil.copytree(REPOSITORY / "ios_demo", tmp_path / "ios_demo", ignore=models)
    return tmp_path


@pytest.fixture
def edit(copy: Path) -> Edit:
    """Replace a text that a file of the copy has; returns nothing."""

    def edit(path: str, old: str, new: str) -> None:
        text = (copy / path).read_text(encoding="utf-8")
        assert old in text, "the test looks for what is not there any more"
        (copy / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def read_project(repository: Path) -> Finding:
    try:
        return project.check_project(repository)
    except MissingToolError as error:
        if "installed" in error.message:
            pytest.skip(error.message)
        raise


def test_texts_resources_and_project_are_whole() -> None:
    for finding in (
        texts.check_texts(REPOSITORY),
        project.check_resources(REPOSITORY),
        read_project(REPOSITORY),
    ):
        assert finding.ok, finding.text


@pytest.mark.long
def test_core_and_app_compile_and_the_core_passes_its_tests(toolchain: SwiftToolchain) -> None:
    for check in (swift.check_format, swift.test_core, swift.check_types):
        finding = check(toolchain, REPOSITORY)
        assert finding.ok, finding.text


@pytest.mark.long
def test_a_wrong_type_in_the_app_is_found(
    toolchain: SwiftToolchain, copy: Path, edit: Edit
) -> None:
    edit("ios_demo/MattingDemo/CoreML/CoreMLModel.swift", ".cpuOnly", ".cpuAndPencil")
    finding = swift.check_types(toolchain, copy)
    assert not finding.ok and "cpuAndPencil" in finding.detail


def test_a_text_without_a_translation_is_found(copy: Path) -> None:
    path = copy / RESOURCES / "Localizable.xcstrings"
    catalog = json.loads(path.read_text(encoding="utf-8"))
    del catalog["strings"]["Undo"]["localizations"]["de"]
    path.write_text(json.dumps(catalog), encoding="utf-8")
    finding = texts.check_texts(copy)
    assert not finding.ok and finding.detail == "no de for 'Undo'"


def test_a_text_that_only_the_sources_know_is_found(copy: Path, edit: Edit) -> None:
    edit("ios_demo/MattingDemo/Trimap/BrushBar.swift", '"Undo"', '"Take back"')
    finding = texts.check_texts(copy)
    assert finding.detail.splitlines() == [
        "not in Localizable.xcstrings: 'Take back'",
        "in Localizable.xcstrings but never shown: 'Undo'",
    ]


def test_a_translation_that_loses_a_value_is_found(copy: Path, edit: Edit) -> None:
    edit(f"{RESOURCES}/Localizable.xcstrings", "Das Modell %@ passt", "Das Modell passt")
    assert "has other places for values" in texts.check_texts(copy).detail


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("ios_demo/Config/Info.plist", "</dict>", "", "Info.plist is no plist"),
        (
            "ios_demo/Config/Info.plist",
            "NSCameraUsageDescription",
            "NSCamera",
            "Info.plist lacks NSCameraUsageDescription",
        ),
        (f"{RESOURCES}/PrivacyInfo.xcprivacy", "<false/>", "<true/>", "nobody is tracked"),
        (
            f"{RESOURCES}/Assets.xcassets/AppIcon.appiconset/Contents.json",
            "icon.png",
            "none.png",
            "AppIcon.appiconset names none.png, which does not exist",
        ),
    ],
)
def test_a_broken_resource_is_found(
    copy: Path, edit: Edit, path: str, old: str, new: str, says: str
) -> None:
    edit(path, old, new)
    finding = project.check_resources(copy)
    assert not finding.ok and says in finding.text


def test_a_resource_that_is_gone_is_found(copy: Path) -> None:
    (copy / RESOURCES / "PrivacyInfo.xcprivacy").unlink()
    assert "PrivacyInfo.xcprivacy does not exist" in project.check_resources(copy).detail


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("path = Config/Info.plist", "path = Config/Gone.plist", "Gone.plist, which does not"),
        ("INFOPLIST_FILE = Config/Info.plist", "INFOPLIST_FILE = Gone.plist", "'Gone.plist'"),
        ("relativePath = MattingCore", "relativePath = MattingGone", "MattingGone"),
        ("SWIFT_VERSION = 6.0", "SWIFT_VERSION = 5.0", "SWIFT_VERSION is 5.0, not 6.0"),
    ],
)
def test_a_project_that_does_not_fit_its_files_is_found(
    copy: Path, old: str, new: str, says: str
) -> None:
    path = copy / project.PROJECT
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    finding = read_project(copy)
    assert not finding.ok and says in finding.detail


def test_a_reference_into_nothing_is_found(copy: Path) -> None:
    path = copy / project.PROJECT
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^.*/\* Config/Info.plist \*/ = .*\n", "", text), encoding="utf-8")
    assert "which is not in the project" in read_project(copy).detail


def test_a_source_that_the_project_does_not_build_is_found(copy: Path) -> None:
    (copy / "ios_demo" / "MattingDemos").mkdir()
    (copy / "ios_demo" / "MattingDemos" / "Lost.swift").touch()
    finding = read_project(copy)
    assert finding.detail == "MattingDemos/Lost.swift is in no folder that the project builds"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("000061", "000099", "which is not in the project"),
        ('buildConfiguration="Release"', 'buildConfiguration="Debug"', "does not run the Release"),
        ("<Scheme", "<Schema", "is no XML"),
    ],
)
def test_a_scheme_that_does_not_fit_is_found(
    copy: Path, edit: Edit, old: str, new: str, says: str
) -> None:
    edit(str(project.SCHEME), old, new)
    assert says in read_project(copy).detail


def test_a_project_that_is_none_is_said_in_one_sentence(copy: Path) -> None:
    read_project(REPOSITORY)  # skips where the reader cannot be had
    (copy / project.PROJECT).write_text("{ objects = ", encoding="utf-8")
    with pytest.raises(MissingToolError, match=r"project\.pbxproj cannot be read"):
        project.check_project(copy)


def test_without_swift_the_rest_is_checked_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], copy: Path
) -> None:
    monkeypatch.setattr(command, "REPOSITORY", copy)
    monkeypatch.setattr(command, "find_toolchain", lambda: None)
    monkeypatch.setattr(project, "check_project", lambda _: Finding("project", ok=True))
    assert command.check(if_there=True) == 0
    (copy / RESOURCES / "PrivacyInfo.xcprivacy").unlink()
    assert command.check(if_there=True) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "skipped MattingCore's tests and the app's types: there is no Swift here" in printed
    assert "Nothing of this ran on a phone, in a simulator or in Xcode." in printed


def test_previews_speak_the_apps_words_alone() -> None:
    pictures = dict.fromkeys(("studio", "trimap", "cut_out_light", "cut_out_dark"), "data:,")
    page = preview.make_page(pictures)
    assert page.count('class="phone') == 10 and "%" + "@" not in page
    assert "Not screenshots of a phone" in page
    for text in ("Paint the edge", "Rand malen", "Neural Engine", "edgemat export portrait"):
        assert text in page
    with pytest.raises(KeyError):
        preview.ScreenWriter({}, pictures, "", dark=False).text("Photo")


@pytest.mark.slow
def test_previews_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        pytest.skip("needs chromium: apt-get install chromium")
    preview.draw(tmp_path / "docs" / "previews.webp")
    with Image.open(tmp_path / "docs" / "previews.webp") as drawn:
        assert drawn.size == (1960, 1690)
