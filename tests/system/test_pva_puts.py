"""Puts of structures by PVA: nobody waits but who puts, who is told what the PandA said."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest
from p4p.client.thread import Context, RemoteError
from p4p.client.thread import TimeoutError as NoAnswer
from watching import PvaSeen, until

from support.servers import Ioc, Sim, Starter

TRIG = "PULSE1:TRIG:ENUM"
TABLE = "PGEN1:TABLE"
SEQ = "SEQ1:TABLE"
INVALID = 3
REPLACE, APPEND = 0, 1
STALL = 2  # seconds; less than a command may take
FLUENT = 0.02  # seconds that a get may take while another client waits

Put = Callable[[Any, Ioc], None]


def _put_table(client: Any, ioc: Ioc) -> None:
    client.put(ioc.pv(TABLE), {"value": {"position": [1, 2, 3]}}, get=False, timeout=10)


def _put_enum(client: Any, ioc: Ioc) -> None:
    client.put(ioc.pv(TRIG), {"value.index": 3}, get=False, timeout=10)


def _put_index(client: Any, ioc: Ioc) -> None:
    client.put(ioc.pv("PULSE1:TRIG:INDEX"), 4, get=False, timeout=10)


def _put_index_and_wait(client: Any, ioc: Ioc) -> None:
    client.put(ioc.pv("PULSE1:TRIG:INDEX"), 5, get=False, wait=True, timeout=10)


@pytest.fixture(scope="module")
def other(pva: Any) -> Iterator[Context]:
    """A client with connections of its own."""
    with Context("pva", nt=False) as context:
        yield context


@pytest.mark.parametrize("put", [_put_table, _put_enum, _put_index, _put_index_and_wait])
@pytest.mark.parametrize("name", ["PULSE1:DELAY", TABLE, f"{TABLE}:POSITION", TRIG])
async def test_while_the_panda_hangs_only_who_puts_waits(
    ioc: Ioc, sim: Sim, pva: Any, other: Context, put: Put, name: str
) -> None:
    other.get(ioc.pv(name))
    pva.get(ioc.pv(TABLE)), pva.get(ioc.pv(TRIG)), pva.get(ioc.pv("PULSE1:TRIG:INDEX"))
    sim.ask("*SIM.STALL=1")
    waiting = asyncio.create_task(asyncio.to_thread(put, pva, ioc))
    took = []
    while not waiting.done():
        start = time.monotonic()
        await asyncio.to_thread(other.get, ioc.pv(name))
        took.append(time.monotonic() - start)
        await asyncio.sleep(0.005)
    await waiting  # the PandA took it, late
    assert len(took) > 20
    assert median(took) < FLUENT


async def test_monitors_go_on_while_a_put_waits(
    ioc: Ioc, sim: Sim, pva: Any, other: Context
) -> None:
    with PvaSeen(other, ioc.pv("IOC:UPTIME")) as seen:
        await seen.first()
        sim.ask(f"*SIM.STALL={STALL}")
        del seen.updates[:]
        waiting = asyncio.create_task(asyncio.to_thread(_put_table, pva, ioc))
        await seen.first()
        assert not waiting.done()
        await waiting


REFUSED: list[tuple[str, Any, str]] = [
    (SEQ, {"value": {"outa1": [0, 2]}}, "SEQ1:TABLE"),
    (SEQ, {"value": {"trigger": ["BITA=7"] * 2}}, "column TRIGGER row 0: 'BITA=7' is not one of"),
    (TRIG, {"value.index": 200}, "200 is not an index of the 107 choices"),
    ("CALC1:INPA:ENUM", {"value.index": -1}, "-1 is not an index of"),
    ("PULSE1:TRIG:INDEX", 200, "200 is not an index of the 107 choices"),
]


@pytest.mark.parametrize(("name", "value", "why"), REFUSED, ids=lambda x: str(x)[:30])
async def test_the_client_of_a_refused_put_is_told_why(
    ioc: Ioc, pva: Any, ca: Any, name: str, value: Any, why: str
) -> None:
    with pytest.raises(RemoteError, match=why) as refused:
        pva.put(ioc.pv(name), value)
    error = await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR)
    assert str(error) == str(refused.value)


async def test_the_client_is_told_what_the_panda_said(
    ioc: Ioc, sim: Sim, pva: Any, ca: Any
) -> None:
    """It takes no more rows while the table is fixed."""
    sim.ask("SEQ1.TABLE<", *"1234", "")
    await until(lambda: len(pva.get(ioc.pv(SEQ)).value.repeats) == 1, "the table")
    await ca.caput(ioc.pv(f"{SEQ}:NEXT_WRITE"), APPEND, wait=True)
    try:
        with pytest.raises(RemoteError, match=r"SEQ1\.TABLE<.* -> ERR "):
            pva.put(ioc.pv(SEQ), {"value": {"repeats": [5]}})
    finally:
        await ca.caput(ioc.pv(f"{SEQ}:NEXT_WRITE"), REPLACE, wait=True)
    assert sim.ask("SEQ1.TABLE?") == ["!1", "!2", "!3", "!4", "."]
    assert list(pva.get(ioc.pv(SEQ)).value.repeats) == [1]


async def test_with_a_pvxs_that_is_not_known_puts_are_done_and_alarms_tell(
    monkeypatch: pytest.MonkeyPatch, sim: Sim, start_ioc: Starter[Ioc], pva: Any
) -> None:
    older = (
        "import sys; from panda_ioc.ioc.epics import pvxs; pvxs.VERSIONS = range(0);"
        "from panda_ioc.cli import main; sys.exit(main())"
    )
    monkeypatch.setattr(Ioc, "program", [sys.executable, "-c", older])
    ioc = start_ioc(sim.address)
    _put_table(pva, ioc)
    await until(lambda: sim.ask("PGEN1.TABLE?") == ["!1", "!2", "!3", "."], "the table")
    _put_enum(pva, ioc)
    await until(lambda: pva.get(ioc.pv(TRIG)).value.index == 3, "the choice")
    pva.put(ioc.pv(TRIG), {"value.index": 200})
    await until(lambda: pva.get(ioc.pv(TRIG)).alarm.severity == INVALID, "the alarm")
    assert pva.get(ioc.pv(TRIG)).value.index == 3
    pva.put(ioc.pv(SEQ), {"value": {"repeats": [1, 2, 3]}})
    await until(lambda: "differ in length" in str(pva.get(ioc.pv("ERROR")).value), "the reason")
    assert ioc.text().count("pvxs: its version is not known") == 1


@pytest.mark.parametrize("put", [_put_table, _put_enum])
async def test_a_panda_that_never_answers_fails_the_put_and_says_so(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], pva: Any, put: Put
) -> None:
    sim = start_sim()
    ioc = start_ioc(sim.address, "--timeout", "1")
    pva.get(ioc.pv(TABLE)), pva.get(ioc.pv(TRIG))
    os.kill(sim.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(RemoteError, match=r"no (reply|answer|changes)|connection|lost"):
            await asyncio.to_thread(put, pva, ioc)
    finally:
        os.kill(sim.process.pid, signal.SIGCONT)


GONE = """
import os, sys, threading
from p4p.client.thread import Context
client = Context("pva", nt=False)
client.get(sys.argv[1])
threading.Timer(0.5, lambda: os._exit(0)).start()
client.put(sys.argv[1], {"value": {"position": [4, 5]}}, get=False)
"""


def test_a_client_that_is_gone_before_the_answer_does_no_harm(ioc: Ioc, sim: Sim, pva: Any) -> None:
    _put_table(pva, ioc)
    sim.ask(f"*SIM.STALL={STALL}")
    command = [sys.executable, "-c", GONE, ioc.pv(TABLE)]
    clients = [subprocess.Popen(command) for _ in range(3)]
    for client in clients:
        client.wait(20)
    while list(pva.get(ioc.pv(TABLE)).value.position) != [4, 5]:
        time.sleep(0.01)
    _put_table(pva, ioc)
    assert list(pva.get(ioc.pv(TABLE)).value.position) == [1, 2, 3]


def test_a_client_that_gives_up_may_put_again(ioc: Ioc, sim: Sim, pva: Any) -> None:
    pva.get(ioc.pv(TABLE))
    sim.ask("*SIM.STALL=1")
    with pytest.raises(NoAnswer):
        pva.put(ioc.pv(TABLE), {"value": {"position": [7]}}, get=False, timeout=0.2)
    _put_table(pva, ioc)
    assert sim.ask("PGEN1.TABLE?") == ["!1", "!2", "!3", "."]


async def test_each_of_many_clients_hears_of_its_own_put(ioc: Ioc, pva: Any) -> None:
    names = [ioc.pv(f"PULSE{n}:TRIG:ENUM") for n in (1, 2, 3, 4)]

    def alternate(name: str) -> list[bool]:
        found = []
        for turn in range(60):
            index = 300 if turn % 3 == 0 else turn
            try:
                pva.put(name, {"value.index": index}, get=False)
            except RemoteError:
                found.append(False)
            else:
                found.append(True)
        return found

    found = await asyncio.gather(*(asyncio.to_thread(alternate, n) for n in names * 2))
    assert found == [[turn % 3 != 0 for turn in range(60)]] * 8


async def test_monitors_of_a_column_are_shown_the_panda_s_again(
    ioc: Ioc, sim: Sim, pva: Any
) -> None:
    sim.ask("SEQ1.TABLE<", *"1234", "")
    with PvaSeen(pva, ioc.pv(f"{SEQ}:REPEATS")) as seen:
        await seen.until(lambda update: list(update.value) == [1])
        del seen.updates[:]
        with pytest.raises(RemoteError):
            pva.put(ioc.pv(SEQ), {"value": {"repeats": [7, 8]}})
        back = await seen.until(lambda update: list(update.value) == [1])
        assert back.alarm.severity == 0
