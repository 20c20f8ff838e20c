"""How a bridge serves: start-up, memory, puts and changes, as seen by a CA client."""

import re
import sys
import time
from pathlib import Path

import psutil

from bench.common import CONTROL, EPICS_RUNS, HERE, HOST, Bridge, Results, Row, Side, last_json
from support.servers import ServerFailed

SETTLE, REST = 2.0, 8.0  # seconds after the start, and in which CPU is then measured at rest
LONG_UNITS = "a unit of 24 characters!"

ROWS = (
    Row("starts", "starts on this PandA"),
    Row("starts_units", f"starts when a unit has {len(LONG_UNITS)} characters"),
    Row("names", "records + aliases", "", True),
    Row("start", "start until EPICS runs", "s"),
    Row("memory", "resident memory", "MB"),
    Row("rest", "CPU while nothing happens, of one core", "%"),
    Row("put_p50", "put with callback, p50", "ms"),
    Row("put_p99", "put with callback, p99", "ms"),
    Row("puts", "puts/s, 32 at once", "", True),
    Row("split_put_p50", "replies in two writes: put, p50", "ms"),
    Row("split_put_p99", "replies in two writes: put, p99", "ms"),
    Row("split_puts", "replies in two writes: puts/s, 32 at once", "", True),
    Row("refused", "refused put"),
    Row("change_in", "change by another client, input record", "ms", missing="never"),
    Row("change_out", "change by another client, output record", "ms", missing="never"),
    Row("put", "put, sans-IO only", "/s", True),
    Row("news", "news shown by a record", "/s", True),
)


def measure(side: Side) -> Results:
    """All rows of one side."""
    results: Results = {"starts_units": _starts_with_long_units(side)}
    try:
        results |= {"starts": "yes"} | _served(side)
    except ServerFailed as error:
        results["starts"] = _why(error)
    results["put"] = side.part("put")
    results["news"] = float(last_json([sys.executable, str(HERE / "news.py")])[side.package] or 0)
    return results


def _starts_with_long_units(side: Side) -> str:
    with side.sim() as sim:
        sim.put(f"CALC1.OUT.UNITS={LONG_UNITS}")
        try:
            with side.bridge():
                return "yes"
        except ServerFailed as error:
            return _why(error)


def _why(error: ServerFailed) -> str:
    """The last thing that a bridge said before it ended."""
    return f"no: {str(error).strip().splitlines()[-1][:60]}"


def _served(side: Side) -> Results:
    with side.sim():
        start = time.monotonic()
        with side.bridge() as (bridge, ports):
            seconds = time.monotonic() - start
            time.sleep(SETTLE)
            rest = _cpu_of(bridge.process.pid, REST)
            memory = _resident(bridge.process.pid)
            client = [
                str(HERE / "bridge_client.py"),
                bridge.prefix,
                HOST,
                str(CONTROL),
                str(side.puts),
            ]
            results = last_json([sys.executable, *client], ports.client)
            return results | {
                "start": seconds,
                "memory": memory,
                "rest": rest,
                "names": _names(bridge, side.is_peer),
            }


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _cpu_of(pid: int, seconds: float) -> float:
    """Per cent of one core that a process takes in this time."""
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return 100 * (sum(process.cpu_times()[:2]) - before) / seconds


def _names(bridge: Bridge, is_peer: bool) -> float:
    """Ours says how many; the peer lists them when asked at its prompt."""
    if not is_peer:
        return float(bridge.wait_for(r"(\d+) names")[1])
    done = "all names are listed"
    bridge.prompt.write(f"dbl()\nprint('{done}')\n".encode())
    bridge.prompt.flush()
    text = bridge.wait_for(rf"(?s){re.escape(EPICS_RUNS)}.*{done}", timeout=10)[0]
    return float(len(set(re.findall(rf"{bridge.prefix}:[\w:]+", text))))
