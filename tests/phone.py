"""A phone for the tests: see :mod:`tools.phone`; what Android's own commands answer is here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from edgemat.errors import MissingToolError
from tools import phone as stand_in
from tools.phone import PARTS, Phone

__all__ = ["BATTERY", "COMMANDS", "GETPROP", "PARTS", "THERMAL", "Phone", "phone"]

GETPROP = """[ro.product.manufacturer]: [Acme]
[ro.product.model]: [Phone 'X"]
[ro.soc.manufacturer]: [Acme]
[ro.soc.model]: [A1]
[ro.build.version.release]: [15]
[ro.product.cpu.abi]: [x86_64]"""
BATTERY = """Current Battery Service state:
  AC powered: false
  USB powered: true
  status: 2
  level: 85
  scale: 100
  temperature: 251"""
THERMAL = """IsStatusOverride: false
Thermal Status: 0
Cached temperatures:
\tTemperature{mValue=99.0, mType=3, mName=skin, mStatus=0}
HAL Ready: true
Current temperatures from HAL:
\tTemperature{mValue=33.0, mType=3, mName=skin, mStatus=0}
\tTemperature{mValue=41.5, mType=0, mName=CPU0, mStatus=0}
Temperature static thresholds from HAL:
\tTemperatureThreshold{mType=3, mName=skin, mHotThrottlingThresholds=[NaN, 39.0, 43.0, 45.0, \
46.5, 52.0, 55.0], mColdThrottlingThresholds=[NaN], mVrThrottlingThreshold=NaN}"""


def _print(text: str) -> str:
    return f"cat <<'END'\n{text}\nEND"


COMMANDS = {
    "getprop": _print(GETPROP),
    "settings": _print("0"),
    "cmd": _print("Unknown command"),
    "dumpsys": f'case "$1" in battery) {_print(BATTERY)}\n;; *) {_print(THERMAL)}\n;; esac',
}


@contextmanager
def phone(folder: Path) -> Iterator[Phone]:
    """Give a phone that is not plugged in yet; skip the test where there can be none."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(stand_in.phone(folder))
        except MissingToolError as error:
            pytest.skip(f"{error} {error.remedy}")
        yield found
