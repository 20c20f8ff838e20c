"""Fuzz for as long as you like; stops at the first failure, which can be repeated.

    python -m tests.fuzz --minutes 30 [--seed N]

Each round is `pytest tests/fuzz` with a seed of its own, about a minute.
"""

import argparse
import secrets
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run rounds; the exit status of the last one."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=secrets.randbits(31))
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    seed, status = options.seed, 0
    while status == 0 and time.monotonic() < end:
        print(f"pytest tests/fuzz --hypothesis-seed={seed}", flush=True)
        status = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("--timeout", "900", f"--hypothesis-seed={seed}", str(HERE)),
            ],
            cwd=HERE.parents[1],
            check=False,
        ).returncode
        seed += 1
    return status


if __name__ == "__main__":
    sys.exit(main())
