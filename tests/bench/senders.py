"""Concurrent senders over one connection, beside the client library in use today.

    python tests/bench/senders.py [--peer-python PYTHON]

starts a simulator and prints a table in Markdown; the peer's Python is also looked for in
$PANDA_IOC_PEER_PYTHON. By itself, with the Python of either: `senders.py measure PACKAGE HOST PORT
SENDERS PUTS` prints puts/s, and p50 and p99 of one put in ms, as JSON.
"""

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODULES = {
    "panda_ioc": ("panda_ioc.client.asyncio", "panda_ioc.protocol.commands"),
    "pandablocks": ("pandablocks.asyncio", "pandablocks.commands"),
}
# The peer knows no other ports.
HOST, CONTROL, DATA = "127.0.0.89", 8888, 8889
PUTS = {(1, False): 3000, (32, False): 6400, (1, True): 200, (32, True): 3200}
ROUNDS = 3


async def measure(package: str, host: str, port: int, senders: int, puts: int) -> dict[str, float]:
    """So many senders, each waiting for its last put before it sends the next."""
    client_module, command_module = (importlib.import_module(name) for name in MODULES[package])
    make = client_module.AsyncioClient
    client = make(host) if package == "pandablocks" else make(host, port)
    times: list[float] = []

    async def send(number: int, count: int) -> None:
        for n in range(count):
            start = time.perf_counter()
            await client.send(command_module.Put(f"PULSE{number % 4 + 1}.DELAY", str(n + 1)))
            times.append(time.perf_counter() - start)

    await client.connect()
    await asyncio.gather(*(send(number, 2) for number in range(senders)))
    times.clear()
    start = time.perf_counter()
    await asyncio.gather(*(send(number, puts // senders) for number in range(senders)))
    seconds = time.perf_counter() - start
    await client.close()
    times.sort()
    return {
        "rate": len(times) / seconds,
        "p50": 1e3 * times[len(times) // 2],
        "p99": 1e3 * times[len(times) * 99 // 100],
    }


def compare(peer: str | None) -> Iterator[str]:
    """The lines of the table: the median of some rounds, taken in turns."""
    yield "| senders | replies | client | puts/s | p50, ms | p99, ms |"
    yield "|---|---|---|---|---|---|"
    pythons = {"panda_ioc": sys.executable} | ({"pandablocks": peer} if peer else {})
    with _simulator() as sim:
        for (senders, split), puts in PUTS.items():
            if split:
                sim.put("*SIM.SPLIT=1")
            rounds: dict[str, list[dict[str, float]]] = {package: [] for package in pythons}
            for _ in range(ROUNDS):
                for package, python in pythons.items():
                    rounds[package].append(_measure_apart(python, package, senders, puts))
            replies = "two small writes" if split else "one write"
            for package, found in rounds.items():
                cells = " | ".join(_median(found, key) for key in ("rate", "p50", "p99"))
                yield f"| {senders} | {replies} | {package} | {cells} |"


def _median(found: list[dict[str, float]], key: str) -> str:
    value = sorted(each[key] for each in found)[len(found) // 2]
    return f"{value:.0f}" if key == "rate" else f"{value:.2f}"


def _measure_apart(python: str, package: str, senders: int, puts: int) -> dict[str, float]:
    where = [HOST, str(CONTROL), str(senders), str(puts)]
    command = [python, __file__, "measure", package, *where]
    found: dict[str, float] = json.loads(subprocess.check_output(command, timeout=120))
    return found


def _simulator() -> Any:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from support.servers import Sim

    log = Path(tempfile.mkdtemp()) / "sim.log"
    return Sim(log, "--no-alive", host=HOST, port=CONTROL, data_port=DATA)


def main() -> int:
    if sys.argv[1:2] == ["measure"]:
        package, host, *numbers = sys.argv[2:]
        print(json.dumps(asyncio.run(measure(package, host, *map(int, numbers)))))
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer-python", default=os.environ.get("PANDA_IOC_PEER_PYTHON"))
    for line in compare(parser.parse_args().peer_python):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
