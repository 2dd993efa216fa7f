"""Break core functions one at a time, and see that their tests notice: ``python -m tools.mutants``.

Each mutant is one line with a fault in it. It is put into a copy of the repository, the tests named
beside it run there, and it dies when one of them fails. A mutant that survives says that a proof
has a hole. Tests of the long rounds take no part: what `make test` runs must notice.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSED, FAILED = 0, 1  # exit statuses of pytest


@dataclass(frozen=True)
class Mutant:
    """A fault in one line.

    Attributes
    ----------
    what:
        What goes wrong.
    file:
        Where, from the root of the repository.
    right, wrong:
        A text that stands once in the file, and what takes its place.
    tests:
        What must notice, as pytest takes it.
    """

    what: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "the composition loss mixes the layers wrongly",
        "edgemat/training/losses.py",
        "composite = alpha * _full(foreground) + (1 - alpha) * _full(background)",
        "composite = alpha * _full(foreground) + (1 + alpha) * _full(background)",
        ("tests/training/test_losses.py",),
    ),
    Mutant(
        "the gradient error looks through a wider Gaussian",
        "edgemat/scoring/metrics.py",
        "GRAD_SIGMA = 1.4",
        "GRAD_SIGMA = 1.5",
        ("tests/scoring/test_metrics.py",),
    ),
    Mutant(
        "the connectivity error forgets that small gaps are none",
        "edgemat/scoring/metrics.py",
        "CONN_DISTANCE = 0.15",
        "CONN_DISTANCE = 0.0",
        ("tests/scoring/test_metrics.py",),
    ),
    Mutant(
        "folding loses batch normalisation",
        "edgemat/models/deploy.py",
        "folded[-1] = torch.nn.utils.fuse_conv_bn_eval(folded[-1], child)",
        "pass",
        ("tests/models/test_models.py",),
    ),
    Mutant(
        "the frozen model has one level too few",
        "quantize/frozen.py",
        "x, self.step, self.zero, self.low, self.high",
        "x, self.step, self.zero, self.low + 1, self.high",
        ("tests/quantize/test_quantize.py",),
    ),
    Mutant(
        "concatenated tensors keep grids of their own",
        "quantize/align.py",
        'SAME_GRID_FUNCTIONS = {"amax", "cat", ',
        'SAME_GRID_FUNCTIONS = {"amax", ',
        ("tests/quantize/test_quantize.py",),
    ),
    Mutant(
        "biases stay between two steps of the accumulator",
        "quantize/align.py",
        "torch.round(bias.double() / step) * step",
        "bias.double()",
        ("tests/quantize/test_quantize.py",),
    ),
    Mutant(
        "the cache takes another step's arguments for the same",
        "edgemat/workflow/identity.py",
        '"of": arguments}',
        '"of": sorted(arguments)}',
        ("tests/workflow/test_cache.py",),
    ),
    Mutant(
        "the cache overlooks what functions import",
        "edgemat/workflow/imports.py",
        "elif not isinstance(child, ast.expr):",
        "elif not isinstance(child, ast.expr | ast.FunctionDef):",
        ("tests/workflow/test_imports.py",),
    ),
    Mutant(
        "tiles hardly overlap",
        "edgemat/matting/tiling.py",
        "step = max(1, size - size // 4)",
        "step = max(1, size - size // 8)",
        ("tests/matting/test_tiling.py",),
    ),
    Mutant(
        "the blend leaves out a part of each tile's weight",
        "edgemat/matting/tiling.py",
        "total[start : start + size] += window",
        "total[start : start + size] += window + 0.01",
        ("tests/matting/test_tiling.py",),
    ),
    Mutant(
        "the guided filter is smoothed less than it says",
        "edgemat/matting/guided.py",
        "epsilon * np.eye(3)",
        "0.5 * epsilon * np.eye(3)",
        ("tests/matting/test_matting.py",),
    ),
    Mutant(
        "a bound that is just met is broken",
        "edgemat/scoring/bounds.py",
        '"<=": operator.le',
        '"<=": operator.lt',
        ("tests/scoring/test_bounds.py",),
    ),
    Mutant(
        "a change is measured against the wrong figure",
        "edgemat/scoring/bounds.py",
        "change = (figure - base) / abs(base)",
        "change = (figure - base) / abs(figure)",
        ("tests/scoring/test_bounds.py",),
    ),
    Mutant(
        "the unknown region ends a pixel early",
        "edgemat/data/trimap.py",
        "distance_transform_edt(~core) <= dilation",
        "distance_transform_edt(~core) < dilation",
        ("tests/data/test_trimap.py",),
    ),
    Mutant(
        "mattes that are not finite agree with anything",
        "convert/parity.py",
        " or not np.isfinite(alphas).all():",
        ":",
        ("tests/convert/test_parity.py",),
    ),
    Mutant(
        "two mattes lie apart by their mean difference alone",
        "convert/parity.py",
        "max_abs=float(difference.max())",
        "max_abs=float(difference.mean())",
        ("tests/convert/test_parity.py",),
    ),
    Mutant(
        "portraits learn by the first phase alone",
        "edgemat/training/objective.py",
        "phase=2,",
        "phase=1,",
        ("tests/training/test_objective.py",),
    ),
    Mutant(
        "portraits do not learn where people are",
        "edgemat/training/objective.py",
        "SEGMENTATION_WEIGHT = 3.0",
        "SEGMENTATION_WEIGHT = 0.0",
        ("tests/training/test_objective.py",),
    ),
    Mutant(
        "trimap networks learn from the whole picture",
        "edgemat/training/objective.py",
        "unknown = (trimap > 0) & (trimap < 1)",
        "unknown = trimap >= 0",
        ("tests/training/test_objective.py",),
    ),
    Mutant(
        "the encoder learns as fast as the rest",
        "edgemat/training/loop.py",
        "ParameterGroup(seen, schedule.encoder_rate)",
        "ParameterGroup(seen, 1.0)",
        ("tests/training/test_objective.py",),
    ),
    Mutant(
        "statistics of batch normalisation are never held",
        "edgemat/training/loop.py",
        'if schedule.bn == "frozen":',
        "if False:",
        ("tests/training/test_selection.py",),
    ),
    Mutant(
        "the foreground stays more often than the background",
        "edgemat/data/photometric.py",
        "if draw < 2 * share:",
        "if draw < share / 2:",
        ("tests/data/test_mix.py",),
    ),
    Mutant(
        "loose trimaps do not reach into the foreground",
        "edgemat/data/trimap.py",
        "np.where(alpha >= 1, inside, outside)",
        "np.where(alpha >= 1, 255, outside)",
        ("tests/data/test_trimap.py",),
    ),
    Mutant(
        "the order of Table 3.2 always holds",
        "edgemat/experiments/kinds.py",
        "return min(guided) > max(unpooled) and min(unpooled) > max(blind)",
        "return True",
        ("tests/experiments/test_series_summary.py",),
    ),
    Mutant(
        "the recipe is no part of an artefact's identity",
        "edgemat/artifacts/artifact.py",
        'measured = ("scores", ',
        'measured = ("recipe_sha256", "calibration", "scores", ',
        ("tests/artifacts/test_artifact.py",),
    ),
    Mutant(
        "known pixels are scored as the network gives them",
        "edgemat/scoring/evaluate.py",
        "if not data.needs_trimap:",
        "if True:",
        ("tests/scoring/test_evaluate.py",),
    ),
    Mutant(
        "a payload is known by its first digit",
        "edgemat/artifacts/artifact.py",
        "if found != expected:",
        "if found[:1] != expected[:1]:",
        ("tests/artifacts/test_artifact.py",),
    ),
    Mutant(
        "networks are judged by what they are trained on",
        "edgemat/data/held_out.py",
        'return "held-out" if trained & set(_paths(one)) else "all"',
        'return "all"',
        ("tests/data/test_split.py",),
    ),
    Mutant(
        "int8 is calibrated on what judges it",
        "edgemat/scoring/validation.py",
        "return _draw(for_training(data), task",
        "return _draw(for_validation(data, trained_on=data), task",
        ("tests/data/test_split.py",),
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants whose file or fault has one of the words; exit status 1 when one survives."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="try only these, for example tiling")
    words = parser.parse_args(arguments).words
    chosen = [m for m in MUTANTS if not words or any(w in m.what + m.file for w in words)]
    with tempfile.TemporaryDirectory() as scratch:
        copy = copy_repository(Path(scratch) / "copy")
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        if run_tests(copy, tests, usually=PASSED) != PASSED:
            print("The tests fail already without a mutant.", file=sys.stderr)
            return 1
        survivors = [mutant for mutant in chosen if not dies(copy, mutant)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants died.")
    return 1 if survivors else 0


def copy_repository(folder: Path) -> Path:
    """Copy what git tracks and what it would track, as it lies here."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.is_file():  # what was removed is listed still
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return folder


def dies(copy: Path, mutant: Mutant) -> bool:
    """Put the fault into the copy, run its tests there, take it out again, and tell."""
    file = copy / mutant.file
    whole = file.read_text()
    file.write_text(mutate(whole, mutant))
    try:
        dead = run_tests(copy, mutant.tests) == FAILED
    finally:
        file.write_text(whole)
    print(f"{'died' if dead else 'SURVIVED':8}  {mutant.file}: {mutant.what}", flush=True)
    return dead


def mutate(text: str, mutant: Mutant) -> str:
    """Return a file's text with the fault in it.

    Raises
    ------
    ValueError
        When the right text does not stand there exactly once.
    """
    if text.count(mutant.right) != 1:
        raise ValueError(f"{mutant.file} does not have exactly one {mutant.right!r}.")
    return text.replace(mutant.right, mutant.wrong)


def run_tests(copy: Path, tests: list[str] | tuple[str, ...], *, usually: int = FAILED) -> int:
    """Return pytest's exit status: 1 where a test failed, others where it could not run them.

    What pytest says is shown where it is neither 0 nor what is `usually` the case.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not long", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode not in (PASSED, usually):
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
