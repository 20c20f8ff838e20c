"""The bridge beside the one in use today, in one run: `python -m tests.bench.compare`.

Options:
  --peer-python PYTHON  of an environment with the peer (default: $PANDA_IOC_PEER_PYTHON)
  --make-peer DIR       make that environment first
  --config-dir DIR      application of the simulated box (default: the one beside the checkout,
                        else the packaged one, on which the peer does not start)

Prints a table in Markdown. Absolute figures belong to the machine: quote the ratios.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from servers import SHARED, EpicsPorts, Server, ServerFailed, Sim, random_prefix  # noqa: E402

PEER = ("pandablocks==0.10.4", "pandablocks-ioc==0.11.6")
HERE = Path(__file__).parent
# The peer knows no other ports.
HOST, CONTROL, DATA = "127.0.0.88", 8888, 8889
EPICS_RUNS = "iocRun: All initialization complete"
SAMPLES = 20_000_000
COLUMNS = [f"COUNTER{n}.OUT" for n in range(1, 9)] + ["INENC1.VAL", "INENC2.VAL"]

ROWS: tuple[tuple[str, str, str, bool], ...] = (
    # key, what, unit, whether more is better
    ("names", "records + aliases", "", True),
    ("start", "start until EPICS runs", "s", False),
    ("memory", "resident memory", "MB", False),
    ("put_p50", "put with callback, p50", "ms", False),
    ("put_p99", "put with callback, p99", "ms", False),
    ("puts", "puts/s, 32 at once", "", True),
    ("split_put_p50", "replies in two writes: put, p50", "ms", False),
    ("split_put_p99", "replies in two writes: put, p99", "ms", False),
    ("split_puts", "replies in two writes: puts/s, 32 at once", "", True),
    ("refused", "refused put", "", True),
    ("change_in", "change by another client, input record", "ms", False),
    ("change_out", "change by another client, output record", "ms", False),
    ("put", "put, sans-IO only", "k/s", True),
    ("decode", "decode, 400-byte frames", "k/s", True),
    ("receive_plain", "plain recv_into of the stream", "MB/s", True),
    ("receive_asyncio", "client receive, asyncio, 40-byte samples", "MB/s", True),
    ("receive_blocking", "client receive, blocking", "MB/s", True),
)
SCALE = {"put": 1e-3, "decode": 1e-3}
Results = dict[str, float | str | None]


def main() -> int:
    options = _options()
    if options.make_peer:
        options.peer_python = _make_peer(options.make_peer)
    with tempfile.TemporaryDirectory() as scratch:
        ours = _measure(Path(scratch), options.config_dir, sys.executable, is_peer=False)
        theirs: Results | None = None
        if options.peer_python:
            theirs = _measure(Path(scratch), options.config_dir, options.peer_python, is_peer=True)
        else:
            print("the peer is not measured: give --peer-python or --make-peer\n")
    _print(ours, theirs)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = SHARED / "apps" / "pandabox-no-fmc"
    parser.add_argument("--peer-python", default=os.environ.get("PANDA_IOC_PEER_PYTHON"))
    parser.add_argument("--make-peer", type=Path, metavar="DIR")
    parser.add_argument("--config-dir", type=Path, default=default if default.is_dir() else None)
    return parser.parse_args()


def _make_peer(directory: Path) -> str:
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER], check=True)
    return str(python)


def _measure(scratch: Path, config: Path | None, python: str, *, is_peer: bool) -> Results:
    name = "peer" if is_peer else "ours"
    results: Results = {}
    with Sim(
        scratch / f"{name}-sim", config_dir=config, host=HOST, port=CONTROL, data_port=DATA
    ) as sim:
        results |= _bridge(scratch, sim, python, is_peer)
    package = "pandablocks" if is_peer else "panda_ioc"
    for part in ("put", "decode"):
        results[part] = _part(python, package, part)
    for part in ("receive_plain", "receive_asyncio", "receive_blocking"):
        with Sim(
            scratch / f"{name}-{part}",
            "--rate",
            "0",
            "--samples",
            str(SAMPLES),
            config_dir=config,
            host=HOST,
            port=CONTROL,
            data_port=DATA,
        ) as sim:
            sim.put(*(f"{column}.CAPTURE=Value" for column in COLUMNS))
            results[part] = _part(python, package, part, HOST, str(CONTROL), str(DATA))
    return results


def _bridge(scratch: Path, sim: Sim, python: str, is_peer: bool) -> Results:
    ports, prefix = EpicsPorts(1), random_prefix()
    screens = scratch / f"screens-{is_peer}"
    screens.mkdir()
    command = (
        [python, "-m", "pandablocks_ioc", "softioc", HOST, prefix, "--screens-dir", str(screens)]
        if is_peer
        else [python, "-m", "panda_ioc", "run", sim.address, prefix, "--screens-dir", str(screens)]
    )
    with ports.slot() as slot:
        start = time.monotonic()
        # The peer ends at the end of its input, so it gets one that does not end.
        log = scratch / f"ioc-{is_peer}"
        with _Process(log, command, ports.server(slot)) as server:
            server.wait_for(re.escape(EPICS_RUNS))
            seconds = time.monotonic() - start
            time.sleep(5.0)
            results = _ask_client(prefix, ports.client)
            results["start"] = seconds
            results["memory"] = _resident(server.process.pid)
            results["names"] = _count_names(log)
    return results


class _Process(Server):
    """A server whose standard input stays open."""

    def __init__(self, log: Path, command: list[str], env: Mapping[str, str]) -> None:
        self.log, self.command = log, command
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
        )


def _ask_client(prefix: str, environment: Mapping[str, str]) -> Results:
    done = subprocess.run(
        [sys.executable, HERE / "bridge_client.py", prefix, HOST, str(CONTROL)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise ServerFailed(done.stderr[-2000:])
    results: Results = json.loads(done.stdout.splitlines()[-1])
    return results


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _count_names(log: Path) -> float | None:
    found = re.search(r"(\d+) names", log.read_text(errors="replace"))
    return float(found[1]) if found else None


def _part(python: str, package: str, part: str, *where: str) -> float | str:
    command = [python, str(HERE / "parts.py"), package, part, *where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:60]
    return float(done.stdout.split()[-1]) * SCALE.get(part, 1.0)


def _print(
    ours: Results, theirs: Results | None, rows: tuple[tuple[str, str, str, bool], ...] = ROWS
) -> None:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    print(
        f"{os.cpu_count()} x {model}, Linux {platform.release()}, Python"
        f" {platform.python_version()}; both on loopback, one after the other\n"
    )
    print("| | panda-ioc | peer | ratio |\n|---|---|---|---|")
    for key, what, unit, more_is_better in rows:
        mine, their = ours.get(key), (theirs or {}).get(key)
        print(
            f"| {what} | {_show(mine, unit)} | {_show(their, unit) if theirs else '-'} |"
            f" {_ratio(mine, their, more_is_better)} |"
        )


def _show(value: float | str | None, unit: str) -> str:
    if value is None:
        return "never" if unit == "ms" else "-"
    return f"{value:.4g} {unit}".strip() if isinstance(value, int | float) else value


def _ratio(mine: float | str | None, their: float | str | None, more_is_better: bool) -> str:
    if not isinstance(mine, int | float) or not isinstance(their, int | float):
        return ""
    if not mine or not their:
        return ""
    ratio = mine / their if more_is_better else their / mine
    return f"{ratio:.2g} times as good" if ratio >= 1 else f"{ratio:.2g} of it"


if __name__ == "__main__":
    sys.exit(main())
