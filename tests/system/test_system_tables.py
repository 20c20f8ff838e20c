"""Tables: as a whole over PVA, by columns and MODE over CA, and followed when others write them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from p4p.client.thread import RemoteError
from tap import Tap
from watching import CaSeen, PvaSeen, caught_up, until

from support.servers import EpicsPorts, Ioc, Sim

ROWS = 16
ECA_PUTFAIL = 160
MINOR, INVALID, READ, WRITE = 1, 3, 1, 2
VIEW, EDIT, SUBMIT, DISCARD = range(4)
OUTPUTS = [f"out{letter}{phase}" for phase in (1, 2) for letter in "abcdef"]
LABELS = ("Immediate", "BITA=0", "BITA=1")


@pytest.fixture(scope="module")
def tapped(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, sim: Sim, tap: Tap
) -> Iterator[Ioc]:
    """A bridge through the tap that serves few rows of a table."""
    log = tmp_path_factory.mktemp("tapped") / "log"
    address = f"{sim.host}:{tap.port}:{sim.data_port}"
    with Ioc(log, epics_ports, address, "--table-rows", str(ROWS)) as server:
        yield server


@pytest.fixture(autouse=True)
def empty(sim: Sim, tapped: Ioc, tap: Tap, pva: Any) -> None:
    """Each test begins with the tables empty, and with nothing in the tap."""
    for table in ("SEQ1.TABLE", "PGEN1.TABLE"):
        assert sim.ask(f"{table}<", "") == ["OK"]
    name = tapped.pv("SEQ1:TABLE")
    asyncio.run(until(lambda: len(pva.get(name).value.repeats) == 0, "an empty table"))
    tap.lines.clear()


def columns(rows: int, **changed: Any) -> dict[str, Any]:
    """Columns of a sequencer's table with something in each."""
    made = {
        "repeats": list(range(1, rows + 1)),
        "trigger": [LABELS[row % len(LABELS)] for row in range(rows)],
        "position": [-row for row in range(rows)],
        "time1": [2**32 - 1 - row for row in range(rows)],
        "time2": [10 + row for row in range(rows)],
    }
    return made | {name: [row % 2 for row in range(rows)] for name in OUTPUTS} | changed


def words(table: dict[str, Any]) -> list[str]:
    """The same table as the box tells it, by what the configuration says of its bits."""
    found = []
    for row, repeats in enumerate(table["repeats"]):
        first = repeats | LABELS.index(table["trigger"][row]) << 16
        for shift, name in enumerate(OUTPUTS, 20):
            first |= table[name][row] << shift
        second = table["position"][row] % 2**32
        found += [first, second, table["time1"][row], table["time2"][row]]
    return [f"!{word}" for word in found] + ["."]


def put(pva: Any, name: str, table: dict[str, Any]) -> None:
    pva.put(name, {"value": table}, request="record[block=true]", timeout=20, get=False)


def table_of(structure: Any) -> dict[str, Any]:
    """The columns of an NTTable as lists."""
    return {name: np.asarray(column).tolist() for name, column in structure.value.items()}


def commands(tap: Tap) -> list[str]:
    """The commands with which the table was written."""
    return tap.sent("SEQ1.TABLE<")


async def _error(ca: Any, ioc: Ioc) -> str:
    return str(await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR))


# -- the whole, over PVA ------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["SEQ1:TABLE", "PGEN1:TABLE"])
def test_labels_of_a_table_are_an_array_however_few_they_are(
    tapped: Ioc, pva: Any, table: str
) -> None:
    """Phoebus shows a table with a single text as its labels as if it were no table."""
    whole = pva.get(tapped.pv(table))
    assert whole.type()["labels"] == "as"
    assert [label.lower() for label in whole.labels] == list(whole.value.keys())


@pytest.mark.parametrize("rows", [1, 3, ROWS])
async def test_a_put_is_one_command_and_one_monitor(
    sim: Sim, tap: Tap, tapped: Ioc, ca: Any, pva: Any, rows: int
) -> None:
    name, table = tapped.pv("SEQ1:TABLE"), columns(rows)
    with PvaSeen(pva, name) as seen:
        await seen.first()
        put(pva, name, table)
        assert sim.ask("SEQ1.TABLE?") == words(table)
        assert len(commands(tap)) == 1
        assert table_of(pva.get(name)) == table
        await seen.until(lambda update: len(update.value.repeats) == rows)
        await caught_up(sim, tapped, ca)  # the PandA reports the change, which is no news
        assert len(seen.updates) == 2
        assert len(commands(tap)) == 1


