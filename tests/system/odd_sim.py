"""Run a simulated PandA whose fields may have types that no server has yet: CONFIG_DIR."""

import sys
from pathlib import Path

from panda_ioc.sim import SimulatedPandA, run

if __name__ == "__main__":
    sys.exit(run(SimulatedPandA(Path(sys.argv[1]), port=0, data_port=0, unknown_types=True)))
