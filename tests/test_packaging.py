"""What is installed: one package, whole, that a user's own modules do not get in the way of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edgemat.convert import isolated
from edgemat.workflow.step import SOURCE

ROOT = Path(__file__).parents[1]
LINKED = ("quantize", "convert", "bench")
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "edgemat", *LINKED)
NOT_CODE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
STAGE = "edgemat.workflow.stages.training"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
BUILD = (*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def in_edgemat(folder: Path) -> set[str]:
    """Return the files that an installation must have, by name; links are folders like others."""
    pairs = [(folder / "edgemat", ""), *((folder / name, f"{name}/") for name in LINKED)]
    return {
        f"edgemat/{prefix}{path.relative_to(place).as_posix()}"
        for place, prefix in pairs
        for path in place.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built, links as links: building leaves traces."""
    folder = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=NOT_CODE)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(*BUILD, "--wheel-dir", folder, source, cwd=folder)
    (built,) = folder.iterdir()
    return built


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.mark.slow
def test_a_wheel_holds_all_of_edgemat_and_nothing_else(source: Path, wheel: Path) -> None:
    files = files_of(wheel)
    assert files == in_edgemat(source)
    for name in (
        *("edgemat/quantize/ptq.py", "edgemat/convert/isolated.py", "edgemat/convert/onnx2tf.txt"),
        *("edgemat/bench/runner/runner.c", "edgemat/bench/runner/emulator/count.c"),
        *("edgemat/bench/devices/browser/page/index.html", "edgemat/assets/people/people.json"),
        *("edgemat/experiments/protocols/thesis/denoise.toml",),
        *("edgemat/report/templates/report.html.j2", "edgemat/artifacts/templates/card.md.j2"),
    ):
        assert name in files


@pytest.mark.slow
def test_a_wheel_made_of_the_source_archive_is_the_same(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    make = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", make, tmp_path / "archive", cwd=source)
    (archive,) = (tmp_path / "archive").iterdir()
    with tarfile.open(archive) as packed:
        assert not [member.name for member in packed if member.issym()]
    run(*BUILD, "--wheel-dir", tmp_path / "wheel", archive, cwd=tmp_path)
    (again,) = (tmp_path / "wheel").iterdir()
    assert files_of(again) == files_of(wheel)


@pytest.mark.slow
def test_what_is_installed_finds_its_own_parts(wheel: Path, tmp_path: Path) -> None:
    """Without `site`, so that an editable installation is not found instead."""
    run(*PIP, "install", "--no-deps", "--no-index", "--target", tmp_path, wheel, cwd=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {
        *("edgemat", "bin", f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info")
    }
    found = run(
        *(sys.executable, "-I", "-S", "-c"),
        "import sys; sys.path += sys.argv[1:]\n"
        "from edgemat.artifacts.shipped import shipped_models\n"
        "from edgemat.convert import isolated\n"
        "from edgemat.bench.runner.bundle import SOURCES\n"
        "from edgemat.data.sections import PEOPLE\n"
        "from edgemat.workflow.step import SOURCE\n"
        "print(isolated.ROOT, SOURCES, PEOPLE)\n"
        f"print(len(shipped_models()), SOURCE.sha256('{STAGE}'))\n",
        tmp_path,
        sysconfig.get_paths()["purelib"],
        sysconfig.get_paths()["platlib"],
        cwd=tmp_path,
    )
    package = (tmp_path / "edgemat").resolve()
    places, rest = found.splitlines()
    assert places.split() == [
        str(package), str(package / "bench" / "runner"), str(package / "assets" / "people"),
    ]  # fmt: skip
    assert rest == f"4 {SOURCE.sha256(STAGE)}", "the same code has the same key, installed or not"


@pytest.mark.long
def test_what_ships_is_verified_and_judged_by_who_installs_it(wheel: Path, tmp_path: Path) -> None:
    """The quantized networks between do not ship."""
    pytest.importorskip("ai_edge_litert")
    run(*PIP, "install", "--no-deps", "--no-index", "--target", tmp_path, wheel, cwd=tmp_path)
    for model in ("portrait", "live", "trimap", "portrait-clean"):
        for command in (("gate",), ("verify", "--images", "2")):
            said = run(
                *(sys.executable, "-m", "edgemat.cli", command[0], f"{model}-tflite-int8"),
                *command[1:],
                cwd=tmp_path,
                PYTHONPATH=str(tmp_path),
            )
            assert "passed sad" in said or "float" in said


def brought_by(extras: set[str]) -> set[str]:
    """Return the names of all packages that edgemat with some extras brings, here and now."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    waiting, found = [Requirement(line) for line in lines], set[str]()
    seen = set[str]()
    while waiting:
        one = waiting.pop()
        found.add(one.name)
        if str(one) in seen:
            continue
        seen.add(str(one))
        for needed in map(Requirement, metadata.requires(one.name) or []):
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)
            ):
                waiting.append(needed)
    return found


def test_the_dockerfile_holds_the_light_install() -> None:
    """Of Debian it takes Python alone; what pip brings has no torch and no scipy in it."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    debian = re.findall(r"apt-get install --yes --no-install-recommends (.*?) *&&", text)
    assert debian == ["python3 python3-venv", "python3"]
    (target,) = re.findall(r"pip install --no-cache-dir (\S+)", text)
    (extras,) = re.findall(r'^"/source\[(.+)\]"$', target)
    brought = brought_by({*extras.split(",")})
    assert {"ai-edge-litert", "numpy", "starlette"} <= brought
    assert not brought & {"torch", "torchvision", "scipy", "numba", "pymatting"}


def test_isolated_environments_lie_beside_the_sources() -> None:
    assert isolated.ROOT == ROOT and (isolated.ROOT / "Makefile").is_file()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of a user's modules that are called as ours are."""
    for name in LINKED:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is mine')\n")
    return tmp_path


@pytest.mark.slow
def test_modules_of_the_user_with_our_names_are_left_alone(mine: Path) -> None:
    script = mine / "mine.py"
    script.write_text(
        "import sys\n"
        "import edgemat\n"
        "for name in edgemat.__all__:\n"
        "    getattr(edgemat, name)\n"
        "import edgemat.bench.protocol, edgemat.convert.backends, edgemat.quantize.ptq\n"
        f"assert not set({LINKED}) & set(sys.modules)\n"
    )
    run(sys.executable, script, cwd=mine, PYTHONPATH=str(ROOT))


@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import edgemat; edgemat.matte; import edgemat.bench.protocol"),
        ("-m", "edgemat.cli", "--help"),
    ],
)
def test_nor_do_they_matter_to_a_line_or_a_command(mine: Path, command: tuple[str, ...]) -> None:
    run(sys.executable, *command, cwd=mine, PYTHONPATH=str(ROOT))
