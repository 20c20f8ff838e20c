"""What clients do to the bridge, and others to its PandA, each at random and without end."""

import asyncio
import random
from collections.abc import Collection, Sequence
from typing import Any

import aioca
from p4p.client.thread import Context, RemoteError
from panda import NoPandA
from soaked import Calm, Soaked

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
TABLE, TABLE_WIRE, ROWS = "SEQ1:TABLE", "SEQ1.TABLE", 200


async def put(soaked: Soaked, chance: random.Random, number: int, pause: float) -> None:
    """Waited puts to one block that nobody else puts to."""
    while True:
        await asyncio.sleep(chance.expovariate(1 / pause))
        name, (good, bad) = chance.choice(list(PUTS.items()))
        is_good = not bad or chance.random() < 0.8
        value = chance.choice(good if is_good else bad)
        how = {"datatype": aioca.DBR_CHAR_STR} if name.endswith("LABEL") else {}
        await soaked.put(name.format(n=number), value, is_good, **how)


async def put_tables(soaked: Soaked, chance: random.Random) -> None:
    """Whole tables, of any length, some of them wrong."""
    with Context("pva", nt=False) as context:
        while True:
            await asyncio.sleep(chance.expovariate(0.5))
            rows, is_good, calm = chance.randrange(ROWS), chance.random() < 0.8, Calm(soaked)
            columns = _columns(chance, rows)
            if not is_good:
                columns["trigger"] = ["No such trigger"] * max(rows, 1)
            told = await asyncio.to_thread(_put_table, context, soaked.ioc.pv(TABLE), columns)
            soaked.counts[f"{'good' if is_good else 'bad'} tables {told or 'accepted'}"[:40]] += 1
            if not told and not is_good:
                soaked.wrong.append(f"{TABLE}: a bad table was accepted")
            elif is_good and calm:
                await _check_table(soaked, rows, told, calm)


def _columns(chance: random.Random, rows: int) -> dict[str, list[Any]]:
    return {
        "repeats": [chance.randrange(1, 65536) for _ in range(rows)],
        "trigger": [chance.choice(["Immediate", "BITA=1", "POSA>=POSITION"]) for _ in range(rows)],
        "position": [chance.randrange(-(2**31), 2**31) for _ in range(rows)],
        "outa1": [chance.randrange(2) for _ in range(rows)],
        "time2": [chance.randrange(2**32) for _ in range(rows)],
    }


def _put_table(context: Context, pv: str, columns: dict[str, list[Any]]) -> str:
    """Put a table, and columns of zeros besides; what it was refused with."""
    try:
        value = context.get(pv, timeout=20).value
        rows = len(columns["repeats"])
        zeros = {name: [0] * rows for name in value.keys() if name not in columns}  # noqa: SIM118
        context.put(pv, {"value": {**zeros, **columns}}, timeout=20, wait=True)
    except TimeoutError:
        return "timed out"
    except RemoteError as error:
        return f"refused: {error}"
    return ""


async def _check_table(soaked: Soaked, rows: int, told: str, calm: Calm) -> None:
    try:
        reply = await asyncio.to_thread(soaked.panda.ask, f"{TABLE_WIRE}.LENGTH?")
    except (OSError, NoPandA):
        return
    if calm and (told or reply != [f"OK ={4 * rows}"]):
        soaked.wrong.append(f"{TABLE}: {rows} rows: {told or 'accepted'}, the PandA has {reply}")


async def change(soaked: Soaked, chance: random.Random) -> None:
    """What others change on the PandA."""
    while True:
        await asyncio.sleep(chance.expovariate(5))
        commands = [
            f"PULSE4.DELAY={chance.random():.3f}",
            f"SEQ1.REPEATS={chance.randrange(1000)}",
            f"TTLIN1.TERM={chance.choice(['High-Z', '50-Ohm'])}",
            f"INENC1.VAL.SCALE={chance.random():.4f}",
            f"PULSE4.DELAY.UNITS={chance.choice(['s', 'ms', 'us'])}",
            *(["*SIM.PULSE=TTLIN1.VAL"] if soaked.panda.is_simulated else []),
        ]
        try:
            reply = await asyncio.to_thread(soaked.panda.ask, chance.choice(commands))
        except (OSError, NoPandA):
            continue
        soaked.counts["changes by others"] += reply == ["OK"]


async def read(soaked: Soaked, chance: random.Random, names: Sequence[str]) -> None:
    """Reads, many at once."""
    while True:
        await asyncio.sleep(chance.expovariate(1))
        calm = Calm(soaked)
        values = await aioca.caget(chance.sample(names, 50), timeout=20, throw=False)
        soaked.counts["reads"] += len(values)
        unread = [value.name for value in values if not value.ok]
        if calm:
            soaked.wrong += [f"{name} cannot be read" for name in unread]


async def visit(soaked: Soaked, chance: random.Random) -> None:
    """PVA clients that come, look and go, some without a word."""

    def look() -> bool:
        with Context("pva", nt=False) as context:
            context.monitor(soaked.ioc.pv("PULSE1:DELAY"), lambda _: None)
            try:
                context.get(soaked.ioc.pv("STATUS"), timeout=20)
            except TimeoutError:
                return False
            return True

    while True:
        await asyncio.sleep(chance.expovariate(0.3))
        calm = Calm(soaked)
        has_seen = await asyncio.to_thread(look)
        soaked.counts["visitors"] += has_seen
        if calm and not has_seen:
            soaked.wrong.append("a visitor saw nothing")


def blocks_of(names: Collection[str]) -> list[int]:
    """The numbers of the blocks that can be put to."""
    wanted = {n: [name.format(n=n) for name in PUTS] for n in (1, 2, 3)}
    return [n for n, all_of in wanted.items() if all(name in names for name in all_of)]
