"""An internal part that fails takes the process with it; none is left half alive."""

import sys
from pathlib import Path

import pytest

from support.servers import EpicsPorts, Server, Sim, random_prefix

EXIT_FAULT = 4

# The program, with one method of one part that fails some time after the start.
PROGRAM = """
import asyncio, sys, threading
from panda_ioc import cli
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.data_port import DataPort
from panda_ioc.ioc.parts.files.settings import FileSettings
from panda_ioc.ioc.parts.health import Health
from panda_ioc.ioc.parts.pcap import AcquisitionPart

kind, end = sys.argv[1].split("-")

async def run(self):
    await asyncio.sleep(1)
    if end == "hangs":  # so does a thread that waits for a disk that is gone
        import panda_ioc.ioc.server as server
        server.EXIT_TIMEOUT = 1.0
        asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    if end in ("raises", "hangs"):
        raise ZeroDivisionError("made for a test")
    if end == "cancelled":
        waited = asyncio.get_running_loop().create_future()
        waited.cancel()
        await waited

parts = {"health": Health, "pcap": AcquisitionPart, "path": FileSettings, "port": DataPort}
parts["panda"] = Connection
parts[kind].run = run
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "fault",
    ["path-raises", "pcap-returns", "port-cancelled", "panda-cancelled", "health-hangs"],
)
def test_the_process_ends_with_a_message(
    sim: Sim, epics_ports: EpicsPorts, tmp_path: Path, fault: str
) -> None:
    with epics_ports.slot() as slot:
        command = [sys.executable, "-c", PROGRAM, fault, "run", sim.address, random_prefix()]
        server = Server(tmp_path / "log", command, epics_ports.server(slot))
        try:
            assert server.process.wait(30) == EXIT_FAULT
        finally:
            server.kill()
    said = "made for a test" if fault.endswith(("raises", "hangs")) else "run of "
    told = [line for line in server.text().splitlines() if " CRITICAL " in line]
    assert len(told) == 1, server.text()
    assert said in told[0]
