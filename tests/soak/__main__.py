"""Hours of random puts, reads, captures and faults against one bridge and one simulated PandA.

    python -m tests.soak --minutes 60 --seed 1

Prints what was done and how the bridge's memory, tasks, descriptors and threads went; at the end
compares every PV with the device. Exit status: 0 all well, 1 something differs or leaks.
"""

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "faults"), str(HERE)]
os.environ["PANDA_IOC_PROGRAM"] = f"{sys.executable} {HERE / 'watched.py'}"


def main() -> int:
    """Parse the command line and soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--rate", type=float, default=30.0, help="puts a second, about")
    parser.add_argument("--pause", type=float, default=12.0, help="seconds between faults, about")
    options = parser.parse_args()

    from support.servers import EpicsPorts

    ports = EpicsPorts()
    ports.export()  # before any client library of EPICS is imported
    from soaking import Soak

    with tempfile.TemporaryDirectory(prefix="panda-soak-") as scratch:
        soak = Soak(Path(scratch), ports, options.seed, options.rate, options.pause)
        return asyncio.run(soak.run(options.minutes * 60))


if __name__ == "__main__":
    sys.exit(main())
