"""The process: how it starts, ends, and says what is wrong; and the box coming and going."""

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest
from tap import Tap
from watching import CaSeen, until

from support.servers import (
    LOOPBACK,
    PROGRAM,
    EpicsPorts,
    Ioc,
    Sim,
    Starter,
    free_ports,
    random_prefix,
)

INVALID, COMM = 3, 9
EXIT_TIME = 5.0  # seconds; in fact it takes a fraction of one
COMMANDS = ("run", "sim", "demo")


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program run to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def ended(ioc: Ioc, number: int = signal.SIGTERM) -> int:
    """The exit status after a signal."""
    ioc.process.send_signal(number)
    return ioc.process.wait(EXIT_TIME)


# -- the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--version",), *((each, "--version") for each in COMMANDS)])
def test_version(arguments: tuple[str, ...]) -> None:
    done = program(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"panda-ioc {version('panda-ioc')}\n"


def test_help_lists_the_commands() -> None:
    done = program("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(re.search(rf"^ +{each} ", done.stdout, re.MULTILINE) for each in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_says_what_each_option_is(command: str) -> None:
    done = program(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    options = re.findall(
        r"^  (--[a-z-]+)(?: [A-Z]+)?(.*(?:\n {10,}.*)*)", done.stdout, re.MULTILINE
    )
    assert "--log-level" in [name for name, _ in options]
    assert [name for name, text in options if not text.strip()] == []


def test_the_module_is_the_program() -> None:
    script = Path(sys.executable).with_name("panda-ioc")
    if not script.exists():
        pytest.skip("the script panda-ioc is not installed beside this Python")
    by_script = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    by_module = subprocess.run(
        [sys.executable, "-m", "panda_ioc", "--help"], capture_output=True, text=True, check=True
    )
    assert by_script.stdout == by_module.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "box:port", "P"), "box:port: give the address as HOST"),
        (("run", "box:1:2:3", "P"), "box:1:2:3"),
        (("run", "box:99999", "P"), "ports are 1 to 65535"),
        (("run", "box:0", "P"), "ports are 1 to 65535"),
        (("run", ":8888", "P"), "the host must not be empty"),
        (("run", "box"), "the following arguments are required: PREFIX"),
        (("run", "box", "P", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("run", "box", "P", "--poll-period", "0"), "0 is not a positive number"),
        (("run", "box", "P", "--poll-period", "nan"), "nan is not a positive number"),
        (("run", "box", "P", "--table-rows", "-1"), "-1 is not a positive whole number"),
        (("run", "box", "P", "--access-security", "/no/such/file"), "/no/such/file: no such"),
        (("sim", "--config-dir", "/no/such/directory"), "/no/such/directory: no such directory"),
        (("sim", "--port", "70000"), "70000"),
        (("fly",), "invalid choice: 'fly'"),
        ((), "the following arguments are required: COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = program(*arguments)
    assert done.returncode > 0
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert said in lines[-1]
    assert lines[-1].startswith("panda-ioc")
    # argparse says how to use the command before it says what was wrong.
    assert len(lines) == 1 or lines[0].startswith("usage: ")
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_in_one_line(sim: Sim) -> None:
    done = program("sim", "--port", str(sim.port))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(sim.port) in line


def test_a_broken_application_is_said_with_file_and_line(tmp_path: Path) -> None:
    for name in ("config", "registers", "description"):
        (tmp_path / name).write_text("PULSE 1\n    DELAY tome\n")
    done = program("sim", "--config-dir", str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"{tmp_path / 'config'}, line " in line


# -- ending -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_bridge_well(
    start_ioc: Starter[Ioc], sim: Sim, number: signal.Signals
) -> None:
    ioc = start_ioc(sim.address)
    assert ended(ioc, number) == 0
    assert "Traceback" not in ioc.text()


async def test_standard_files_that_are_closed_are_no_sockets(
    sim: Sim, epics_ports: EpicsPorts, ca: Any
) -> None:
    """Else what EPICS prints would go to the PandA, or to a client."""
    prefix = random_prefix()
    command = shlex.join([*PROGRAM, "run", sim.address, prefix])
    with epics_ports.slot() as slot:
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            f"exec {command} <&- >&- 2>&-",
            env={**os.environ, **epics_ports.server(slot)},
        )
        try:
            await ca.connect(f"{prefix}:STATUS", timeout=20)
            files = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
            assert files == 3 * [os.devnull]
            process.terminate()
            assert await asyncio.wait_for(process.wait(), EXIT_TIME) == 0
        finally:
            if process.returncode is None:
                process.kill()


def test_a_signal_ends_a_bridge_that_waits_for_a_box_that_is_off(
    tmp_path: Path, epics_ports: EpicsPorts
) -> None:
    (port,) = free_ports(1)
    address = f"{LOOPBACK}:{port}"
    with Ioc(tmp_path / "log", epics_ports, address, ready="waiting for the PandA") as ioc:
        assert f"{port}" in ioc.text()
        assert ended(ioc) == 0
        assert "Traceback" not in ioc.text()


async def test_a_signal_ends_a_bridge_that_has_lost_its_box(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], ca: Any
) -> None:
    sim = start_sim()
    ioc = start_ioc(sim.address)
    with CaSeen(ca, ioc.pv("STATUS")) as status:
        await status.until(lambda update: update == 2)
        sim.kill()
        await status.until(lambda update: update == 0)
    assert ended(ioc) == 0
    assert "Traceback" not in ioc.text()


def test_a_signal_ends_a_bridge_whose_box_is_silent(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc]
) -> None:
    sim = start_sim()
    ioc = start_ioc(sim.address)
    sim.put("*SIM.STALL=60")
    time.sleep(0.3)  # long enough for a poll to be under way
    assert ended(ioc) == 0
    assert "Traceback" not in ioc.text()
    sim.kill()


