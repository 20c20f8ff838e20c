"""A client process that puts at random and says how each put ended: one JSON object on stdout.

put_client.py ca|pva PREFIX PUTS SEED
"""

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

AT_ONCE = 40
FIELDS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "DELAY": ((0, 0.25, 1, 3.5, 8), (-1, -0.5)),
    "WIDTH": ((0, 1, 2.5), (-3,)),
    "PULSES": ((1, 2, 3, 100), (-1, 1.5)),
    "TRIG": (("ZERO", "ONE", "TTLIN1.VAL"), ("NOTHING.VAL",)),
    "TRIG:DELAY": ((0, 1, 31), (32, -1)),
}


def plan(prefix: str, count: int, seed: int) -> list[tuple[str, Any, bool]]:
    """PV, value, whether it has to succeed."""
    chance = random.Random(seed)
    puts = []
    for _ in range(count):
        field, (good, bad) = chance.choice(list(FIELDS.items()))
        is_good = chance.random() < 0.7
        value = chance.choice(good if is_good else bad)
        puts.append((f"{prefix}:PULSE{chance.randint(1, 4)}:{field}", value, is_good))
    return puts


async def by_ca(puts: list[tuple[str, Any, bool]]) -> list[bool]:
    """The verdicts of puts with callback over CA."""
    import aioca

    gate = asyncio.Semaphore(AT_ONCE)

    async def put(name: str, value: Any) -> bool:
        async with gate:
            result = await aioca.caput(name, value, wait=True, timeout=60, throw=False)
            return bool(result.ok)

    verdicts = await asyncio.gather(*(put(name, value) for name, value, _ in puts))
    aioca.purge_channel_caches()
    return verdicts


async def by_pva(puts: list[tuple[str, Any, bool]]) -> list[bool]:
    """The verdicts of puts over PVA that wait for the record."""
    from p4p.client.asyncio import Context

    gate = asyncio.Semaphore(AT_ONCE)

    async def put(context: Any, name: str, value: Any) -> bool:
        async with gate:
            try:
                await context.put(name, value, wait=True)
            except Exception as error:
                return "disconnect" in str(error).lower()
            return True

    with Context("pva", nt=False) as context:
        return await asyncio.gather(*(put(context, name, value) for name, value, _ in puts))


def main(how: str, prefix: str, count: str, seed: str) -> None:
    """Put, count, print."""
    puts = plan(prefix, int(count), int(seed))
    verdicts = asyncio.run({"ca": by_ca, "pva": by_pva}[how](puts))
    ends = Counter(
        f"{'good' if good else 'bad'} {'accepted' if verdict else 'refused'}"
        for (_, _, good), verdict in zip(puts, verdicts, strict=True)
    )
    print(json.dumps(ends))


if __name__ == "__main__":
    main(*sys.argv[1:])
