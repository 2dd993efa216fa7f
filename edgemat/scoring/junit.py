"""Verdicts as JUnit XML, which the machines that run a project's tests read and show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from edgemat.files import write_text
from edgemat.scoring.bounds import Verdict

# What XML 1.0 has no way to write.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, subject: str, verdicts: Sequence[Verdict]) -> None:
    """Write a suite with a case for each verdict; one that is not passed is a failure.

    Parameters
    ----------
    subject:
        What was judged: the suite's name.

    Raises
    ------
    DiskError
        When the file cannot be written.
    """
    failed = sum(not verdict.passed for verdict in verdicts)
    suite = ElementTree.Element(
        "testsuite",
        name=_plain(subject),
        tests=str(len(verdicts)),
        failures=str(failed),
        errors="0",
        skipped="0",
        time="0",
    )
    for verdict in verdicts:
        case = ElementTree.SubElement(
            suite, "testcase", name=_plain(verdict.name), classname="edgemat.gate", time="0"
        )
        told = _sentence(verdict)
        if verdict.passed:
            ElementTree.SubElement(case, "system-out").text = told
        else:
            ElementTree.SubElement(case, "failure", message=told, type="bound").text = told
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    ElementTree.indent(whole)
    text = ElementTree.tostring(whole, encoding="unicode")
    write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _sentence(verdict: Verdict) -> str:
    told = f"{verdict.name} {verdict.measured:g}, bound {verdict.bound}"
    if verdict.reference is not None:
        told += f" against {verdict.reference:g}"
    return _plain(f"{told}; {verdict.note}" if verdict.note else told)


def _plain(text: str) -> str:
    return _NOT_IN_XML.sub("?", text)
