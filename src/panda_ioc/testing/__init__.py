"""For tests of other projects: a simulated PandA, and a bridge that serves it to EPICS clients.

    from panda_ioc.testing import served_panda, simulated_panda

    with simulated_panda() as panda, served_panda(panda) as served:
        ...connect to served.pv("PULSE1:DELAY")

Both are processes on loopback, with free ports and a prefix of their own. The fixtures of pytest
are in `panda_ioc.testing.fixtures`.
"""

from panda_ioc.errors import ServerFailed
from panda_ioc.testing.panda import BridgeProcess, PandaProcess, served_panda, simulated_panda
from panda_ioc.testing.ports import EpicsPorts, epics_ports

__all__ = [
    "BridgeProcess",
    "EpicsPorts",
    "PandaProcess",
    "ServerFailed",
    "epics_ports",
    "served_panda",
    "simulated_panda",
]
