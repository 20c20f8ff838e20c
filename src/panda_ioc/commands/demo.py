"""A simulated PandA and the bridge to it in one process, to try things out."""

import asyncio
import sys
import threading
from typing import Any

from panda_ioc.ioc.panda.connection import Address
from panda_ioc.ioc.server import Options
from panda_ioc.ioc.server import run as serve
from panda_ioc.sim import SimulatedPandA

HINTS = """
A simulated PandA is served as {prefix}:*. In another terminal, with any EPICS client:

    caget {prefix}:STATUS {prefix}:SYSTEM:IOC_VERSION
    camonitor {prefix}:COUNTER1:OUT {prefix}:INENC1:VAL:SCALED
    caput -c {prefix}:PULSE1:DELAY 2.5
    caput -c {prefix}:PULSE1:DELAY -1        # refused by the PandA; see {prefix}:ERROR
    caput -c {prefix}:COUNTER1:OUT:CAPTURE Value
    caput -c {prefix}:PCAP:ARM 1
    camonitor -# 5 {prefix}:COUNTER1:OUT:DATA:VALUE
    pvget {prefix}:SEQ1:TABLE {prefix}:PVI

The PandA itself listens on {host}:{port} (nc {host} {port}, then *IDN?). Ctrl-C ends both.
"""


def run(prefix: str, **serving: Any) -> int:
    """Run both until SIGTERM or SIGINT; returns the exit status.

    Arguments:
        prefix: of all PVs
        serving: further members of `Options`
    """
    panda = _start_simulator()

    def say_how() -> None:
        sys.stdout.write(HINTS.format(prefix=prefix, host=panda.host, port=panda.control_port))
        sys.stdout.flush()

    address = Address(panda.host, panda.control_port, panda.data_port)
    return serve(Options(address, prefix, **serving), say_how)


def _start_simulator() -> SimulatedPandA:
    """A simulator in a thread and an event loop of its own; it ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="simulator", daemon=True).start()

    async def start() -> SimulatedPandA:
        panda = SimulatedPandA()
        await panda.start()
        return panda

    return asyncio.run_coroutine_threadsafe(start(), loop).result()
