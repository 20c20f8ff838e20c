"""Captures of the bridge beside the one in use today: `python -m tests.bench.capture`.

Options beside those of `tests.bench.compare`:
  --rates MB/S ...  also through our bridge at these rates, to see where it breaks (default: none)
  --gigabytes N     also N GB to disk on our side, to see that memory stays flat (default: none)

Prints tables in Markdown. Absolute figures belong to the machine: quote the ratios.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psutil  # noqa: E402
from tests.bench import capture_client, compare  # noqa: E402

from servers import SHARED, EpicsPorts, ServerFailed, Sim, random_prefix  # noqa: E402

RATE, SECONDS = 100.0, 10.0  # MB/s; 1 Gbit/s Ethernet carries 118
ROUNDS = 3
DISK_SAMPLES = 20_000_000  # 800 MB
ROWS: tuple[tuple[str, str, str, bool], ...] = (
    ("receive_plain", "plain recv_into of the stream", "MB/s", True),
    ("receive_ioc", "receive as the bridge does, 40-byte samples", "MB/s", True),
    ("receive_blocking", "client receive, blocking", "MB/s", True),
    ("decode", "decode, 400-byte frames", "k/s", True),
    ("disk", "to disk, 9 columns of 40-byte samples", "MB/s", True),
    ("disk_cpu", "CPU of it", "s/GB", False),
    ("disk_rss", "memory of it", "MB", False),
    ("stream_rate", f"through the bridge, of {RATE:g} MB/s", "MB/s", True),
    ("stream_lost", "samples lost", "", False),
    ("stream_put_p50", "put with callback meanwhile, p50", "ms", False),
    ("stream_put_p99", "put with callback meanwhile, p99", "ms", False),
    ("stream_live_p50", "time between updates of a live waveform, p50", "ms", False),
    ("stream_live_max", "the longest", "ms", False),
    ("stream_cpu", "CPU of the bridge", "s/s", False),
    ("stream_status", "what it says at the end", "", False),
)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        ours = measure(directory, options.config_dir, sys.executable, is_peer=False)
        theirs = None
        if options.peer_python:
            theirs = measure(directory, options.config_dir, options.peer_python, is_peer=True)
        compare._print(ours, theirs, ROWS)
        for rate in options.rates:
            print(f"\n{rate:g} MB/s through the bridge: {_line(directory, options, rate)}")
        if options.gigabytes:
            count = int(options.gigabytes * 1e9 / capture_client.SAMPLE)
            print(f"\n{options.gigabytes:g} GB to disk: {_disk(directory, None, count=count)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    default = SHARED / "apps" / "pandabox-no-fmc"
    parser.add_argument("--peer-python", default=os.environ.get("PANDA_IOC_PEER_PYTHON"))
    parser.add_argument("--config-dir", type=Path, default=default if default.is_dir() else None)
    parser.add_argument("--rates", type=float, nargs="*", default=[], metavar="MB/S")
    parser.add_argument("--gigabytes", type=float, default=0.0, metavar="N")
    return parser.parse_args()


def measure(scratch: Path, config: Path | None, python: str, *, is_peer: bool) -> compare.Results:
    """All rows of one side."""
    package = "pandablocks" if is_peer else "panda_ioc"
    results: compare.Results = {"decode": compare._part(python, package, "decode")}
    parts = ["receive_plain", "receive_blocking", *([] if is_peer else ["receive_ioc"])]
    for part in parts:
        with _sim(scratch, config, "0", DISK_SAMPLES) as sim:
            sim.put(*(f"{column}.CAPTURE=Value" for column in compare.COLUMNS))
            where = (compare.HOST, str(compare.CONTROL), str(compare.DATA))
            results[part] = compare._part(python, package, part, *where)
    if is_peer:
        results["receive_ioc"] = results["receive_blocking"]  # it receives in no other way
    results |= _best(_disk(scratch, config, python, package) for _ in range(ROUNDS))
    return results | through_bridge(scratch, config, python, is_peer=is_peer)


def _best(rounds: Iterable[compare.Results]) -> compare.Results:
    """Of all rounds the one that was disturbed least."""
    return max(rounds, key=lambda found: float(found["disk"] or 0))


def _sim(scratch: Path, config: Path | None, rate: str, samples: int) -> Sim:
    return Sim(
        scratch / "sim",
        *("--rate", rate, "--samples", str(samples)),
        config_dir=config,
        host=compare.HOST,
        port=compare.CONTROL,
        data_port=compare.DATA,
    )


def _disk(
    scratch: Path,
    config: Path | None,
    python: str = sys.executable,
    package: str = "panda_ioc",
    count: int = DISK_SAMPLES,
) -> compare.Results:
    with _sim(scratch, config, "0", count) as sim:
        sim.put("*CAPTURE=", *(f"{name}.CAPTURE=Value" for name in capture_client.COLUMNS))
        where = (compare.HOST, str(compare.CONTROL), str(compare.DATA), str(scratch / "disk.h5"))
        return _json([python, str(Path(__file__).with_name("to_disk.py")), package, *where])


def through_bridge(
    scratch: Path, config: Path | None, python: str, *, is_peer: bool, rate: float = RATE
) -> compare.Results:
    """One acquisition through a bridge."""
    ports, prefix = EpicsPorts(1), random_prefix()
    command = (
        [python, "-m", "pandablocks_ioc", "softioc", compare.HOST, prefix]
        if is_peer
        else [python, "-m", "panda_ioc", "run", f"{compare.HOST}:{compare.CONTROL}", prefix]
    )
    with (
        ports.slot() as slot,
        _sim(scratch, config, "0", 0),
        compare._Process(scratch / "bridge", command, ports.server(slot)) as bridge,
    ):
        bridge.wait_for(re.escape(compare.EPICS_RUNS))
        process = psutil.Process(bridge.process.pid)
        file = scratch / f"{prefix}.h5"
        client = [sys.executable, str(Path(__file__).with_name("capture_client.py")), prefix]
        what = [compare.HOST, str(compare.CONTROL), str(file), str(rate), str(SECONDS)]
        before = process.cpu_times()
        results = _json([*client, *what], ports.client)
        after = process.cpu_times()
        results["stream_cpu"] = (after.user + after.system - before.user - before.system) / SECONDS
    file.unlink(missing_ok=True)
    results["stream_status"] = re.sub(r"[,:]? (in|to) /.*", "", str(results["stream_status"]))
    return results


def _line(scratch: Path, options: argparse.Namespace, rate: float) -> str:
    found = through_bridge(scratch, options.config_dir, sys.executable, is_peer=False, rate=rate)
    return ", ".join(f"{key.removeprefix('stream_')} {_short(found[key])}" for key in found)


def _short(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _json(command: Sequence[str], env: dict[str, str] | None = None) -> compare.Results:
    done = subprocess.run(
        command, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=1200
    )
    if done.returncode:
        raise ServerFailed(f"{command}: {done.stderr[-2000:]}")
    found: compare.Results = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
