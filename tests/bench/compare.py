"""The bridge beside the one in use today, in one run: `python -m tests.bench.compare`.

Both serve the same simulated box on loopback, one after the other. Prints two tables in Markdown:
absolute figures belong to the machine, quote the ratios. Takes about five minutes.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from bench import capturing, serving  # noqa: E402
from bench.common import Side, machine, make_peer, print_table  # noqa: E402
from support.servers import SHARED  # noqa: E402

TABLES = {
    "control": (serving.ROWS, serving.measure),
    "data": (capturing.ROWS, capturing.measure),
}


def main() -> int:
    options = _options()
    if options.make_peer:
        options.peer_python = make_peer(options.make_peer)
    if not options.peer_python:
        print("the peer is not measured: give --peer-python or --make-peer\n")
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as scratch:
        rest = (options.config_dir, Path(scratch), options.puts)
        ours = Side(sys.executable, False, *rest)
        peer = Side(options.peer_python or "", True, *rest)
        for name in options.only or TABLES:
            rows, measure = TABLES[name]
            theirs = measure(peer) if options.peer_python else None
            print_table(measure(ours), theirs, rows)
        for rate in options.rates:
            print(f"{rate:g} MB/s through the bridge: {capturing.at_rate(ours, rate)}\n")
        if options.gigabytes:
            print(f"{options.gigabytes:g} GB: {capturing.gigabytes(ours, options.gigabytes)}\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add, default = parser.add_argument, SHARED / "apps" / "pandabox-no-fmc"
    add(
        "--peer-python",
        default=os.environ.get("PANDA_IOC_PEER_PYTHON"),
        metavar="PYTHON",
        help="of an environment with the peer (default: $PANDA_IOC_PEER_PYTHON)",
    )
    add("--make-peer", type=Path, metavar="DIR", help="make that environment first")
    add(
        "--config-dir",
        type=Path,
        default=default if default.is_dir() else None,
        metavar="DIR",
        help="application of the simulated box (default: one beside the checkout, else the\n"
        "packaged one, on which the peer does not start)",
    )
    add("--only", nargs="+", choices=TABLES, help="not both tables")
    add("--puts", type=int, default=2000, metavar="N", help="one after the other (%(default)s)")
    add(
        "--rates",
        type=float,
        nargs="*",
        default=[],
        metavar="MB/S",
        help="also through our bridge at these rates, to see where it breaks",
    )
    add(
        "--gigabytes",
        type=float,
        default=0.0,
        metavar="N",
        help="also N GB to disk on our side, to see that memory stays flat",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
