"""Hours of random puts, reads, captures and faults against one bridge and one PandA.

    python -m tests.soak --minutes 60 --seed 1
    python -m tests.soak --host 127.0.0.1:8888 --restart "panda-server --port 8888"

The PandA is a simulated one unless another is given: then the command starts it in the foreground,
with its data port after the control port. It is killed, stopped and started again. Prints what was
done and how the bridge's memory, tasks, descriptors and threads went; at the end compares every PV
with the PandA, and with a bridge that has just begun. Exit status: 0 all well, 1 not.
"""

import argparse
import asyncio
import os
import secrets
import shlex
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OTHER_APPLICATION = HERE.parent / "otherbox"
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "faults"), str(HERE)]
os.environ["PANDA_IOC_PROGRAM"] = f"{sys.executable} {HERE / 'watched.py'}"


def main() -> int:
    """Parse the command line and soak."""
    options = _options()

    from support.servers import EpicsPorts

    ports = EpicsPorts()
    ports.export()  # before any client library of EPICS is imported
    from panda import PandA
    from soaking import Plan, Soak

    from panda_ioc.testing.ports import ca_repeater

    is_simulated = options.host is None
    address, command, other = _simulated() if is_simulated else _given(options)
    plan = Plan(options.minutes * 60, options.seed, options.rate, options.pause)
    with ca_repeater(), tempfile.TemporaryDirectory(prefix="panda-soak-") as scratch:
        directory = options.keep or Path(scratch)
        panda = PandA(address, command, other, directory / "panda.log", is_simulated)
        return asyncio.run(Soak(directory, ports, panda, plan).run())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--rate", type=float, default=30.0, help="puts a second, about")
    parser.add_argument("--pause", type=float, default=12.0, help="seconds between faults, about")
    parser.add_argument("--host", metavar="HOST:PORT", help="where the PandA will listen")
    parser.add_argument("--restart", metavar="COMMAND", help="starts the PandA, and stays")
    parser.add_argument("--other", metavar="COMMAND", default="", help="another application of it")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="leave logs and files there")
    options = parser.parse_args()
    if (options.host is None) != (options.restart is None):
        parser.error("give --host and --restart, or neither")
    return options


def _given(options: argparse.Namespace) -> tuple[tuple[str, int], str, str]:
    host, _, port = options.host.rpartition(":")
    return (host, int(port)), options.restart, options.other


def _simulated() -> tuple[tuple[str, int], str, str]:
    from support.servers import LOOPBACK, free_ports

    free = set(free_ports(2000))
    port = next(port for port in free if port + 1 in free)
    command = [sys.executable, "-m", "panda_ioc", "sim", "--host", LOOPBACK, "--port", str(port)]
    other = [*command, "--config-dir", str(OTHER_APPLICATION)]
    return (LOOPBACK, port), shlex.join(command), shlex.join(other)


if __name__ == "__main__":
    sys.exit(main())
