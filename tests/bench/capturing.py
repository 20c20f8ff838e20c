"""How a bridge and its client library capture: receive, decode, to disk, through the bridge."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from bench import capture_client
from bench.common import CONTROL, DATA, HERE, HOST, Results, Row, Side, last_json
from support.servers import Sim

RATE, SECONDS = 100.0, 10.0  # MB/s; 1 Gbit/s Ethernet carries 118
ROUNDS = 3
SAMPLES = 20_000_000  # 800 MB
COLUMNS = [f"COUNTER{n}.OUT" for n in range(1, 9)] + ["INENC1.VAL", "INENC2.VAL"]
WHERE = (HOST, str(CONTROL), str(DATA))

ROWS = (
    Row("receive_plain", "plain `recv_into` of the stream, 40-byte samples", "MB/s", True),
    Row("receive_ioc", "receive as the bridge does", "MB/s", True),
    Row("receive_blocking", "client receive, blocking", "MB/s", True),
    Row("receive_asyncio", "client receive, asyncio", "MB/s", True),
    Row("decode", "decode, 400-byte frames", "/s", True),
    Row("disk", "to disk, 9 columns of 40-byte samples", "MB/s", True),
    Row("disk_cpu", "CPU of it", "s/GB"),
    Row("disk_rss", "memory of it", "MB"),
    Row("stream_rate", f"through the bridge, of {RATE:g} MB/s", "MB/s", True),
    Row("stream_lost", "samples lost"),
    Row("stream_put_p50", "put with callback meanwhile, p50", "ms"),
    Row("stream_put_p99", "put with callback meanwhile, p99", "ms"),
    Row("stream_live_p50", "time between updates of a live waveform, p50", "ms", missing="none"),
    Row("stream_live_max", "the longest", "ms", missing="none"),
    Row("stream_cpu", "CPU of the bridge", "s/s"),
    Row("stream_status", "what it says at the end"),
)


def measure(side: Side) -> Results:
    """All rows of one side."""
    results: Results = {"decode": side.part("decode")}
    for part in ("receive_plain", "receive_blocking", "receive_asyncio", "receive_ioc"):
        if part == "receive_ioc" and side.is_peer:
            results[part] = results["receive_blocking"]  # it receives in no other way
            continue
        with _fast(side, SAMPLES) as sim:
            sim.put(*(f"{column}.CAPTURE=Value" for column in COLUMNS))
            results[part] = side.part(part, *WHERE)
    results |= _best(_disk(side, SAMPLES) for _ in range(ROUNDS))
    return results | through_bridge(side, RATE)


def at_rate(side: Side, rate: float) -> str:
    """One acquisition through our bridge, in a line."""
    found = through_bridge(side, rate)
    return ", ".join(f"{key.removeprefix('stream_')} {_short(found[key])}" for key in found)


def gigabytes(side: Side, count: float) -> Results:
    """So many GB to disk."""
    return _disk(side, int(count * 1e9 / capture_client.SAMPLE))


def through_bridge(side: Side, rate: float) -> Results:
    """One acquisition through a bridge."""
    with _fast(side, 0), side.bridge() as (bridge, ports):
        process = psutil.Process(bridge.process.pid)
        file = side.scratch / f"{bridge.prefix}.h5"
        client = [sys.executable, str(HERE / "capture_client.py"), bridge.prefix]
        before = process.cpu_times()
        what = [HOST, str(CONTROL), str(file), str(rate), str(SECONDS)]
        results = last_json([*client, *what], ports.client)
        after = process.cpu_times()
        results["stream_cpu"] = (after.user + after.system - before.user - before.system) / SECONDS
    file.unlink(missing_ok=True)
    results["stream_status"] = re.sub(r"[,:]? (in|to) /.*", "", str(results["stream_status"]))
    return results


def _fast(side: Side, samples: int) -> Sim:
    return side.sim("--rate", "0", "--samples", str(samples))


def _disk(side: Side, count: int) -> Results:
    with _fast(side, count) as sim:
        sim.put("*CAPTURE=", *(f"{name}.CAPTURE=Value" for name in capture_client.COLUMNS))
        file: Path = side.scratch / "disk.h5"
        return last_json([side.python, str(HERE / "to_disk.py"), side.package, *WHERE, str(file)])


def _best(rounds: Iterable[Results]) -> Results:
    """Of all rounds the one that was disturbed least."""
    return max(rounds, key=lambda found: float(found["disk"] or 0))


def _short(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