def test_the_simulator_ends_well(start_sim: Starter[Sim]) -> None:
    sim = start_sim()
    with socket.create_connection((sim.host, sim.port)):
        assert sim.stop() == 0
    assert "Traceback" not in sim.text()


# -- what it takes ------------------------------------------------------------------------------


def test_memory_is_not_locked(ioc: Ioc) -> None:
    status = Path(f"/proc/{ioc.process.pid}/status").read_text()
    assert re.search(r"^VmLck:\s+0 kB$", status, re.MULTILINE), status


def test_only_loopback_is_served_when_asked_to(ioc: Ioc) -> None:
    """What the tests themselves rely on."""
    connections = psutil.Process(ioc.process.pid).net_connections()
    listening = [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
    assert set(listening) == {LOOPBACK}


# -- demo ---------------------------------------------------------------------------------------


async def test_demo_prints_commands_that_work(start_ioc: Starter[Ioc], ca: Any, pva: Any) -> None:
    demo = start_ioc(None)
    text = demo.text()
    commands = re.findall(r"^    (caget|caput -c|camonitor(?: -# \d+)?|pvget) (.*)", text, re.M)
    assert len(commands) >= 6
    for command, rest in commands:
        words = rest.partition("#")[0].split()
        if command.startswith("caput"):
            name, value = words
            result = await ca.caput(name, value, wait=True, timeout=20, throw=False)
            assert result.ok == ("refused" not in rest), rest
        elif command == "pvget":
            assert all(pva.get(name) is not None for name in words)
        else:
            assert len(await ca.caget(words)) == len(words)
    with CaSeen(ca, demo.pv("COUNTER1:OUT")) as counter:
        await until(lambda: len({int(update) for update in counter.updates}) > 3, "counting")
    found = re.search(r"listens on ([\d.]+):(\d+)", text)
    assert found
    with socket.create_connection((found[1], int(found[2]))) as box:
        box.sendall(b"*IDN?\n")
        assert box.recv(100).startswith(b"OK =PandA")
    assert ended(demo) == 0


# -- the box comes and goes ---------------------------------------------------------------------


async def test_a_box_that_is_restarted_is_shown_as_it_is_now(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], ca: Any, pva: Any
) -> None:
    first = start_sim()
    ioc = start_ioc(first.address)
    names = ["PULSE1:PULSES", "TTLIN1:TERM", "INENC1:VAL:SCALED", "SEQ1:TABLE:TIME1", "PCAP:ARM"]
    pvs = [ioc.pv(name) for name in names]
    await ca.caput(pvs[0], 5, wait=True)
    with CaSeen(ca, ioc.pv("STATUS")) as status:
        first.kill()
        await status.until(lambda update: update == 0)
        for value in await ca.caget(pvs, format=ca.FORMAT_TIME):
            assert (value.severity, value.status) == (INVALID, COMM)
        results = await ca.caput(pvs[:2], [6, 1], wait=True, throw=False)
        assert [result.ok for result in results] == [False, False]
        with pytest.raises(Exception, match=r".+"):
            pva.put(pvs[0], {"value": 6}, request="record[block=true]", timeout=20)

        count = len(status.updates)
        second = start_sim(port=first.port, data_port=first.data_port)
        await until(lambda: status.updates[count:].count(2) > 0, "connected again")
    values = await ca.caget(pvs, format=ca.FORMAT_TIME)
    assert [value.severity for value in values] == [0] * len(pvs)
    assert values[0] == 0  # the box has forgotten
    await ca.caput(pvs[0], 7, wait=True)
    assert second.ask("PULSE1.PULSES?") == ["OK =7"]


async def test_a_cut_connection_is_made_again(tap: Tap, tapped: Ioc, ca: Any) -> None:
    name = tapped.pv("PULSE1:PULSES")
    await ca.caput(name, 5, wait=True)
    with CaSeen(ca, name) as seen:
        await seen.first()
        tap.cut()
        await seen.until(lambda update: (update.severity, update.status) == (INVALID, COMM))
        await until(lambda: seen.updates[-1].severity == 0, "recovery")
        assert seen.updates[-1] == 5
