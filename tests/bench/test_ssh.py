"""A machine over ssh: with a real sshd on this one, and a key that lives as long as the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from phone import PARTS

from edgemat.bench.devices.device import BenchModel, Request
from edgemat.bench.devices.linux import linux_facts, parse_condition
from edgemat.bench.devices.shell import Answer
from edgemat.bench.devices.ssh import SshShell, open_ssh
from edgemat.bench.devices.transports import open_device
from edgemat.bench.protocol import Protocol
from edgemat.bench.runner.bundle import bundle_of
from edgemat.errors import DiskError, MissingToolError, UsageError
from edgemat.folders import part_folder

SHORT = Protocol(
    warmup_runs=2, warmup_seconds=0, runs=20, seconds=0.01, blocks=2, max_cv=99, max_drift=99
)


@dataclass(frozen=True)
class Server:
    """A running sshd: an ssh_config that knows it as ``board``, and its folder."""

    config: Path
    folder: Path
    process: subprocess.Popen[bytes]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ssh")
    part = part_folder("sshd")
    if not part.exists() or shutil.which("ssh") is None:
        pytest.skip(f"sshd is missing: {PARTS}")
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(command, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'user.pub'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"SetEnv XDG_CACHE_HOME={folder / 'cache'}\n"
    )
    public = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}")
    config = folder / "ssh_config"
    config.write_text(
        f"Host board\n HostName 127.0.0.1\n Port {port}\n IdentityFile {folder / 'user'}\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder / 'known_hosts'}\n"
    )
    with start_sshd(part, folder) as process:
        wait_for(port)
        yield Server(config, folder, process)
        process.kill()


def start_sshd(part: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start sshd in a mount namespace that has what the package's installation would make."""
    (folder / "passwd").write_text(
        Path("/etc/passwd").read_text() + "sshd:x:65533:65533::/run/sshd:/usr/sbin/nologin\n"
    )
    libraries = part / "usr" / "lib" / "x86_64-linux-gnu"
    script = (
        'mount --bind "$1/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd '
        '&& exec env LD_LIBRARY_PATH="$2" "$3" -D -e -f "$1/sshd_config"'
    )
    paths = [str(folder), str(libraries), str(part / "usr" / "sbin" / "sshd")]
    if os.geteuid() != 0:
        pytest.skip("sshd needs root to set itself up")
    quiet = subprocess.DEVNULL
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *paths]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=log)


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip("sshd does not start here")


@pytest.fixture
def models(tmp_path: Path) -> list[BenchModel]:
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import write_integer_model, write_matte_model

    if not bundle_of("x86_64").archive.exists():
        pytest.skip("the runner is missing: make runner")
    return [
        BenchModel("; reboot", write_matte_model(tmp_path / "it's $HOME.tflite", size=64)),
        BenchModel("int8", write_integer_model(tmp_path / "-rf.tflite")),
    ]


def test_models_are_measured_and_nothing_stays(server: Server, models: list[BenchModel]) -> None:
    device = open_ssh("board", config=server.config, cpu_mask=1)
    results = device.measure(Request(models, protocol=SHORT))
    assert [r.name for r in results] == ["; reboot", "int8"]
    for result in results:
        assert (result.verdict, result.reason) == ("valid", "")
        assert result.golden is not None and result.golden.max_abs == 0
        where = result.circumstances
        assert (where.transport, where.cpu_mask, where.cores) == ("ssh", "1", 1)
        assert where.before.load_average is not None and "Linux" in where.os
    left = [path.name for path in (server.folder / "cache" / "edgemat").iterdir()]
    assert len(left) == 1 and left[0].startswith("runner-")


@pytest.mark.parametrize("odd", ["a b", "$(id)", "'", '"', "a\nb", "-n", "", "\\", ";", "!x"])
def test_what_reaches_the_machine_is_quoted(server: Server, odd: str) -> None:
    answer = SshShell("board", config=server.config).run('printf "%s" "$1"; exit 7', odd)
    assert (answer.out, answer.code) == (odd, 7)


