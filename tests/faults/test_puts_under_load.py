"""Thousands of puts from several clients at once, good and bad, while the box changes too."""

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

from proxy import Do, delayed, only
from put_client import FIELDS, plan
from scene import Scene

CLIENT = Path(__file__).with_name("put_client.py")


async def client(scene: Scene, how: str, puts: int, seed: int) -> Counter[str]:
    """What one client process saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENT),
        how,
        scene.ioc.prefix,
        str(puts),
        str(seed),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return Counter(json.loads(output))


async def without_callback(scene: Scene, puts: int, seed: int) -> None:
    """Puts whose end nobody waits for."""
    for name, value, _ in plan(scene.ioc.prefix, puts, seed):
        await scene.ca.caput(name, value, throw=False)
        await asyncio.sleep(0.002)


async def changes(scene: Scene, count: int, seed: int) -> None:
    """The same fields, changed on the box by somebody else."""
    chance = random.Random(seed)
    for _ in range(count):
        field, (good, _) = chance.choice(list(FIELDS.items()))
        wire = f"PULSE{chance.randint(1, 4)}.{field.replace(':', '.')}"
        await asyncio.to_thread(scene.sim.put, f"{wire}={chance.choice(good)}")
        await asyncio.sleep(0.005)


async def test_every_waited_put_gets_the_right_verdict_and_pvs_end_at_the_device_s_values(
    scene: Scene, seed: int
) -> None:
    ends = await asyncio.gather(
        client(scene, "ca", 900, seed),
        client(scene, "ca", 900, seed + 1),
        client(scene, "pva", 900, seed + 2),
        without_callback(scene, 400, seed + 3),
        changes(scene, 200, seed + 4),
    )
    total = sum((end for end in ends if end), Counter[str]())
    assert total.keys() == {"good accepted", "bad refused"}, total
    assert sum(total.values()) == 2700
    assert await scene.frozen_truth() == []


async def test_puts_while_connections_break_get_a_verdict_and_pvs_end_at_the_device_s_values(
    scene: Scene, seed: int
) -> None:
    puts = asyncio.gather(client(scene, "ca", 600, seed), client(scene, "pva", 600, seed + 1))
    while not puts.done():
        await asyncio.sleep(0.3)
        scene.proxy.control.end(Do.RESET)
    total = sum(await puts, Counter[str]())
    assert sum(total.values()) == 1200  # none hangs
    assert total["bad accepted"] == 0
    await scene.recover(seed)
    assert await scene.frozen_truth() == []


async def test_late_news_of_a_value_never_undo_a_put(scene: Scene) -> None:
    name = "PULSE2:PULSES"
    assert await scene.put(name, 1)
    scene.proxy.control.down = only("changes", delayed(0.15))
    with scene.see(name) as seen:
        await seen.until(lambda value: value == 1)
        for value in range(2, 40):
            assert await scene.put(name, value)
            await asyncio.sleep(0.03)
        await asyncio.sleep(0.5)
        assert [int(value) for value in seen.updates] == list(range(1, 40))
