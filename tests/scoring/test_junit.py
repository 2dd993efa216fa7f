"""Verdicts as JUnit XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgemat.errors import DiskError
from edgemat.scoring.bounds import Bound, judge
from edgemat.scoring.junit import write_junit


def test_each_verdict_is_a_case_and_a_broken_bound_a_failure(tmp_path: Path) -> None:
    found, reference = {"sad": 1.02, "grad": 5.0}, {"sad": 1.0, "grad": 4.0}
    verdicts = judge([Bound("sad", "+5%"), Bound("grad", "+10%")], found, reference=reference)
    write_junit(tmp_path / "out.xml", "hair <1> & \x00", verdicts)
    (suite,) = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.tag, suite.get("name")) == ("testsuite", "hair <1> & ?")
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    good, bad = suite
    assert good.get("name") == "sad" and good.find("failure") is None
    failure = bad.find("failure")
    assert failure is not None
    assert failure.get("message") == f"grad 5, bound {verdicts[1].bound} against 4"


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out.xml").mkdir()
    with pytest.raises(DiskError):
        write_junit(tmp_path / "out.xml", "x", [])
