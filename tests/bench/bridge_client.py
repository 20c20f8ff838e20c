"""What a client of a bridge sees: `python bridge_client.py PREFIX HOST PORT PUTS` prints JSON.

Puts are measured twice: with replies of the box in one write, and in two small ones, the second of
which its kernel holds back until the first is acknowledged, as was seen of a real server.

Runs in a process of its own, since EPICS clients read their environment once. HOST and PORT are
those of the simulator's control port, where fields are changed by another client. PUTS are sent one
after the other.
"""

import asyncio
import json
import socket
import statistics
import sys
import time
from typing import Any

import aioca

AT_ONCE = 32
ROUNDS = 40
CHANGES = 20
LONGEST = 3.0  # seconds that a change may take


class Bridge:
    """One bridge by CA, and the box behind it by its control port."""

    def __init__(self, prefix: str, host: str, port: int, puts: int) -> None:
        self._prefix = prefix
        self._puts = puts
        self._box = socket.create_connection((host, port))
        self._replies = self._box.makefile()

    def pv(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def ask(self, command: str) -> str:
        """One command of one line to the box."""
        self._box.sendall(f"{command}\n".encode())
        return self._replies.readline().strip()

    async def put(self, name: str, value: Any) -> float:
        """Seconds that a put with callback takes."""
        start = time.perf_counter()
        await aioca.caput(self.pv(name), value, wait=True, timeout=10)
        return time.perf_counter() - start

    async def put_times(self) -> dict[str, float]:
        """p50 and p99 in ms."""
        await self.put("PULSE2:DELAY", 0.5)
        times = sorted([await self.put("PULSE2:DELAY", n * 0.001) for n in range(self._puts)])
        return {
            "put_p50": statistics.median(times) * 1e3,
            "put_p99": times[int(self._puts * 0.99)] * 1e3,
        }

    async def puts_at_once(self) -> float:
        """Puts a second, 32 in flight."""
        names = [
            f"{b}{n}:{f}"
            for b, f in (
                ("COUNTER", "START"),
                ("COUNTER", "MAX"),
                ("COUNTER", "MIN"),
                ("COUNTER", "STEP"),
            )
            for n in range(1, 9)
        ][:AT_ONCE]
        await asyncio.gather(*(self.put(name, 1) for name in names))
        start = time.perf_counter()
        for n in range(ROUNDS):
            await asyncio.gather(*(self.put(name, n + 2) for name in names))
        return ROUNDS * AT_ONCE / (time.perf_counter() - start)

    async def refused(self) -> str:
        """What a client is told of a put that the box refuses, and what it reads afterwards."""
        await self.put("PULSE3:DELAY", 2.0)
        try:
            await self.put("PULSE3:DELAY", -1)
            told = "success"
        except aioca.CANothing:
            told = "failed put"
        await asyncio.sleep(0.5)
        now = await aioca.caget(self.pv("PULSE3:DELAY"), format=aioca.FORMAT_TIME)
        return f"{told}, shows {float(now):g}, severity {now.severity}"

    async def change(self, name: str, commands: list[str]) -> float | None:
        """Median ms until a change made at the box reaches a monitor; None: it never does."""
        seen: asyncio.Queue[float] = asyncio.Queue()
        monitor = aioca.camonitor(
            self.pv(name), lambda _: seen.put_nowait(time.perf_counter()), all_updates=True
        )
        self.ask(commands[-1])  # so that the first of them is a change
        await asyncio.sleep(0.5)
        times = []
        for n in range(CHANGES):
            while not seen.empty():
                seen.get_nowait()
            start = time.perf_counter()
            self.ask(commands[n % len(commands)])
            try:
                times.append(await asyncio.wait_for(seen.get(), LONGEST) - start)
            except TimeoutError:
                break
            await asyncio.sleep(0.15)
        monitor.close()
        return statistics.median(times) * 1e3 if len(times) == CHANGES else None


async def main(prefix: str, host: str, port: int, puts: int) -> None:
    bridge = Bridge(prefix, host, port, puts)
    await aioca.connect(bridge.pv("PULSE1:DELAY"), timeout=60)
    results: dict[str, Any] = {"refused": await bridge.refused()}
    results |= await bridge.put_times()
    results["puts"] = await bridge.puts_at_once()
    bridge.ask("*SIM.SPLIT=1")
    split = await bridge.put_times() | {"puts": await bridge.puts_at_once()}
    results |= {f"split_{key}": value for key, value in split.items()}
    bridge.ask("*SIM.SPLIT=0")
    toggles = ["*SIM.SET=TTLIN1.VAL=1", "*SIM.SET=TTLIN1.VAL=0"]
    results["change_in"] = await bridge.change("TTLIN1:VAL", toggles)
    values = ["PULSE4.DELAY=1", "PULSE4.DELAY=2"]
    results["change_out"] = await bridge.change("PULSE4:DELAY", values)
    print(json.dumps(results))
    aioca.purge_channel_caches()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
