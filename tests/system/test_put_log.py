"""`--log-puts` shows who put what, texts as texts."""

from typing import Any

import pytest
from watching import CaSeen

from support.servers import Ioc, Sim, Starter

CONNECTED = 2


@pytest.fixture
async def logged(start_ioc: Starter[Ioc], sim: Sim, ca: Any) -> Ioc:
    """A bridge that logs puts, and nothing else that is only news."""
    options = ("--log-puts", "--log-level", "warning")
    ioc = start_ioc(sim.address, *options, ready="iocRun: All initialization complete")
    with CaSeen(ca, ioc.pv("STATUS")) as status:
        await status.until(lambda value: value == CONNECTED)
    return ioc


def line(ioc: Ioc, name: str) -> str:
    """What the log has of the last put to a PV."""
    return [each for each in ioc.text().splitlines() if f" put {ioc.pv(name)}" in each][-1]


async def test_texts_are_shown_as_text_whichever_way_they_come(
    logged: Ioc, ca: Any, pva: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = str(tmp_path_factory.mktemp("täxt"))
    name = logged.pv("DATA:HDF_DIRECTORY")
    await ca.caput(name, directory, datatype=ca.DBR_CHAR_STR, wait=True, timeout=30)
    assert f": '' -> {directory!r}" in line(logged, "DATA:HDF_DIRECTORY")
    pva.put(name, f"{directory}/b", timeout=30)
    assert f": {directory!r} -> '{directory}/b'" in line(logged, "DATA:HDF_DIRECTORY")
    await ca.caput(logged.pv("COUNTER1:OUT:DATASET"), "theta", wait=True)
    assert ": '' -> 'theta'" in line(logged, "COUNTER1:OUT:DATASET")
    pva.put(logged.pv("COUNTER2:OUT:DATASET"), "zwei")
    assert ": '' -> 'zwei'" in line(logged, "COUNTER2:OUT:DATASET")
    await ca.caput(
        logged.pv("PULSE1:DELAY.DESC$"), "a description", datatype=ca.DBR_CHAR_STR, wait=True
    )
    assert "-> 'a description'" in line(logged, "PULSE1:DELAY.DESC$")
    await ca.caput(logged.pv("PULSE1:LABEL"), "shutter", datatype=ca.DBR_CHAR_STR, wait=True)
    assert "-> 'shutter'" in line(logged, "PULSE1:LABEL")


async def test_numbers_states_and_columns_are_shown_as_such(logged: Ioc, ca: Any) -> None:
    await ca.caput(logged.pv("PULSE1:DELAY"), 2.5, wait=True, timeout=30)
    assert "0 -> 2.5" in line(logged, "PULSE1:DELAY")
    await ca.caput(logged.pv("PULSE1:DELAY:UNITS"), "ms", wait=True)
    assert "-> 'ms'" in line(logged, "PULSE1:DELAY:UNITS")
    await ca.caput(logged.pv("SEQ1:TABLE:MODE"), "EDIT", wait=True)
    await ca.caput(logged.pv("SEQ1:TABLE:OUTA1"), [0, 1] * 10, wait=True)
    assert "-> [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, ...]" in line(logged, "SEQ1:TABLE:OUTA1")
    await ca.caput(logged.pv("SEQ1:TABLE:TRIGGER"), ["Immediate", "BITA=1"], wait=True)
    assert "-> ['Immediate', 'BITA=1']" in line(logged, "SEQ1:TABLE:TRIGGER")
    await ca.caput(logged.pv("SEQ1:TABLE:MODE"), "DISCARD", wait=True)


async def test_a_refused_put_is_shown_as_it_was_put(logged: Ioc, ca: Any) -> None:
    await ca.caput(logged.pv("DATA:NUM_CAPTURE"), -5, wait=True, throw=False, timeout=30)
    assert "0 -> -5" in line(logged, "DATA:NUM_CAPTURE")
    before = logged.text().count(" put ")
    assert before == 2  # the put, and its refusal
