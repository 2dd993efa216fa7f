"""The Android app's check: that it passes, and that it finds what is wrong."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tools.android import gradle, preview, resources, texts, toolchain
from tools.android.apk import unfit_code, unfit_files
from tools.finding import Finding, finding

REPOSITORY = Path(__file__).parents[2]
CATALOG: dict[str, Any] = {
    "versions": {"kotlin": "2.4.20", "agp": "9.1.0-rc01"},
    "libraries": {"kotlin-test": {"module": "a:b", "version": {"ref": "kotlin"}}},
    "plugins": {"android": {"id": "c", "version": {"ref": "agp"}}},
}
SPACE = 'xmlns:android="http://schemas.android.com/apk/res/android"'


@pytest.mark.parametrize(
    "check", [texts.check_texts, resources.check_resources, gradle.check_gradle]
)
def test_texts_resources_and_gradle_files_are_whole(check: Any) -> None:
    found = check(REPOSITORY)
    assert found.ok, found.text


@pytest.mark.long
def test_the_app_builds_and_its_core_passes() -> None:
    if toolchain.missing():
        pytest.skip(f"{toolchain.missing()} is missing: {toolchain.COMMAND}")
    command = [sys.executable, "-m", "tools.android", "check", "--if-there"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no invoke-custom" in done.stdout and "FAILED" not in done.stdout


def test_without_a_toolchain_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "JAVA", ())
    assert toolchain.missing() == "Kotlin's compiler" and toolchain.find_toolchain() is None
    monkeypatch.setattr(toolchain, "JAVA", ("no-such-java",))
    assert toolchain.missing() == "a JDK (no-such-java)"


def test_a_finding_says_what_is_wrong() -> None:
    assert finding("T", [], "two files").text == "ok      T: two files"
    assert finding("T", ["a", "b"], "two files").text == "FAILED  T\na\nb"
    assert Finding("no adbd", True, skipped=True).text == "skipped no adbd"


@pytest.mark.parametrize(
    ("german", "problem"),
    [
        ({}, "no de for rate"),
        ({"rate": ""}, "no de for rate"),
        ({"rate": "%1$d Bilder"}, "de for rate has other places for values"),
        ({"rate": "%2$d, %1$.1f %%", "more": "x"}, "de has more, which is no text"),
    ],
)
def test_a_missing_translation_is_found(german: dict[str, str], problem: str) -> None:
    assert texts.untranslated({"en": {"rate": "%1$.1f, %2$d"}, "de": german}) == [problem]


def test_a_text_in_a_layout_is_found() -> None:
    layout = f'<a {SPACE}><b android:text="Save"/><b android:text="@string/save"/></a>'
    assert texts.written_out(layout) == ['text="Save" is not in strings.xml']


@pytest.mark.parametrize("version", ["2.+", "latest.release", "[1,2)", "2", 7])
def test_a_version_that_is_not_pinned_is_found(version: Any) -> None:
    assert gradle.unpinned(CATALOG) == []
    (problem,) = gradle.unpinned(CATALOG | {"versions": {"kotlin": version, "agp": "9.1.0"}})
    assert problem == f"libs.versions.toml: kotlin is {version!r}, which is no one version"


def test_a_version_outside_the_catalog_is_found() -> None:
    (problem,) = gradle.unpinned(CATALOG | {"plugins": {"android": {"id": "c", "version": "9.1"}}})
    assert "android refers to no version" in problem
    (problem,) = gradle.malformed('implementation("com.example:thing:1.+")')
    assert "has its version outside" in problem


def test_names_and_brackets_are_compared() -> None:
    used = {"kotlin.test", "plugins.android"}
    assert gradle.unknown(used, CATALOG) == []
    assert gradle.unknown(used | {"litert"}, CATALOG) == [
        "libs.litert is not in libs.versions.toml"
    ]
    assert gradle.unknown({"kotlin.test"}, CATALOG) == ["libs.plugins.android is never used"]
    assert gradle.malformed('a { b("}") } // )') == []
    assert gradle.malformed("a { b( }") == ["a } without its {", "a { that is never closed"]


@pytest.mark.parametrize(
    ("control", "problem"),
    [
        ('<ImageView android:id="@+id/one"/>', "one has no label"),
        ('<SeekBar android:id="@+id/one" android:layout_height="48dp"/>', "one has no label"),
        ('<Button android:id="@+id/one" android:layout_height="32dp"/>', "one is lower than 48 dp"),
        ('<ImageView android:importantForAccessibility="no"/>', None),
        ('<Spinner android:id="@+id/one"/><b android:labelFor="@id/one"/>', None),
    ],
)
def test_a_control_without_a_label_is_found(control: str, problem: str | None) -> None:
    layout = ElementTree.fromstring(f"<a {SPACE}>{control}</a>")
    assert resources.unlabelled(layout) == ([problem] if problem else [])


def test_a_name_that_is_nowhere_is_found() -> None:
    layout = ElementTree.fromstring(
        f'<a {SPACE} android:text="@string/gone"><item>@color/there</item></a>'
    )
    assert resources.dangling(layout, {("color", "there")}) == ["@string/gone does not exist"]


def test_a_manifest_that_asks_for_more_is_found(tmp_path: Path) -> None:
    manifest = ElementTree.fromstring(
        f'<manifest {SPACE}><uses-permission android:name="android.permission.INTERNET"/>'
        '<application><activity android:name=".Gone"/></application></manifest>'
    )
    problems = resources.check_manifest(manifest, tmp_path)
    assert problems == [
        "the manifest asks for android.permission.INTERNET",
        "the manifest lacks android.permission.CAMERA",
        "the manifest names .Gone, which does not exist",
        "the manifest does not say whether .Gone is exported",
        "0 activities can be launched, not one",
    ]


def test_an_apk_that_android_cannot_run_is_found() -> None:
    classes = "  Class descriptor  : 'La;'\n"
    assert unfit_code(classes) == []
    assert unfit_code(classes + "invoke-custom {v9}\n") == ["1 invoke-custom in classes.dex"]
    assert unfit_code("") == ["classes.dex cannot be read"]
    model = zipfile.ZipInfo("assets/models/a.tflite")
    model.compress_type = zipfile.ZIP_DEFLATED
    problems = unfit_files([zipfile.ZipInfo("AndroidManifest.xml"), model])
    assert problems[:2] == ["resources.arsc is missing", "classes.dex is missing"]
    assert "compressed" in problems[2]


def test_the_previews_show_the_texts_of_both_languages() -> None:
    names = ("studio", "trimap", "cut_out_light", "cut_out_dark")
    page = preview.make_page(dict.fromkeys(names, "picture.jpg"))
    assert page.count('class="phone"') == 2 * len(preview.SCREENS)
    for text in ("Choose a photo", "Foto auswählen", "Refine edges", "Save the result"):
        assert text in page
    assert "@string" not in page and "$s" not in page and "%d" not in page
