"""Arguments of the command line: what is imported for them, and what an address is."""

import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from panda_ioc import cli
from panda_ioc.cli.arguments import address, control_address
from panda_ioc.errors import ConfigurationError
from support.servers import Sim, free_ports

HEAVY = {"numpy", "h5py", "softioc", "epicscorelibs", "matplotlib", "asyncio"}


@pytest.mark.parametrize("command", ["", *(command.name for command in cli.COMMANDS)])
def test_help_imports_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "panda_ioc", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "panda_ioc.cli" in imported
    assert not imported & HEAVY
    assert not [name for name in imported if name.startswith("panda_ioc.commands")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["info", "box", "--timeout", "soon"], "--timeout: soon is not a positive number"),
        (["capture", "box", "a.h5", "--num", "0"], "--num: 0 is not a positive whole number"),
        (["sim", "--rate", "-1"], "--rate: -1 is not a positive number or 0"),
        (["sim", "--rate", "nan"], "--rate: nan is not a positive number or 0"),
        (["sim", "--samples", "-1"], "--samples: -1 is not a positive whole number or 0"),
        (["sim", "--port", "65536"], "--port: 65536 is not a port: 0 to 65535"),
    ],
)
def test_numbers_that_can_not_be(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"argument {words}\n")


@pytest.mark.parametrize(
    ("text", "host", "ports"),
    [
        ("box", "box", (8888, 8889)),
        ("box:9000", "box", (9000, 9001)),
        ("box:9000:7", "box", (9000, 7)),
        ("box:65535:7", "box", (65535, 7)),
        ("::1", "::1", (8888, 8889)),
        ("fe80::1:2", "fe80::1:2", (8888, 8889)),
    ],
)
def test_the_data_port_is_the_one_after_the_control_port(
    text: str, host: str, ports: tuple[int, int]
) -> None:
    found = address(Namespace(address=text, timeout=2.5))
    assert (found.host, (found.control_port, found.data_port), found.timeout) == (host, ports, 2.5)
    assert control_address(Namespace(address=text, timeout=2.5)) == (host, ports[0], 2.5)


@pytest.mark.parametrize("text", ["", ":1", "box:", "box:a", "box:0", "box:1:65536", "box:1:2:3"])
def test_what_is_no_address(text: str) -> None:
    for read in (address, control_address):
        with pytest.raises(ConfigurationError, match=f"^{text}: (give the address|the host)"):
            read(Namespace(address=text, timeout=1.0))


def test_no_port_follows_the_last() -> None:
    options = Namespace(address="box:65535", timeout=1.0)
    with pytest.raises(ConfigurationError, match="no data port follows 65535: give HOST:65535:"):
        address(options)
    assert control_address(options) == ("box", 65535, 1.0)


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Sim]:
    """A simulator with its data port after its control port."""
    free = set(free_ports(1000))
    port = next(port for port in free if port + 1 in free)
    with Sim(tmp_path / "sim.log", port=port, data_port=port + 1) as sim:
        yield sim


def test_a_capture_finds_the_data_port(neighbours: Sim, tmp_path: Path) -> None:
    neighbours.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value", "*SIM.SAMPLES=10")
    where = f"{neighbours.host}:{neighbours.port}"
    assert cli.main(["capture", where, str(tmp_path / "a.h5"), "--arm"]) == 0
