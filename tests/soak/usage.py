"""What a process uses over time, and whether that grows."""

import re
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import psutil

from support.servers import Server


@dataclass(frozen=True)
class Usage:
    """At one time: resident memory in MB, processor seconds, and numbers."""

    memory: float
    threads: float
    descriptors: float
    tasks: float
    objects: float
    processor: float


# What a quantity may grow by, from the first half of a soak to its last quarter: a number, and a
# share. Memory is a matter of the allocator: a real leak shows in the objects.
GROWTH = {
    "memory": (8, 0.05),
    "threads": (4, 0),
    "descriptors": (6, 0),
    "tasks": (10, 0),
    "objects": (5000, 0.03),
}


def usage(server: Server) -> Usage:
    """What it uses now; it must be one of `watched`."""
    process = psutil.Process(server.process.pid)
    told = len(re.findall("SOAK", server.text()))
    process.send_signal(signal.SIGUSR1)
    found = server.wait_for(r"SOAK tasks=(\d+) objects=(\d+)", told + 1)
    times = process.cpu_times()
    return Usage(
        memory=process.memory_info().rss / 2**20,
        threads=process.num_threads(),
        descriptors=process.num_fds(),
        tasks=int(found[1]),
        objects=int(found[2]),
        processor=times.user + times.system,
    )


def leaks(history: Sequence[Usage]) -> list[str]:
    """What grew by more than it may."""
    half, quarter = len(history) // 2, max(1, len(history) // 4)
    found = []
    for name, (number, share) in GROWTH.items():
        values = [getattr(each, name) for each in history]
        before = statistics.median(values[half // 2 : half] or values[:1])
        after = statistics.median(values[-quarter:])
        if after > before + number + share * before:
            found.append(f"{name}: {before:.0f} -> {after:.0f}")
    return found


def table(history: Sequence[Usage], rows: int = 12) -> str:
    """Some of the history as text."""
    names = [field.name for field in fields(Usage)]
    step = max(1, len(history) // rows)
    chosen = [*history[::step], history[-1]]
    lines = ["".join(f"{name:>13}" for name in names)]
    lines += ["".join(f"{getattr(each, name):13.1f}" for name in names) for each in chosen]
    return "\n".join(lines)


class Stopwatch:
    """Durations of one kind of thing, in seconds."""

    def __init__(self) -> None:
        self.durations: list[float] = []

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *exc: object) -> None:
        self.durations.append(time.monotonic() - self._start)

    def text(self) -> str:
        """Median and 99th percentile."""
        if len(self.durations) < 2:
            return "-"
        ordered = sorted(self.durations)
        at99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
        return f"p50 {statistics.median(ordered) * 1e3:.1f} ms, p99 {at99 * 1e3:.1f} ms"
