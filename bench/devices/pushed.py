"""Measure on a device with a shell: push the runner, the models and a job; pull what it noted."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from edgemat.bench.devices.device import Request, shifted, to_results
from edgemat.bench.devices.job import (
    JOB,
    RESULT,
    Answers,
    check_runner_delegate,
    explain_exit,
    input_file,
    job_text,
    model_file,
    output_file,
    read_answers,
    write_inputs,
)
from edgemat.bench.devices.linux import Facts
from edgemat.bench.devices.shell import (
    ANSWER_S,
    COPY_S,
    FILES,
    Shell,
    expect_success,
    working_folder,
)
from edgemat.bench.result import Circumstances, Condition, Result
from edgemat.bench.runner.bundle import Bundle, find_bundle, litert_version
from edgemat.callbacks import Progress

SILENCE_S = 120.0
"""The runner says a word each second, but not while it loads a model or runs it once."""


class PushedDevice:
    """A device to which the runner is pushed.

    Parameters
    ----------
    facts, condition:
        Read through the shell what the device is, and in what state.
    cpu_mask:
        The cores that the runner may use, bit n for core n; 0 leaves the device's choice.
    """

    def __init__(
        self,
        shell: Shell,
        facts: Callable[[Shell], Facts],
        condition: Callable[[Shell], Condition],
        *,
        cpu_mask: int = 0,
    ) -> None:
        self.shell = shell
        self._facts = facts
        self._condition = condition
        self._cpu_mask = cpu_mask

    def measure(self, request: Request, *, progress: Progress | None = None) -> list[Result]:
        """Measure all models; see :class:`edgemat.bench.devices.device.Device`."""
        check_runner_delegate(request)
        facts = self._facts(self.shell)
        bundle = find_bundle(facts.machine)
        results: list[Result] = []
        with tempfile.TemporaryDirectory() as name, working_folder(self.shell) as work:
            here = Path(name)
            runner = install(self.shell, bundle, work)
            self._push(request, here, work)
            for turn, threads in enumerate(request.threads):
                before = self._condition(self.shell)
                answers = self._run(
                    request,
                    threads,
                    here,
                    work,
                    bundle.command(runner),
                    shifted(progress, turn, request),
                )
                where = self._circumstances(facts, answers, before)
                results += to_results(request, threads, answers.recordings, answers.alphas, where)
        return results

    def _push(self, request: Request, here: Path, work: str) -> None:
        write_inputs(request, here)
        for index, model in enumerate(request.models):
            self.shell.push(model.path, f"{work}/{model_file(index)}")
            self.shell.push(here / input_file(index), f"{work}/{input_file(index)}")

    def _run(
        self,
        request: Request,
        threads: int,
        here: Path,
        work: str,
        command: list[str],
        progress: Progress | None,
    ) -> Answers:
        """Run the runner once and return what it noted."""
        (here / JOB).write_text(job_text(request, threads, self._cpu_mask), encoding="utf-8")
        self.shell.push(here / JOB, f"{work}/{JOB}")
        answer = self.shell.run(
            'cd "$1" && echo $$ >pid && shift && exec "$@"',
            work,
            *command,
            JOB,
            timeout_s=SILENCE_S,
            on_line=lambda line: report_progress(line, progress),
        )
        if answer.code != 0:
            raise explain_exit(answer, request, self.shell.name)
        for name in (RESULT, *(output_file(index) for index in range(len(request.models)))):
            self.shell.pull(f"{work}/{name}", here / name)
        return read_answers(request, here)

    def _circumstances(self, facts: Facts, answers: Answers, before: Condition) -> Circumstances:
        return Circumstances(
            transport=self.shell.transport,
            device_kind="physical",
            device=facts.device,
            soc=facts.soc,
            cores=int(answers.cpu_mask, 16).bit_count(),
            cpu_mask=answers.cpu_mask,
            os=facts.os,
            abi=facts.abi,
            governor=facts.governor,
            virtualised=facts.virtualised,
            runtime=f"LiteRT {litert_version()}",
            before=before,
            after=self._condition(self.shell),
        )


def install(shell: Shell, bundle: Bundle, work: str) -> str:
    """Return the folder of the runner on the device; push it unless the same one is there.

    Raises
    ------
    MissingToolError
        When the device goes away, or cannot unpack.
    DiskError
        When its disk is full.
    """
    folder = f"{work.rpartition('/')[0]}/runner-{bundle.key}-{bundle.architecture}"
    if shell.run('[ -d "$1" ]', folder, timeout_s=ANSWER_S).code == 0:
        return folder
    shell.push(bundle.archive, f"{work}/runner.tar")
    # Unpacked beside and renamed, so that a folder of that name is always complete.
    unpack = (
        'cd "$1" && mkdir unpacked && tar -xf runner.tar -C unpacked && rm runner.tar && '
        'chmod 755 unpacked/* && { [ -d "$2" ] || mv unpacked "$2"; }'
    )
    answer = shell.run(unpack, work, folder, timeout_s=COPY_S)
    expect_success(answer, shell, f"unpack the runner into its folder {FILES!r}")
    return folder


def report_progress(line: str, progress: Progress | None) -> None:
    """Pass on what the runner says of its progress."""
    words = line.split()
    if progress is not None and re.fullmatch(r"progress \d{1,9} \d{1,9}", " ".join(words)):
        progress(int(words[1]), int(words[2]))
