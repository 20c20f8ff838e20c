"""The soak itself: everything at once, then a comparison and a report."""

import asyncio
import random
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

import aioca
import troubles
import working
from capturing import acquire
from comparing import Comparison
from panda import NoPandA, PandA
from proxy import Proxy
from soaked import Soaked
from usage import Usage, leaks, table, usage

from support.servers import EpicsPorts, Ioc

SAMPLE_PERIOD = 10.0


@dataclass(frozen=True)
class Plan:
    """How long, and how hard.

    Attributes:
        seconds: of work
        seed: where all choices come from
        rate: puts a second, about
        pause: seconds from one fault to the next, about
    """

    seconds: float
    seed: int
    rate: float
    pause: float


class Soak:
    """One soak.

    Args:
        scratch: directory for logs and files
        ports: of EPICS
        panda: the server to be soaked in
        plan: how long, and how hard
    """

    def __init__(self, scratch: Path, ports: EpicsPorts, panda: PandA, plan: Plan) -> None:
        self._scratch, self._ports, self._panda, self._plan = scratch, ports, panda, plan
        self._history: list[Usage] = []

    async def run(self) -> int:
        """Soak; the exit status."""
        print(f"seed {self._plan.seed}", flush=True)
        panda = self._panda
        control, data = (panda.host, panda.port), (panda.host, panda.data_port)
        with (
            panda,
            Proxy(control, data) as proxy,
            Ioc(self._scratch / "ioc.log", self._ports, proxy.address) as ioc,
        ):
            soaked = Soaked(panda, ioc)
            self._calm_down("*SIM.RATE=5000", "*SIM.PERIOD=0.02")
            comparison = await Comparison.of(soaked)
            await self._work(soaked, proxy, comparison)
            proxy.heal()
            panda.thaw()
            await asyncio.to_thread(panda.start)
            await soaked.connected()
            await self._rest(soaked)
            differences = await comparison.differences(self._scratch, self._ports)
            aioca.purge_channel_caches()
            return self._report(soaked, differences)

    async def _work(self, soaked: Soaked, proxy: Proxy, comparison: Comparison) -> None:
        chance, plan = random.Random(self._plan.seed), self._plan
        names = [soaked.ioc.pv(name) for name in comparison.names]
        blocks = working.blocks_of(comparison.names)

        def own() -> random.Random:
            return random.Random(chance.random())

        workers = [
            *(working.put(soaked, own(), n, len(blocks) / plan.rate) for n in blocks),
            working.put_tables(soaked, own()),
            working.change(soaked, own()),
            working.read(soaked, own(), names),
            working.visit(soaked, own()),
            acquire(soaked, own(), self._scratch),
            troubles.trouble(soaked, own(), proxy, plan.pause),
            self._watch(soaked),
        ]
        tasks = [asyncio.create_task(worker) for worker in workers]
        await asyncio.wait(tasks, timeout=plan.seconds, return_when="FIRST_EXCEPTION")
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                soaked.wrong.insert(0, f"soak: {result!r}")
                traceback.print_exception(result)

    async def _rest(self, soaked: Soaked) -> None:
        """Nothing moves any more."""
        self._calm_down("*SIM.END=Ok", "*SIM.ALIVE=0")
        await soaked.put("PCAP:ARM", 0)
        await soaked.put("DATA:CAPTURE", 0, timeout=90)

    def _calm_down(self, *commands: str) -> None:
        for command in commands if self._panda.is_simulated else ():
            if self._panda.ask(command) != ["OK"]:
                raise NoPandA(f"{command} was refused")

    async def _watch(self, soaked: Soaked) -> None:
        while True:
            await asyncio.sleep(SAMPLE_PERIOD)
            if soaked.is_calm:  # a bridge that begins anew would be ended by the signal
                self._history.append(await asyncio.to_thread(usage, soaked.ioc))

    def _report(self, soaked: Soaked, differences: list[str]) -> int:
        grown = leaks(self._history) if len(self._history) > 8 else []
        print(f"\n{self._plan.seconds / 60:.0f} minutes, seed {self._plan.seed}")
        for name, count in sorted(soaked.counts.items()):
            print(f"{count:9d} {name}")
        print(f"{self._panda.deaths:9d} times the server had ended by itself")
        print(f"waited puts (faults included): {soaked.puts.text()}")
        print(f"recovery after a fault is over: {soaked.recoveries.text()}")
        log = soaked.ioc.text()
        warnings = re.findall(r" (?:WARNING|ERROR) ", log)
        print(f"warnings and errors logged by the bridge: {len(warnings)}")
        if self._history:
            print(table(self._history))
        is_alive = soaked.ioc.process.poll() is None
        print(f"the bridge {'lives' if is_alive else 'has ended'}")
        tracebacks = _tracebacks(log)
        for title, lines in (
            ("leaks", grown),
            ("PVs that are wrong", differences),
            ("wrong", soaked.wrong),
            ("tracebacks", tracebacks),
        ):
            print(f"{title}: {len(lines) or 'none'}")
            for line in lines[:30]:
                print(f"    {line}")
        return 1 if grown or differences or soaked.wrong or tracebacks or not is_alive else 0


def _tracebacks(log: str) -> list[str]:
    """Each traceback, with the line before it and that which names the error."""
    return re.findall(r"(?:.*\n)?Traceback .*\n(?:(?: .*|)\n)*.*", log)
