"""The shell of EPICS on standard input: a pipe, as of a supervisor's socket, and a terminal."""

import os
import pty
import re
import select
import subprocess
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from support.servers import PROGRAM, EpicsPorts, Ioc, Sim, Starter, random_prefix


@pytest.fixture
def shell(sim: Sim, start_ioc: Starter[Ioc]) -> Iterator[Ioc]:
    yield from _with_input(start_ioc(sim.address, "--iocsh", stdin=subprocess.PIPE))


@pytest.fixture
def plain(sim: Sim, start_ioc: Starter[Ioc]) -> Iterator[Ioc]:
    yield from _with_input(start_ioc(sim.address, stdin=subprocess.PIPE))


def _with_input(ioc: Ioc) -> Iterator[Ioc]:
    assert ioc.process.stdin is not None
    with ioc.process.stdin:
        yield ioc


def _type(ioc: Ioc, *lines: str) -> None:
    assert ioc.process.stdin is not None
    ioc.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    ioc.process.stdin.flush()


def test_commands_of_epics_answer_at_once(shell: Ioc) -> None:
    _type(shell, f"dbgf {shell.pv('PULSE1:DELAY')}")
    shell.wait_for("DBF_DOUBLE: +0")
    _type(shell, "casr", "pvxsr", "asprules", "dbl mbbi")
    shell.wait_for("Channel Access Server")
    shell.wait_for("qsrvGroup")
    shell.wait_for("RULE")
    shell.wait_for(shell.pv("STATUS"))


def test_a_command_that_is_none_and_bytes_that_are_no_text_do_no_harm(shell: Ioc) -> None:
    assert shell.process.stdin is not None
    shell.process.stdin.write(b"nonsense \xff\n# a comment\n\n")
    _type(shell, "epicsEnvShow EPICS_CAS_INTF_ADDR_LIST")
    shell.wait_for("'nonsense' not registered")
    shell.wait_for("EPICS_CAS_INTF_ADDR_LIST=127.0.0.1")


def test_exit_ends_the_bridge(shell: Ioc) -> None:
    _type(shell, "exit")
    assert shell.process.wait(timeout=30) == 0
    assert "stopped" in shell.text()


async def test_a_closed_input_does_not_end_it(shell: Ioc, ca: Any) -> None:
    assert shell.process.stdin is not None
    shell.process.stdin.close()
    shell.wait_for("the input of the shell is closed; the bridge goes on")
    await ca.caput(shell.pv("PULSE1:DELAY"), 1.5, wait=True)
    assert shell.stop() == 0


async def test_without_the_option_nothing_is_read(plain: Ioc, ca: Any) -> None:
    _type(plain, "exit")
    await ca.caput(plain.pv("PULSE1:DELAY"), 2.5, wait=True)
    assert plain.stop() == 0
    assert "epics>" not in plain.text()


def test_a_terminal_has_a_history_and_is_left_as_it_was(sim: Sim, epics_ports: EpicsPorts) -> None:
    terminal, inside = pty.openpty()
    before = termios.tcgetattr(inside)
    with epics_ports.slot() as slot:
        command = [*PROGRAM, "run", sim.address, random_prefix(), "--iocsh"]
        environment = {**os.environ, **epics_ports.server(slot), "TERM": "vt100"}
        with subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env=environment
        ) as bridge:
            _read_until(terminal, rb"connected")
            os.write(terminal, b"epicsEnvShow TERM\n")
            _read_until(terminal, rb"TERM=vt100")
            os.write(terminal, b"\x1b[A\n")  # the arrow up, and return
            _read_until(terminal, rb"TERM=vt100.*epics> ")
            assert termios.tcgetattr(inside) != before
            bridge.terminate()
            assert bridge.wait(timeout=30) == 0
    assert termios.tcgetattr(inside) == before
    os.close(terminal)
    os.close(inside)


def _read_until(terminal: int, pattern: bytes) -> None:
    """Read what the terminal shows until the pattern is in it."""
    text = b""
    while not re.search(pattern, text, re.DOTALL):
        assert select.select([terminal], [], [], 60)[0], f"{pattern!r} is not in {text!r}"
        text += os.read(terminal, 4096)
