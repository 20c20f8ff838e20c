"""The soak itself: what is done to the bridge, and what is counted."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aioca
import h5py
import proxy as faults
from proxy import Do, Port, Proxy, Welcome
from usage import Stopwatch, Usage, leaks, table, usage

from support.servers import EpicsPorts, Ioc, Sim
from support.truth import Truth

SAMPLE_PERIOD = 10.0
RECOVERY = 30.0
SETTLED = 5.0  # seconds without a fault after which a put has no excuse

# Fields of one block: good values, and values that have to be refused.
PUTS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "PULSE{n}:DELAY": ((0, 0.5, 3, 12.25), (-1, float("nan"))),
    "PULSE{n}:WIDTH": ((0, 1, 2.5, 7), (-4, float("inf"))),
    "PULSE{n}:DELAY:UNITS": (("s", "ms", "min"), ()),
    "PULSE{n}:TRIG": (("ZERO", "ONE", "TTLIN1.VAL", "CLOCK1.OUT"), ("TTLIN99.VAL", "")),
    "PULSE{n}:TRIG:DELAY": ((0, 1, 31), (-1, 32)),
    "PULSE{n}:PULSES": ((1, 5, 1000), (-1,)),
    "PULSE{n}:LABEL": (("left", "right", "a name of some length"), ("x" * 40 + "\n",)),
}

FAULTS: dict[str, Callable[[Port], object]] = {
    "reset": lambda port: port.end(Do.RESET),
    "end of file": lambda port: port.end(Do.CLOSE),
    "half close": lambda port: port.end(Do.HALF_CLOSE),
    "silence": lambda port: port.hold(),
    "nonsense": lambda port: port.inject(b"\x00\xffnonsense\n" * 100),
    "unasked": lambda port: port.inject(b"OK =1\n"),
    "lost replies": lambda port: setattr(port, "down", faults.swallow),
    "cut": lambda port: setattr(port, "down", faults.cut(9, Do.RESET)),
    "flood": lambda port: setattr(port, "down", faults.flood(b"!" + b"z" * 1000 + b"\n")),
    "slow": lambda port: setattr(port, "down", faults.delayed(0.2)),
    "chopped": lambda port: setattr(port, "down", faults.chopped),
    "refusal": lambda port: (port.welcome(Welcome.REFUSE), port.end(Do.RESET)),
    "no answer": lambda port: (port.welcome(Welcome.IGNORE), port.end(Do.RESET)),
}


class Soak:
    """One soak.

    Args:
        scratch: directory for logs
        ports: of EPICS
        seed: where all choices come from
        rate: puts a second, about
        pause: seconds from one fault to the next, about
    """

    def __init__(
        self, scratch: Path, ports: EpicsPorts, seed: int, rate: float, pause: float
    ) -> None:
        self._scratch, self._ports, self._rate, self.seed = scratch, ports, rate, seed
        self._pause = pause
        self._counts: Counter[str] = Counter()
        self._wrong: list[str] = []
        self._puts, self._recoveries = Stopwatch(), Stopwatch()
        self._history: list[Usage] = []
        self._fault_at = -SETTLED
        self._is_at_fault = False

    async def run(self, seconds: float) -> int:
        """Soak for so long; the exit status."""
        print(f"seed {self.seed}", flush=True)
        with (
            Sim(self._scratch / "sim.log") as sim,
            Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy,
            Ioc(self._scratch / "ioc.log", self._ports, proxy.address) as ioc,
        ):
            self._sim, self._proxy, self._ioc = sim, proxy, ioc
            sim.put("*SIM.RATE=5000", "*SIM.PERIOD=0.02")
            await self._work(time.monotonic() + seconds)
            differences = await self._end()
            aioca.purge_channel_caches()
            return self._report(seconds, differences)

    # -- what is done -------------------------------------------------------------------------

    async def _work(self, end: float) -> None:
        chance = random.Random(self.seed)
        workers = [
            *(self._put(n, random.Random(chance.random())) for n in (1, 2, 3)),
            self._change(random.Random(chance.random())),
            self._read(random.Random(chance.random())),
            self._acquire(random.Random(chance.random())),
            self._visit(random.Random(chance.random())),
            self._fault(random.Random(chance.random())),
            self._watch(),
        ]
        tasks = [asyncio.create_task(worker) for worker in workers]
        await asyncio.wait(tasks, timeout=end - time.monotonic(), return_when="FIRST_EXCEPTION")
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self._wrong.append(f"soak: {result!r}")

    async def _put(self, number: int, chance: random.Random) -> None:
        """Waited puts to one block that nobody else puts to."""
        while True:
            await asyncio.sleep(chance.expovariate(self._rate / 3))
            name, (good, bad) = chance.choice(list(PUTS.items()))
            name = name.format(n=number)
            is_good = not bad or chance.random() < 0.8
            await self._put_one(name, chance.choice(good if is_good else bad), is_good)

    async def _put_one(self, name: str, value: Any, is_good: bool) -> None:
        calm = self._is_calm()
        datatype = aioca.DBR_CHAR_STR if name.endswith("LABEL") else None
        with self._puts:
            result = await aioca.caput(
                self._ioc.pv(name), value, datatype=datatype, wait=True, timeout=20, throw=False
            )
        verdict = "accepted" if result.ok else "refused"
        self._counts[f"{'good' if is_good else 'bad'} puts {verdict}"] += 1
        if self._ioc.process.poll() is not None:
            raise RuntimeError("the bridge has ended")
        if result.ok and not is_good:
            self._wrong.append(f"{name}={value!r} was accepted")
        if calm and self._is_calm() and not result.ok and is_good:
            self._wrong.append(f"{name}={value!r} was refused: {result}")

    async def _change(self, chance: random.Random) -> None:
        """What others change on the box."""
        while True:
            await asyncio.sleep(chance.expovariate(5))
            command = chance.choice(
                [
                    f"PULSE4.DELAY={chance.random():.3f}",
                    f"SEQ1.REPEATS={chance.randrange(1000)}",
                    f"TTLIN1.TERM={chance.choice(['High-Z', '50-Ohm'])}",
                    f"INENC1.VAL.SCALE={chance.random():.4f}",
                    f"PULSE4.DELAY.UNITS={chance.choice(['s', 'ms', 'us'])}",
                    "*SIM.PULSE=TTLIN1.VAL",
                ]
            )
            await asyncio.to_thread(self._sim.put, command)
            self._counts["changes by others"] += 1

    async def _read(self, chance: random.Random) -> None:
        """Reads, many at once."""
        names = (await Truth.of(self._sim, self._ioc)).names
        while True:
            await asyncio.sleep(chance.expovariate(1))
            some = chance.sample(names, 50)
            values = await aioca.caget(some, timeout=20, throw=False)
            self._counts["reads"] += len(values)
            self._wrong += [f"{value.name} can not be read" for value in values if not value.ok]

    async def _acquire(self, chance: random.Random) -> None:
        """Acquisitions of any length, ended or disarmed."""
        state = ""

        def seen(update: Any) -> None:
            nonlocal state
            state = str(update)

        monitor = aioca.camonitor(self._ioc.pv("DATA:LIVE:STATE"), seen, all_updates=True)
        try:
            while True:
                await asyncio.sleep(chance.expovariate(0.2))
                await asyncio.to_thread(self._sim.put, f"*SIM.SAMPLES={chance.randrange(20000)}")
                path = await self._open_file() if chance.random() < 0.5 else None
                armed = await aioca.caput(
                    self._ioc.pv("PCAP:ARM"), 1, wait=True, timeout=20, throw=False
                )
                self._counts["acquisitions"] += armed.ok
                await asyncio.sleep(chance.uniform(0, 6))
                self._counts[f"live data: {state}"] += 1
                await aioca.caput(self._ioc.pv("PCAP:ARM"), 0, wait=True, timeout=20, throw=False)
                if path is not None:
                    await self._close_file(path)
        finally:
            monitor.close()

    async def _open_file(self) -> Path | None:
        """The file that is written from now on, if the bridge can at present."""
        path = self._scratch / f"{self._counts['files']}.h5"
        settings = {"HDF_DIRECTORY": str(path.parent), "HDF_FILE_NAME": path.name}
        for name, text in settings.items():
            pv = self._ioc.pv(f"DATA:{name}")
            await aioca.caput(pv, text, datatype=aioca.DBR_CHAR_STR, wait=True, throw=False)
        pv = self._ioc.pv("DATA:CAPTURE")
        begun = await aioca.caput(pv, 1, wait=True, timeout=20, throw=False)
        self._counts["files"] += begun.ok
        return path if begun.ok else None

    async def _close_file(self, path: Path) -> None:
        """Close it; it must hold in every dataset what NUM_CAPTURED says."""
        closed = await aioca.caput(
            self._ioc.pv("DATA:CAPTURE"), 0, wait=True, timeout=90, throw=False
        )
        told = await aioca.caget(self._ioc.pv("DATA:NUM_CAPTURED"), timeout=20)
        lengths = await asyncio.to_thread(_lengths, path)
        self._counts["samples in files"] += int(told)
        if not closed.ok or (lengths or {0}) != {int(told)}:
            self._wrong.append(f"{path.name}: {closed!r}, {told} told, {lengths} in the file")

    async def _visit(self, chance: random.Random) -> None:
        """PVA clients that come, look and go, some without a word."""
        from p4p.client.thread import Context

        def visit() -> None:
            with Context("pva", nt=False) as context:
                context.monitor(self._ioc.pv("PULSE1:DELAY"), lambda _: None)
                context.get(self._ioc.pv("STATUS"), timeout=20)

        while True:
            await asyncio.sleep(chance.expovariate(0.3))
            await asyncio.to_thread(visit)
            self._counts["visitors"] += 1

    async def _fault(self, chance: random.Random) -> None:
        """Faults of any kind for up to some seconds, then everything is well for a while."""
        deck = [("flood", self._proxy.control)] * 3  # what takes most memory, so early
        while True:
            await asyncio.sleep(self._pause * chance.uniform(0.4, 1.6))
            if not deck:
                deck = [(name, port) for name in FAULTS for port in self._proxy.ports]
                chance.shuffle(deck)
            name, port = deck.pop()
            self._is_at_fault = True
            FAULTS[name](port)
            self._counts[f"fault: {name}"] += 1
            await asyncio.sleep(chance.choice([0.1, 0.1, 1, 5, 5, 30 if name == "silence" else 8]))
            self._proxy.heal(chance.randrange(2**32))
            for each in self._proxy.ports:  # rules that end in silence leave connections behind
                each.end(Do.RESET)
            with self._recoveries:
                await self._connected()
            self._is_at_fault, self._fault_at = False, time.monotonic()

    def _is_calm(self) -> bool:
        return not self._is_at_fault and time.monotonic() - self._fault_at > SETTLED

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_PERIOD)
            self._history.append(await asyncio.to_thread(usage, self._ioc))

    # -- how it ends --------------------------------------------------------------------------

    async def _connected(self) -> None:
        await self._until(self._is_connected, "STATUS is CONNECTED")

    async def _is_connected(self) -> bool:
        status = await aioca.caget(self._ioc.pv("STATUS"), datatype=str, timeout=20, throw=False)
        return bool(status.ok and status == "CONNECTED")

    async def _until(self, good: Callable[[], Awaitable[bool]], what: str) -> None:
        deadline = time.monotonic() + RECOVERY
        while not await good():
            if time.monotonic() > deadline:
                self._wrong.append(f"not in {RECOVERY} s: {what}")
                return
            await asyncio.sleep(0.05)

    async def _end(self) -> list[str]:
        """What differs from the device when everything stands still."""
        self._proxy.heal()
        await self._connected()
        await asyncio.to_thread(self._sim.put, "*SIM.END=Ok", "*SIM.ALIVE=0")
        truth = await Truth.of(self._sim, self._ioc)
        differences: list[str] = []
        for _ in range(10):
            await asyncio.sleep(1)
            differences = await truth.differences(aioca)
            if not differences:
                break
        print(f"{len(truth.specs)} PVs compared with the device")
        return differences

    def _report(self, seconds: float, differences: list[str]) -> int:
        grown = leaks(self._history) if len(self._history) > 8 else []
        print(f"\n{seconds / 60:.0f} minutes, seed {self.seed}")
        for name, count in sorted(self._counts.items()):
            print(f"{count:9d} {name}")
        print(f"waited puts (faults included): {self._puts.text()}")
        print(f"recovery after a fault is over: {self._recoveries.text()}")
        warnings = re.findall(r" (?:WARNING|ERROR) ", self._ioc.text())
        print(f"warnings and errors logged by the bridge: {len(warnings)}")
        print(table(self._history))
        for title, lines in (
            ("leaks", grown),
            ("PVs that differ from the device", differences),
            ("wrong", self._wrong),
        ):
            print(f"{title}: {len(lines) or 'none'}")
            for line in lines[:30]:
                print(f"    {line}")
        tracebacks = _tracebacks(self._ioc.text())
        print(f"tracebacks: {len(tracebacks) or 'none'}\n" + "\n\n".join(tracebacks[:5]))
        return 1 if grown or differences or self._wrong or tracebacks else 0


def _lengths(path: Path) -> set[int]:
    """Samples in the datasets of a file, which is then removed; none if no acquisition began."""
    if not path.exists():
        return set()
    with h5py.File(path, "r") as file:
        lengths = {len(data) for data in file.values() if getattr(data, "ndim", 0)}
    path.unlink()
    return lengths


def _tracebacks(log: str) -> list[str]:
    """Each traceback, with the line before it and that which names the error."""
    return re.findall(r"(?:.*\n)?Traceback .*\n(?:(?: .*|)\n)*.*", log)
