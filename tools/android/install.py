"""The APK through real adb and adbd, with `pm` and `am` that only look into the APK."""

from __future__ import annotations

import shlex
from pathlib import Path

from edgemat.errors import MissingToolError
from tools.android.apk import Apk
from tools.android.kotlin import PACKAGE
from tools.finding import Finding
from tools.phone import Phone, phone

LAUNCHED = ".MainActivity"
BENCHMARK = ".benchmark.BenchmarkActivity"
# As in the comment of Setting.kt, for a measurement that is started from a computer.
EXTRAS = "--es task portrait --es delegate xnnpack --ei threads 1 --es mode standard"

# $aapt2 and $installed are set above each. `pm` takes the APK's own name for itself.
_PM = """
[ "$1" = install ] || exit 2
shift
[ "$1" = -r ] && shift
package=$($aapt2 dump packagename "$1") || { echo "Failure [INSTALL_PARSE_FAILED]"; exit 1; }
cp "$1" "$installed/$package.apk" && echo Success
"""
_AM = """
[ "$1" = start ] && [ "$2" = -n ] || exit 2
package=${3%%/*}; name=$package${3#*/}
manifest=$($aapt2 dump xmltree --file AndroidManifest.xml "$installed/$package.apk" 2>&1)
case "$manifest" in
*"\\"${3#*/}\\""*|*"\\"$name\\""*) ;;
*) echo "Error: Activity class {$3} does not exist."; exit 1 ;;
esac
shift 3
echo "Starting: Intent { cmp=$package } $*"
"""


def install(apk: Apk) -> Finding:
    """Copy the APK to a phone that is none, install it there and start two activities.

    Raises
    ------
    MissingToolError
        When there can be no such phone here.
    """
    title = "The APK is installed and started through adb"
    scratch = apk.build.scratch
    with phone(scratch) as found:
        installed = scratch / "installed"
        installed.mkdir()
        found.plug_in(commands=_commands(apk, installed))
        target = f"{scratch}/pushed.apk"
        said = [
            found.adb("push", str(apk.path), target),
            found.adb("shell", f"pm install -r {shlex.quote(target)}"),
            _start(found, LAUNCHED),
            _start(found, BENCHMARK, EXTRAS),
            _start(found, ".NoActivity"),
        ]
    expected = ("1 file pushed", "Success", "Starting:", EXTRAS, "does not exist")
    problems = [
        f"{text.strip() or 'no answer'!r} instead of {wanted!r}"
        for text, wanted in zip(said, expected, strict=True)
        if wanted not in text
    ]
    detail = "real adb and adbd, pm and am are stubs that read the APK; no Android ran it"
    return Finding(title, not problems, "\n".join(problems) or detail)


def install_or_skip(apk: Apk) -> Finding:
    """Install as :func:`install`, or say why that is not possible here."""
    try:
        return install(apk)
    except MissingToolError as error:
        return Finding(f"The APK is not installed: {error} {error.remedy}", True, skipped=True)


def _start(found: Phone, activity: str, extras: str = "") -> str:
    return found.adb("shell", f"am start -n {PACKAGE}/{activity} {extras}")


def _commands(apk: Apk, installed: Path) -> dict[str, str]:
    aapt2 = shlex.join(apk.build.toolchain.native_command("aapt2"))
    head = f"aapt2={shlex.quote(aapt2)}\ninstalled={shlex.quote(str(installed))}\n"
    return {"pm": head + _PM, "am": head + _AM}
