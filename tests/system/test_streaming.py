"""Streaming tables: fed piece by piece over PVA and CA, emptied, absent on older servers."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from p4p.client.thread import RemoteError
from tap import Tap
from watching import CaSeen, PvaSeen, caught_up, until

from support.servers import Ioc, Sim, Starter

REPLACE, APPEND, APPEND_LAST = range(3)
INIT, FIXED, STREAMING, STREAMING_LAST = range(4)
INVALID = 3
TABLE = "PGEN1:TABLE"
CHUNK = 10
BLOCK = "record[block=true]"


@pytest.fixture(autouse=True)
def fresh(sim: Sim, tapped: Ioc, tap: Tap, pva: Any) -> Iterator[None]:
    """Each test begins with the table empty, NEXT_WRITE at Replace, and nothing in the tap."""
    sim.put("*SIM.ROWS=1000")
    pva.put(tapped.pv(f"{TABLE}:NEXT_WRITE"), {"value.index": REPLACE}, request=BLOCK)
    pva.put(tapped.pv(f"{TABLE}:CLEAR"), 1, request=BLOCK)
    asyncio.run(until(lambda: state(pva, tapped) == INIT, "an empty table"))
    tap.lines.clear()
    yield
    sim.put("*SIM.ROWS=1000")


def chunk(number: int) -> list[int]:
    """The rows of a chunk: no two chunks have one in common."""
    return [CHUNK * number + row for row in range(CHUNK)]


def state(pva: Any, ioc: Ioc) -> int:
    return int(pva.get(ioc.pv(f"{TABLE}:STATE")).value.index)


def put(pva: Any, ioc: Ioc, rows: list[int]) -> None:
    """Submit the table over PVA."""
    table = {"value": {"position": rows}}
    pva.put(ioc.pv(TABLE), table, request=BLOCK, timeout=20, get=False)


def choose(pva: Any, ioc: Ioc, what: int) -> None:
    pva.put(ioc.pv(f"{TABLE}:NEXT_WRITE"), {"value.index": what}, request=BLOCK)


def written(tap: Tap) -> list[tuple[str, list[int]]]:
    """How the table was written: operator and rows."""
    found = []
    lines = iter(tap.lines)
    for line in lines:
        if line.startswith("PGEN1.TABLE<"):
            data = list(iter(lambda: next(lines), ""))
            if line.endswith("B"):
                words = np.frombuffer(b"".join(map(base64.b64decode, data)), "<u4")
            else:
                words = np.array(data, np.uint32)
            found.append((line.removeprefix("PGEN1.TABLE").rstrip("B"), words.tolist()))
    return found


async def _error(ca: Any, ioc: Ioc) -> str:
    return str(await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR))


async def test_a_sequencer_feeds_a_table_for_as_long_as_it_likes(
    sim: Sim, tapped: Ioc, tap: Tap, pva: Any
) -> None:
    chunks = [chunk(number) for number in range(60)]
    with PvaSeen(pva, tapped.pv(f"{TABLE}:QUEUED_LINES")) as queued:
        choose(pva, tapped, APPEND)
        for rows in chunks[:2]:
            await asyncio.to_thread(put, pva, tapped, rows)
        await until(lambda: state(pva, tapped) == STREAMING, "STREAMING")
        for rows in chunks[2:-1]:
            await queued.until(lambda _: queued.updates[-1].value < 2 * CHUNK)
            await asyncio.to_thread(put, pva, tapped, rows)
        choose(pva, tapped, APPEND_LAST)
        await asyncio.to_thread(put, pva, tapped, chunks[-1])
        await until(lambda: state(pva, tapped) == STREAMING_LAST, "STREAMING_LAST")
        await queued.until(lambda _: queued.updates[-1].value == 0)
        assert any(update.value > 0 for update in queued.updates)
    assert written(tap) == [*(("<<", rows) for rows in chunks[:-1]), ("<<|", chunks[-1])]


async def test_each_append_is_one_monitor_that_shows_what_reads_back(
    sim: Sim, tapped: Ioc, pva: Any, ca: Any
) -> None:
    choose(pva, tapped, APPEND)
    with PvaSeen(pva, tapped.pv(TABLE)) as seen:
        await seen.first()
        for number in range(3):
            await asyncio.to_thread(put, pva, tapped, chunk(number))
        await caught_up(sim, tapped, ca)  # the PandA reports a change, which is no news
        assert [update.value.position.tolist() for update in seen.updates] == [[]] * 4
        assert {update.alarm.severity for update in seen.updates if "alarm" in update} <= {0}
    assert sim.ask("PGEN1.TABLE?") == ["."]
    column = await ca.caget(tapped.pv(f"{TABLE}:POSITION"), format=ca.FORMAT_TIME)
    assert (list(column), column.severity) == ([], 0)


async def test_columns_are_appended_over_ca(tapped: Ioc, tap: Tap, ca: Any) -> None:
    mode, column = tapped.pv(f"{TABLE}:MODE"), tapped.pv(f"{TABLE}:POSITION")
    submits = ["Append", "Append", "Append Last"]
    for number, how in enumerate(submits):
        await ca.caput(tapped.pv(f"{TABLE}:NEXT_WRITE"), how, wait=True)
        await ca.caput(mode, "EDIT", wait=True)
        await ca.caput(column, chunk(number), wait=True)
        await ca.caput(mode, "SUBMIT", wait=True)
    assert written(tap) == [("<<", chunk(0)), ("<<", chunk(1)), ("<<|", chunk(2))]


async def test_clear_ends_streaming_and_empties_the_table(sim: Sim, tapped: Ioc, pva: Any) -> None:
    choose(pva, tapped, APPEND)
    await asyncio.to_thread(put, pva, tapped, chunk(0))
    pva.put(tapped.pv(f"{TABLE}:CLEAR"), 1, request=BLOCK)
    assert sim.ask("PGEN1.TABLE.MODE?") == ["OK =INIT"]
    await until(lambda: state(pva, tapped) == INIT, "INIT")
    choose(pva, tapped, REPLACE)
    await asyncio.to_thread(put, pva, tapped, chunk(1))
    await until(lambda: state(pva, tapped) == FIXED, "FIXED")
    assert pva.get(tapped.pv(TABLE)).value.position.tolist() == chunk(1)
    pva.put(tapped.pv(f"{TABLE}:CLEAR"), 1, request=BLOCK)
    assert pva.get(tapped.pv(TABLE)).value.position.tolist() == []
    assert sim.ask("PGEN1.TABLE?") == ["."]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (REPLACE, APPEND, "Table is in fixed mode"),
        (APPEND, REPLACE, "Table is in streaming mode"),
        (APPEND_LAST, APPEND, "Last streaming table was sent"),
    ],
)
async def test_what_the_box_does_not_take_now_is_a_failed_put(
    tapped: Ioc, pva: Any, ca: Any, before: int, now: int, words: str
) -> None:
    choose(pva, tapped, before)
    await asyncio.to_thread(put, pva, tapped, chunk(1))
    choose(pva, tapped, now)
    shown = pva.get(tapped.pv(TABLE)).value.position.tolist()
    with pytest.raises(RemoteError):
        await asyncio.to_thread(put, pva, tapped, chunk(2))
    assert words in await _error(ca, tapped)
    assert pva.get(tapped.pv(TABLE)).value.position.tolist() == shown


async def test_nothing_can_not_be_appended(tapped: Ioc, tap: Tap, pva: Any, ca: Any) -> None:
    choose(pva, tapped, APPEND)
    with pytest.raises(RemoteError):
        await asyncio.to_thread(put, pva, tapped, [])
    assert "CLEAR" in await _error(ca, tapped)
    assert written(tap) == []


async def test_the_state_follows_what_other_clients_do(sim: Sim, tapped: Ioc, ca: Any) -> None:
    with CaSeen(ca, tapped.pv(f"{TABLE}:STATE"), datatype=str) as seen:
        for write, expected in (("<", "FIXED"), ("<<", "STREAMING"), ("<<|", "STREAMING_LAST")):
            assert sim.ask("PGEN1.TABLE<", "") == ["OK"]
            assert sim.ask(f"PGEN1.TABLE{write}", "7", "") == ["OK"]
            await seen.until(lambda value, state=expected: str(value) == state)


def test_pvi_names_what_ophyd_async_looks_for(tapped: Ioc, pva: Any) -> None:
    entries = pva.get(tapped.pv("SEQ1:PVI")).value
    found = {name: entries[name].todict() for name in entries if name.startswith("table_")}
    wanted = {
        "table_next_write": {"rw": tapped.pv("SEQ1:TABLE:NEXT_WRITE")},
        "table_clear": {"x": tapped.pv("SEQ1:TABLE:CLEAR")},
        "table_queued_lines": {"r": tapped.pv("SEQ1:TABLE:QUEUED_LINES")},
        "table_state": {"r": tapped.pv("SEQ1:TABLE:STATE")},
    }
    assert wanted.items() <= found.items()
    choices = pva.get(tapped.pv("SEQ1:TABLE:NEXT_WRITE")).value.choices
    assert choices == ["Replace", "Append", "Append Last"]


class OldServer(Tap):
    """A tap that makes the box one with a server from before streaming tables."""

    def told(self, reply: bytes) -> bytes:
        return reply.replace(b"SW: 4.1 ", b"SW: 3.0 ")


async def test_older_servers_have_no_streaming_tables(
    sim: Sim, start_ioc: Starter[Ioc], pva: Any
) -> None:
    with OldServer(sim.host, sim.port) as old:
        ioc = start_ioc(f"{sim.host}:{old.port}:{sim.data_port}")
        entries = [*pva.get(ioc.pv("SEQ1:PVI")).value]
        assert [name for name in entries if name.startswith("table")] == [
            *("table", "table_line", "table_repeat")
        ]
        put(pva, ioc, chunk(1))
        assert pva.get(ioc.pv(TABLE)).value.position.tolist() == chunk(1)
        assert not [line for line in old.lines if line.endswith(".TABLE.MODE?")]
        ioc.stop()
