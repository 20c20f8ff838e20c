"""What is installed serves a PandA by itself. `.ci/run` repeats this with the wheel alone."""

import asyncio
import subprocess
from typing import Any

import pytest

from support.servers import PROGRAM, Ioc, Starter


async def test_demo_serves_a_panda_to_any_client_and_ends_in_order(
    start_ioc: Starter[Ioc], ca: Any, pva: Any
) -> None:
    demo = start_ioc(None)
    assert await ca.caget(demo.pv("STATUS"), datatype=str) == "CONNECTED"
    await ca.caput(demo.pv("PULSE1:DELAY"), 2.5, wait=True)
    assert pva.get(demo.pv("PULSE1:DELAY")).value == 2.5
    with pytest.raises(ca.CANothing):
        await ca.caput(demo.pv("PULSE1:DELAY"), -1, wait=True)
    assert pva.get(demo.pv("PVI")).value.todict()
    assert demo.stop() == 0


async def test_the_hints_that_demo_prints_work(start_ioc: Starter[Ioc], ca: Any, pva: Any) -> None:
    demo = start_ioc(None)
    hints = [line.split("#")[0].split() for line in demo.text().splitlines()]
    for command, *words in filter(None, hints):
        names = [word for word in words if word.startswith(f"{demo.prefix}:")]
        if command in ("caget", "camonitor"):
            assert all(value.ok for value in await ca.caget(names, throw=False)), names
        elif command == "pvget":
            pva.get(names)
        elif command == "caput" and float_or_none(words[-1]) != -1:
            await ca.caput(names[0], words[-1], wait=True)
    await until_data(ca, demo.pv("COUNTER1:OUT:DATA:VALUE"))


async def until_data(ca: Any, name: str) -> None:
    arrived = asyncio.Event()
    monitor = ca.camonitor(name, lambda value: arrived.set() if len(value) else None)
    await arrived.wait()
    monitor.close()


def float_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"]])
def test_the_command_line_explains_itself(arguments: list[str]) -> None:
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(("panda-ioc 0", "usage: "))
