"""What goes wrong: on the network, and with the PandA itself."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aioca
import proxy as faults
from proxy import Do, Port, Proxy, Welcome
from soaked import Soaked

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
KILLED, FROZEN, OTHER = "kill -9", "SIGSTOP", "another application"
ENDING = 2.0  # seconds that a server takes to end which does not outlive a stop
OF_THE_PANDA = (KILLED,) * 4 + (FROZEN,) * 4 + (OTHER,)


async def trouble(soaked: Soaked, chance: random.Random, proxy: Proxy, pause: float) -> None:
    """Faults of any kind for up to some seconds, then everything is well for a while."""
    makers = {KILLED: killed, FROZEN: frozen, OTHER: replaced}
    deck: list[tuple[str, Port | None]] = [("flood", proxy.control)] * 3  # what takes most memory
    while True:
        await asyncio.sleep(pause * chance.uniform(0.4, 1.6))
        if not deck:
            deck = [(name, port) for name in FAULTS for port in proxy.ports]
            deck += [
                (name, None) for name in OF_THE_PANDA if name != OTHER or soaked.panda.has_other
            ]
            chance.shuffle(deck)
        name, port = deck.pop()
        soaked.fault_begins()
        soaked.counts[f"fault: {name}"] += 1
        print(f"{time.strftime('%X')} {name}", flush=True)
        async with on_network(name, port, proxy, chance) if port else makers[name](soaked):
            longest = 30 if name == "silence" else 8
            await asyncio.sleep(chance.choice([0.1, 0.1, 1, 5, 5, longest]))
        # Whether it was killed, or did not survive another fault.
        await asyncio.to_thread(soaked.panda.start)
        await soaked.fault_ends()


@asynccontextmanager
async def on_network(
    name: str, port: Port, proxy: Proxy, chance: random.Random
) -> AsyncIterator[None]:
    """A fault between the bridge and one port."""
    FAULTS[name](port)
    yield
    proxy.heal(chance.randrange(2**32))
    for each in proxy.ports:  # rules that end in silence leave connections behind
        each.end(Do.RESET)


@asynccontextmanager
async def killed(soaked: Soaked) -> AsyncIterator[None]:
    """The PandA's server is killed."""
    await asyncio.to_thread(soaked.panda.kill)
    yield


@asynccontextmanager
async def frozen(soaked: Soaked) -> AsyncIterator[None]:
    """The PandA's server does nothing for a while."""
    soaked.panda.freeze()
    yield
    soaked.panda.thaw()
    await asyncio.sleep(ENDING)


@asynccontextmanager
async def replaced(soaked: Soaked) -> AsyncIterator[None]:
    """The PandA has other blocks for a while: the bridge begins anew, twice."""
    await asyncio.to_thread(soaked.panda.kill)
    await asyncio.to_thread(soaked.panda.start, True)
    await soaked.connected()
    yield
    await asyncio.to_thread(soaked.panda.kill)
    await asyncio.to_thread(soaked.panda.start)
    await soaked.until(lambda: _has_blocks(soaked), "the bridge has the PVs of before")


async def _has_blocks(soaked: Soaked) -> bool:
    found = await aioca.caget(soaked.ioc.pv("PULSE1:WIDTH"), timeout=5, throw=False)
    return bool(found.ok)