def test_files_with_odd_names_go_there_and_back(server: Server, tmp_path: Path) -> None:
    shell = SshShell("board", config=server.config)
    content = bytes(range(256)) * 1000
    (tmp_path / "source").write_bytes(content)
    odd = f"{server.folder}/'a b' $(c)\n"
    shell.push(tmp_path / "source", odd)
    shell.pull(odd, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content == Path(odd).read_bytes()


def test_a_full_disk_is_named(full_disk: Path, server: Server, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    with pytest.raises(DiskError, match="disk of the machine 'board' is full"):
        SshShell("board", config=server.config).push(tmp_path / "large", f"{full_disk}/large")


def kill_tree(process: int) -> None:
    """End a process and all that it started."""
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            kill_tree(int(child))
    os.kill(process, signal.SIGKILL)


def test_a_machine_that_goes_away_in_the_middle(server: Server, models: list[BenchModel]) -> None:
    endless = Protocol(warmup_runs=0, warmup_seconds=600)
    reached = threading.Event()
    device = open_ssh("board", config=server.config)
    # The first word of the runner's, a second after it began
    killer = threading.Thread(target=lambda: reached.wait(60) and kill_tree(server.process.pid))
    run = device.shell.run

    def spy(script: str, *arguments: str, **options: Any) -> Answer:
        if "exec" in script:
            options["on_line"] = lambda _: reached.set()
        return run(script, *arguments, **options)

    device.shell.run = spy  # type: ignore[method-assign]
    killer.start()
    with pytest.raises(MissingToolError, match="cannot be reached") as caught:
        device.measure(Request(models, protocol=endless))
    killer.join()
    assert reached.is_set() and caught.value.remedy
    with pytest.raises(MissingToolError, match="cannot be reached") as caught:
        device.measure(Request(models, protocol=SHORT))
    assert "Start the ssh server" in caught.value.remedy


def test_a_silent_machine_is_given_up(server: Server) -> None:
    shell = SshShell("board", config=server.config)
    begin = time.monotonic()
    with pytest.raises(MissingToolError, match="does not answer"):
        shell.run("sleep 60", timeout_s=-9.0)  # the time to connect is added
    assert time.monotonic() - begin < 20


def test_a_key_that_does_not_fit(server: Server) -> None:
    (server.folder / "user.pub").write_text("")
    with pytest.raises(MissingToolError, match="cannot be reached") as caught:
        SshShell("board", config=server.config).run("true")
    assert "ssh-copy-id" in caught.value.remedy


NO_MACHINES = """-oProxyCommand=x
-l
--
a b
me@-x
me@
host:0
host:99999
host:x
a;b
$(id)
a@b@c
[::1
host:22:33"""


@pytest.mark.parametrize("destination", [*NO_MACHINES.splitlines(), "a\nb", ""])
def test_what_is_no_machine_is_refused(destination: str) -> None:
    with pytest.raises(UsageError):
        open_device(f"ssh:{destination}", listen="", tls=False, say=print)


@pytest.mark.parametrize(
    ("destination", "host", "port"),
    [
        ("board", "board", None),
        ("pi@board.local:2222", "pi@board.local", "2222"),
        ("[fe80::1%eth0]:22", "fe80::1%eth0", "22"),
        ("_x.y-z", "_x.y-z", None),
    ],
)
def test_machines(destination: str, host: str, port: str | None) -> None:
    shell = SshShell(destination)
    assert shell.host == host
    assert ("-p" in shell._options) == (port is not None)


def test_what_a_board_tells() -> None:
    told = parse_condition(
        "@@load\n0.50 0.4 0.3 1/100 99\n@@frequencies\n1500000\n600000\n"
        "@@temperatures\n-40000\n48312\n0\n@@battery\nPOWER_SUPPLY_TYPE=Mains\n\n"
        "@@battery\nPOWER_SUPPLY_SCOPE=Device\nPOWER_SUPPLY_TYPE=Battery\n"
        "POWER_SUPPLY_CAPACITY=9\n\n@@battery\nPOWER_SUPPLY_TYPE=Battery\n"
        "POWER_SUPPLY_STATUS=Discharging\nPOWER_SUPPLY_CAPACITY=81\n"
    )
    assert (told.load_average, told.frequencies_mhz) == (0.5, (1500.0, 600.0))
    assert (told.temperature_c, told.battery_level, told.charging) == (48.312, 0.81, False)
    nothing = parse_condition("")
    assert nothing.temperature_c is None and nothing.charging is None


def test_facts_of_this_machine(server: Server) -> None:
    facts = linux_facts(SshShell("board", config=server.config))
    assert facts.machine == os.uname().machine and facts.device and facts.soc
    assert os.uname().release in facts.os
