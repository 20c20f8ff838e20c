"""A simulated PandA and the bridge to it in one process, to try things out."""

import asyncio
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from panda_ioc.client.address import Address
from panda_ioc.ioc.options import Options
from panda_ioc.ioc.server import run as serve
from panda_ioc.sim import SimulatedPandA

LAYOUT = Path(__file__).with_name("demo.panda")

HINTS = """
A simulated PandA is served, which scans all the time: its stage moves to and fro, and on the way up
SEQ1 gives 800 triggers. In another terminal, with any EPICS client:

    caget PREFIX:STATUS PREFIX:SYSTEM:IOC_VERSION
    camonitor PREFIX:COUNTER1:OUT PREFIX:INENC1:VAL:SCALED
    caput -c PREFIX:PULSE1:DELAY 2.5
    caput -c PREFIX:PULSE1:DELAY -1        # refused by the PandA; see PREFIX:ERROR
    caput -c PREFIX:COUNTER1:OUT:CAPTURE Value
    caput -c PREFIX:PCAP:ARM 1
    camonitor -# 5 PREFIX:COUNTER1:OUT:DATA:VALUE
    pvget PREFIX:SEQ1:TABLE PREFIX:PVI

The PandA itself listens on %(host)s:%(port)s:%(data_port)s (nc %(host)s %(port)s, then *IDN?).
Ctrl-C ends both.
"""

_PV = re.compile(r"PREFIX:([\w:]+)")
"""In the hints; a shell has its own use for some characters of a prefix."""


def run(options: Callable[[Address], Options], timeout: float) -> int:
    """Run both until SIGTERM or SIGINT; return the exit status.

    Args:
        options: how to serve the PandA at an address
        timeout: seconds that it may take to answer
    """
    panda = _start_simulator()
    chosen = options(Address(panda.host, panda.control_port, panda.data_port, timeout))

    def say_how() -> None:
        where = {"port": panda.control_port, "data_port": panda.data_port}
        hints = HINTS % {"host": panda.host, **where}
        sys.stdout.write(_PV.sub(lambda found: quote(f"{chosen.prefix}:{found[1]}"), hints))
        sys.stdout.flush()

    return serve(chosen, say_how)


def _start_simulator() -> SimulatedPandA:
    """Start a simulator in a thread and event loop of its own, which end with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="simulator", daemon=True).start()

    async def start() -> SimulatedPandA:
        panda = SimulatedPandA(twin=True, layout=LAYOUT)
        await panda.start()
        return panda

    return asyncio.run_coroutine_threadsafe(start(), loop).result()
