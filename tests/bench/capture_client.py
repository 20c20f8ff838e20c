"""What a client of a bridge sees while it captures: prints JSON. For the bridge of either side.

    python capture_client.py PREFIX HOST CONTROL FILE MB/S SECONDS     (FILE "-": no file)

HOST and CONTROL are those of the simulator. Samples of 40 bytes in 9 columns are captured at so
many MB/s into a file, and meanwhile a field is put with callback and a live waveform is watched.
"""

import asyncio
import itertools
import json
import socket
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import aioca

SAMPLE = 40  # bytes
COLUMNS = [
    *(f"COUNTER{n}.OUT" for n in range(1, 5)),
    *(f"INENC{n}.VAL" for n in range(1, 4)),
    "PCAP.BITS0",
    "PCAP.TS_TRIG",
]
LIVE = "INENC1:VAL:DATA:VALUE"
PUT_PERIOD = 0.01  # seconds between puts
ACTIVE_PERIOD = 0.05  # seconds between looks whether the box is still active
LONGEST = 60.0  # seconds that a bridge may take to write what is queued


class Bridge:
    """One bridge, and the box behind it."""

    def __init__(self, prefix: str, host: str, port: int) -> None:
        self._prefix = prefix
        self._box = (host, port)

    def pv(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def tell(self, *commands: str) -> None:
        """Commands that the box must take."""
        with socket.create_connection(self._box) as box, box.makefile() as replies:
            for command in commands:
                box.sendall(f"{command}\n".encode())
                if (reply := replies.readline()) != "OK\n":
                    raise ValueError(f"{command}: {reply}")

    def is_active(self) -> bool:
        """Whether the box still sends; PVs may come late."""
        with socket.create_connection(self._box) as box, box.makefile() as replies:
            box.sendall(b"*PCAP.COMPLETION?\n")
            return replies.readline() == "OK =Busy\n"

    async def put(self, name: str, value: Any) -> float:
        """Seconds that a put with callback takes; a str is a long string."""
        how = {"datatype": aioca.DBR_CHAR_STR} if isinstance(value, str) else {}
        start = time.perf_counter()
        await aioca.caput(self.pv(name), value, wait=True, timeout=30, **how)
        return time.perf_counter() - start

    async def get(self, name: str) -> Any:
        """The value, None if there is no such PV."""
        value = await aioca.caget(self.pv(name), throw=False, timeout=2)
        return value if value.ok else None

    async def text(self, name: str) -> str:
        value = await aioca.caget(self.pv(name), datatype=aioca.DBR_CHAR_STR, throw=False)
        return str(value) if value.ok else ""


async def put_all_the_time(bridge: Bridge, times: list[float], stop: asyncio.Event) -> None:
    """Puts one after the other."""
    while not stop.is_set():
        times.append(await bridge.put("PULSE1:DELAY", len(times) % 7))
        await asyncio.sleep(PUT_PERIOD)


async def captured(bridge: Bridge, samples: int) -> float:
    """What is in the file, once that is all or does not grow any more."""
    now, changed = -1.0, time.monotonic()
    while now < samples and time.monotonic() < changed + 5.0:
        latest = await bridge.get("DATA:NUM_CAPTURED")
        if latest != now:
            now, changed = float(latest), time.monotonic()
        await asyncio.sleep(0.2)
    return now


async def measure(bridge: Bridge, file: str, rate: float, seconds: float) -> dict[str, Any]:
    """One acquisition."""
    samples = int(rate * 1e6 / SAMPLE * seconds)
    bridge.tell("*CAPTURE=", *(f"{column}.CAPTURE=Value" for column in COLUMNS))
    bridge.tell(f"*SIM.SAMPLES={samples}", f"*SIM.RATE={rate * 1e6 / SAMPLE}")
    if file != "-":
        await bridge.put("DATA:HDF_DIRECTORY", str(Path(file).parent))
        await bridge.put("DATA:HDF_FILE_NAME", Path(file).name)
        await bridge.put("DATA:CAPTURE", 1)
    arrivals: list[float] = []
    monitor = aioca.camonitor(
        bridge.pv(LIVE), lambda _: arrivals.append(time.perf_counter()), all_updates=True
    )
    stop, times = asyncio.Event(), list[float]()
    putting = asyncio.create_task(put_all_the_time(bridge, times, stop))
    await asyncio.sleep(0.5)
    arrivals.clear()
    times.clear()
    start = time.perf_counter()
    await bridge.put("PCAP:ARM", 1)
    while await asyncio.to_thread(bridge.is_active):  # noqa: ASYNC110 - the box cannot tell
        await asyncio.sleep(ACTIVE_PERIOD)
    streamed = time.perf_counter() - start
    stop.set()
    await putting
    monitor.close()
    taken = await (captured(bridge, samples) if file != "-" else bridge.get("DATA:LIVE:RECEIVED"))
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    times.sort()
    return {
        "stream_rate": samples * SAMPLE / streamed / 1e6,
        "stream_lost": samples - taken,
        "stream_put_p50": statistics.median(times) * 1e3,
        "stream_put_p99": times[int(0.99 * len(times))] * 1e3,
        "stream_puts": len(times),
        "stream_live_p50": statistics.median(gaps) * 1e3 if gaps else None,
        "stream_live_max": max(gaps) * 1e3 if gaps else None,
        "stream_queue_peak": await bridge.get("DATA:QUEUE_PEAK"),
        "stream_status": await bridge.text("DATA:STATUS"),
    }


async def main(prefix: str, host: str, port: int, file: str, rate: float, seconds: float) -> None:
    bridge = Bridge(prefix, host, port)
    await aioca.connect(bridge.pv("PULSE1:DELAY"), timeout=60)
    print(json.dumps(await measure(bridge, file, rate, seconds)))
    aioca.purge_channel_caches()


if __name__ == "__main__":
    prefix, host, port, file, rate, seconds = sys.argv[1:]
    asyncio.run(main(prefix, host, int(port), file, float(rate), float(seconds)))
