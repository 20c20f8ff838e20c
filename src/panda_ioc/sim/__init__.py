"""A simulated PandA: loads an application directory, speaks control and data port.

`run` serves until a signal comes; `SimulatedPandA` serves inside an event loop, for tests. What is
captured is described in `signals`, what moves in `life`, the `*SIM` commands in `simulation`.
"""

from panda_ioc.sim.server import SimulatedPandA, run
from panda_ioc.sim.settings import SimSettings

__all__ = ["SimSettings", "SimulatedPandA", "run"]