async def test_some_columns_may_be_put_if_the_length_stays(sim: Sim, tapped: Ioc, pva: Any) -> None:
    table = columns(2)
    put(pva, tapped.pv("SEQ1:TABLE"), table)
    put(pva, tapped.pv("SEQ1:TABLE"), {"time1": [5, 6]})
    assert sim.ask("SEQ1.TABLE?") == words(table | {"time1": [5, 6]})


async def test_an_empty_table_can_be_put(sim: Sim, tapped: Ioc, pva: Any) -> None:
    put(pva, tapped.pv("SEQ1:TABLE"), columns(2))
    put(pva, tapped.pv("SEQ1:TABLE"), columns(0))
    assert sim.ask("SEQ1.TABLE?") == ["."]


async def test_a_table_of_one_column(sim: Sim, tapped: Ioc, pva: Any) -> None:
    put(pva, tapped.pv("PGEN1:TABLE"), {"position": [1, -1, 2**31 - 1]})
    assert sim.ask("PGEN1.TABLE?") == ["!1", f"!{2**32 - 1}", f"!{2**31 - 1}", "."]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"trigger": ["Immediate", "BITA=7"]}, "column TRIGGER row 1: 'BITA=7' is not one of Im"),
        ({"outa1": [0, 2]}, "SEQ1:TABLE column OUTA1 row 1: 2 is not in 0 ... 1"),
        ({"time2": [1, 2, 3]}, "SEQ1:TABLE: columns differ in length: "),
        (columns(ROWS + 1), f"SEQ1:TABLE: {ROWS + 1} rows; it has room for {ROWS}"),
        (columns(ROWS + 5), f"rows; it has room for {ROWS}"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_refused_put_fails_goes_back_and_says_why(
    sim: Sim,
    tap: Tap,
    tapped: Ioc,
    ca: Any,
    pva: Any,
    changed: dict[str, Any],
    why: str,
) -> None:
    name, table = tapped.pv("SEQ1:TABLE"), columns(2)
    put(pva, name, table)
    tap.lines.clear()
    with pytest.raises(RemoteError):
        put(pva, name, table | changed)
    assert commands(tap) == []
    assert sim.ask("SEQ1.TABLE?") == words(table)
    assert table_of(pva.get(name)) == table
    assert why in await _error(ca, tapped)
    assert await ca.caget(tapped.pv("ERROR:PV"), datatype=ca.DBR_CHAR_STR) == f"{name}:PUT"
    alarmed = await ca.caget(f"{name}:PUT", format=ca.FORMAT_TIME)
    assert (alarmed.severity, alarmed.status) == (INVALID, WRITE)

    put(pva, name, table)
    with CaSeen(ca, tapped.pv("ERROR"), datatype=ca.DBR_CHAR_STR) as error:
        await error.until(lambda update: update == "")
    assert (await ca.caget(f"{name}:PUT", format=ca.FORMAT_TIME)).severity == 0


@pytest.mark.parametrize(
    ("repeats", "why"),
    [
        ([65536, 1], "SEQ1:TABLE column REPEATS row 0: 65536 is not in 0 ... 65535"),
        ([1, -1], "SEQ1:TABLE column REPEATS row 1: -1 is not in 0 ... 65535"),
        ([1.0, 1e9], "SEQ1:TABLE column REPEATS row 1: 1000000000.0 is not in 0 ... 65535"),
        ([1.0, float("nan")], "SEQ1:TABLE column REPEATS row 1: nan is not"),
    ],
    ids=str,
)
async def test_numbers_that_a_column_of_16_bits_has_no_room_for_are_refused(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any, repeats: list[Any], why: str
) -> None:
    """EPICS would cut what CA sends; clients of PVA send 16 bits, and refuse for themselves."""
    name, table = tapped.pv("SEQ1:TABLE"), columns(2)
    put(pva, name, table)
    with pytest.raises((OverflowError, ValueError, RemoteError)):
        put(pva, name, table | {"repeats": repeats if "65536" in why else [70000, 1]})
    assert sim.ask("SEQ1.TABLE?") == words(table)
    await ca.caput(f"{name}:MODE", "EDIT", wait=True)
    kind = ca.DBR_DOUBLE if isinstance(repeats[0], float) else None
    await ca.caput(f"{name}:REPEATS", repeats, datatype=kind, wait=True)
    with pytest.raises(ca.CANothing):
        await ca.caput(f"{name}:MODE", "SUBMIT", wait=True)
    assert why in await _error(ca, tapped)
    assert sim.ask("SEQ1.TABLE?") == words(table)
    await ca.caput(f"{name}:REPEATS", [7, 65535], wait=True)
    await ca.caput(f"{name}:MODE", "SUBMIT", wait=True)
    assert list(pva.get(name).value.repeats) == [7, 65535]


async def test_clients_of_a_refused_put_are_shown_the_box_s_table_again(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any
) -> None:
    name, table = tapped.pv("SEQ1:TABLE"), columns(2)
    put(pva, name, table)
    with PvaSeen(pva, name) as seen:
        await seen.first()
        with pytest.raises(RemoteError):
            put(pva, name, table | {"outa1": [0, 2]})
        await caught_up(sim, tapped, ca)
        assert table_of(seen.updates[-1]) == table


async def test_puts_right_after_each_other_have_their_own_verdicts(
    sim: Sim, tapped: Ioc, pva: Any
) -> None:
    name = tapped.pv("SEQ1:TABLE")

    def alternate(rows: int) -> list[str]:
        verdicts = []
        for turn in range(10):
            good = columns(rows, time1=[turn] * rows)
            for table in (good, good | {"outa1": [2] * rows}):
                try:
                    put(pva, name, table)
                except RemoteError:
                    verdicts.append("refused")
                else:
                    verdicts.append("done")
        return verdicts

    found = await asyncio.gather(*(asyncio.to_thread(alternate, rows) for rows in (1, 2)))
    assert found == [["done", "refused"] * 10] * 2
    assert sim.ask("SEQ1.TABLE?") == words(table_of(pva.get(name)))


# -- columns, over CA ---------------------------------------------------------------------------


async def _edit(ca: Any, ioc: Ioc, table: dict[str, Any]) -> None:
    """Begin to edit and write all columns."""
    await ca.caput(ioc.pv("SEQ1:TABLE:MODE"), EDIT, wait=True)
    names = [ioc.pv(f"SEQ1:TABLE:{name.upper()}") for name in table]
    await ca.caput(names, list(table.values()), wait=True, timeout=20)


async def _columns(ca: Any, ioc: Ioc, table: dict[str, Any]) -> dict[str, Any]:
    names = [ioc.pv(f"SEQ1:TABLE:{name.upper()}") for name in table]
    values = await ca.caget(names)
    return {name: list(value) for name, value in zip(table, values, strict=True)}


@pytest.mark.parametrize("submit", [("MODE", SUBMIT), ("MODE:SUBMIT", 1)])
async def test_columns_are_edited_then_submitted(
    sim: Sim, tap: Tap, tapped: Ioc, ca: Any, pva: Any, submit: tuple[str, int]
) -> None:
    table = columns(3)
    with PvaSeen(pva, tapped.pv("SEQ1:TABLE")) as seen:
        await seen.first()
        await _edit(ca, tapped, table)
        assert commands(tap) == []
        assert sim.ask("SEQ1.TABLE?") == ["."]
        record, value = submit
        await ca.caput(tapped.pv(f"SEQ1:TABLE:{record}"), value, wait=True)
        assert sim.ask("SEQ1.TABLE?") == words(table)
        assert len(commands(tap)) == 1
        assert await ca.caget(tapped.pv("SEQ1:TABLE:MODE")) == VIEW
        await seen.until(lambda update: table_of(update) == table)
        assert await _columns(ca, tapped, table) == table


async def test_edits_can_be_discarded(sim: Sim, tap: Tap, tapped: Ioc, ca: Any, pva: Any) -> None:
    table = columns(2)
    put(pva, tapped.pv("SEQ1:TABLE"), table)
    tap.lines.clear()
    await _edit(ca, tapped, columns(4))
    await ca.caput(tapped.pv("SEQ1:TABLE:MODE"), DISCARD, wait=True)
    assert await _columns(ca, tapped, table) == table
    assert await ca.caget(tapped.pv("SEQ1:TABLE:MODE")) == VIEW
    assert commands(tap) == []


async def test_a_column_can_not_be_put_while_viewing(tapped: Ioc, ca: Any, pva: Any) -> None:
    put(pva, tapped.pv("SEQ1:TABLE"), columns(2))
    name = tapped.pv("SEQ1:TABLE:TIME1")
    result = await ca.caput(name, [1, 2], wait=True, throw=False)
    assert result.errorcode == ECA_PUTFAIL
    shown = await ca.caget(name, format=ca.FORMAT_TIME)
    assert list(shown) == columns(2)["time1"]
    assert (shown.severity, shown.status) == (INVALID, WRITE)
    assert "EDIT" in str(await ca.caget(f"{name}.AMSG"))


async def test_what_can_not_be_submitted_can_be_mended(sim: Sim, tapped: Ioc, ca: Any) -> None:
    table = columns(2)
    await _edit(ca, tapped, table | {"outb2": [0, 7]})
    mode = tapped.pv("SEQ1:TABLE:MODE")
    result = await ca.caput(mode, SUBMIT, wait=True, throw=False)
    assert result.errorcode == ECA_PUTFAIL
    assert await ca.caget(mode) == EDIT
    assert "column OUTB2 row 1: 7 is not in 0 ... 1" in await _error(ca, tapped)
    await ca.caput(tapped.pv("SEQ1:TABLE:OUTB2"), [0, 1], wait=True)
    await ca.caput(mode, SUBMIT, wait=True)
    assert sim.ask("SEQ1.TABLE?") == words(table | {"outb2": [0, 1]})
    assert await _error(ca, tapped) == ""


async def test_labels_name_the_columns(tapped: Ioc, ca: Any, pva: Any) -> None:
    labels = list(await ca.caget(tapped.pv("SEQ1:TABLE:LABELS")))
    structure = pva.get(tapped.pv("SEQ1:TABLE"))
    assert structure.getID() == "epics:nt/NTTable:1.0"
    assert labels == list(structure.labels)
    assert [label.lower() for label in labels] == list(structure.value)


# -- changes by others --------------------------------------------------------------------------


async def test_a_table_written_by_another_client_is_followed(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any
) -> None:
    table = columns(2)
    with (
        PvaSeen(pva, tapped.pv("SEQ1:TABLE")) as whole,
        CaSeen(ca, tapped.pv("SEQ1:TABLE:POSITION")) as column,
    ):
        await whole.first()
        await column.first()
        sim.ask("SEQ1.TABLE<", *(word[1:] for word in words(table)[:-1]), "")
        update = await whole.until(lambda update: len(update.value.repeats) == 2)
        assert table_of(update) == table
        await column.until(lambda update: list(update) == table["position"])
        await caught_up(sim, tapped, ca)
        assert len(whole.updates) == 2


async def test_edits_are_not_overwritten_by_another_client(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any
) -> None:
    edited = columns(3)
    await _edit(ca, tapped, edited)
    sim.ask("SEQ1.TABLE<", *(word[1:] for word in words(columns(1))[:-1]), "")
    await caught_up(sim, tapped, ca)
    assert await _columns(ca, tapped, edited) == edited
    await ca.caput(tapped.pv("SEQ1:TABLE:MODE"), DISCARD, wait=True)
    assert await _columns(ca, tapped, edited) == columns(1)


async def test_of_a_table_with_more_rows_than_served_the_first_are_shown_and_it_is_said(
    sim: Sim, tapped: Ioc, ca: Any
) -> None:
    rows = ROWS + 9
    sim.ask("PGEN1.TABLE<", *(str(row) for row in range(rows)), "")
    name = tapped.pv("PGEN1:TABLE:POSITION")
    with CaSeen(ca, name) as seen:
        update = await seen.until(lambda update: len(update) == ROWS)
        assert list(update) == list(range(ROWS))
        assert (update.severity, update.status) == (MINOR, READ)
    assert await ca.caget(f"{name}.AMSG") == f"{rows} rows, the first {ROWS} shown"
