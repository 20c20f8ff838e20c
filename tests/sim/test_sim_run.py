"""Running as a process."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from panda_ioc.errors import ConfigurationError
from panda_ioc.sim import SimulatedPandA

RUN = "import sys; from panda_ioc.sim import SimulatedPandA, run; " + (
    "sys.exit(run(SimulatedPandA(port=int(sys.argv[1]))))"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_says_when_it_is_ready_and_ends_at_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN, "0"], stdout=subprocess.PIPE) as panda:
        output = panda.stdout
        assert output
        line = output.readline().decode()
        match = re.fullmatch(
            r"panda-ioc sim: pandabox ready, control 127\.0\.0\.1:(\d+) data 127\.0\.0\.1:(\d+)\n",
            line,
        )
        assert match, line
        with (
            socket.create_connection(("127.0.0.1", int(match[1]))) as control,
            socket.create_connection(("127.0.0.1", int(match[2]))),
        ):
            control.sendall(b"*IDN?\n")
            assert control.recv(100).startswith(b"OK =PandA SW: 4.1 ")
            panda.send_signal(number)
            assert panda.wait(10) == 0
        assert output.read() == b""


def free_pair() -> int:
    """The first of two neighbouring ports that were both free just now."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            with suppress(OSError), socket.create_server(("127.0.0.1", port + 1)):
                return port


async def test_data_port_follows_the_control_port_where_it_can() -> None:
    port = free_pair()
    async with SimulatedPandA(port=port) as panda:
        assert (panda.control_port, panda.data_port) == (port, port + 1)
    with socket.create_server(("127.0.0.1", port + 1)):
        async with SimulatedPandA(port=port) as panda:
            assert panda.data_port not in (0, port + 1)


async def test_ports_in_use_are_refused() -> None:
    async with SimulatedPandA() as one:
        with pytest.raises(ConfigurationError, match=f"control port {one.control_port}, data"):
            await SimulatedPandA(port=one.control_port).start()
        with pytest.raises(ConfigurationError, match="choose others"):
            await SimulatedPandA(data_port=one.data_port).start()
