"""NTEnums: all choices of muxes and long enumerations, followed and set by PVA clients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from epicscorelibs.ca.cadef import CAException
from p4p.client.thread import Context, RemoteError
from tap import Tap
from watching import PvaSeen, until

from support.servers import Ioc, Sim, Starter

INVALID = 3
STRING = 39
TRIG = "PULSE1:TRIG:ENUM"
# NTEnum, field of the PandA
ENUMS = [
    (TRIG, "PULSE1.TRIG"),
    ("CALC1:INPA:ENUM", "CALC1.INPA"),
    ("EQU2:SOURCE:ENUM", "EQU2.SOURCE"),
]


@pytest.fixture(scope="module")
def nt() -> Iterator[Context]:
    """A PVA client that makes numbers with labels of NTEnums."""
    with Context("pva") as context:
        yield context


@pytest.mark.parametrize(("name", "field"), ENUMS)
def test_an_enum_has_all_choices_of_the_box_in_its_order(
    ioc: Ioc, sim: Sim, pva: Any, name: str, field: str
) -> None:
    labels = [line[1:] for line in sim.ask(f"*ENUMS.{field}?")[:-1]]
    found = pva.get(ioc.pv(name))
    assert found.getID() == "epics:nt/NTEnum:1.0"
    assert found.value.getID() == "enum_t"
    assert found.value.choices == [label[:STRING] for label in labels]
    assert len(labels) > 16
    assert sim.ask(f"{field}?") == [f"OK ={labels[found.value.index]}"]


@pytest.mark.parametrize(("name", "field"), ENUMS)
def test_choices_are_put_by_index_and_by_label_with_and_without_nt(
    ioc: Ioc, sim: Sim, pva: Any, nt: Context, name: str, field: str
) -> None:
    labels = [line[1:] for line in sim.ask(f"*ENUMS.{field}?")[:-1]]
    puts: list[tuple[Any, Any, str]] = [
        (nt, 3, labels[3]),
        (nt, labels[5], labels[5]),
        (pva, labels[4], labels[4]),
        (pva, 7, labels[7]),
        (pva, {"value.index": 0}, labels[0]),
        (pva, {"value": {"index": 18}}, labels[18]),  # one that is longer than a string of EPICS
    ]
    for client, value, label in puts:
        client.put(ioc.pv(name), value)
        assert sim.ask(f"{field}?") == [f"OK ={label}"]
        assert str(nt.get(ioc.pv(name))) == label[:STRING]


async def test_an_enum_and_its_string_record_follow_each_other_and_the_box(
    ioc: Ioc, sim: Sim, pva: Any, ca: Any
) -> None:
    name = ioc.pv(TRIG)
    labels = pva.get(name).value.choices
    with PvaSeen(pva, name) as seen, PvaSeen(pva, ioc.pv("PULSE1:TRIG")) as text:
        sim.put("PULSE1.TRIG=TTLIN3.VAL")
        await seen.until(lambda u: u.value.index == labels.index("TTLIN3.VAL"))
        await ca.caput(ioc.pv("PULSE1:TRIG"), "ONE", wait=True)
        await seen.until(lambda u: u.value.index == labels.index("ONE"))
        pva.put(name, {"value.index": labels.index("ZERO")})
        await text.until(lambda u: u.value == "ZERO")


async def test_a_put_is_one_command_and_one_monitor(
    tapped: Ioc, tap: Tap, sim: Sim, pva: Any
) -> None:
    name = tapped.pv(TRIG)
    sim.put("PULSE1.TRIG=ZERO")
    labels = pva.get(name).value.choices
    with PvaSeen(pva, name) as seen:
        await seen.until(lambda u: u.value.index == labels.index("ZERO"))
        del tap.lines[:], seen.updates[:]
        for index in (1, 2, 3):
            pva.put(name, {"value.index": index})
        sim.put("PULSE1.TRIG=ONE")
        await seen.until(lambda u: u.value.index == labels.index("ONE"))
        assert tap.sent("PULSE1.TRIG=") == [f"PULSE1.TRIG={labels[n]}" for n in (1, 2, 3)]
        assert [u.value.index for u in seen.updates] == [1, 2, 3, labels.index("ONE")]


@pytest.mark.parametrize("bad", [-1, 200, 2**31 - 1])
async def test_a_refused_choice_fails_goes_back_and_says_why(
    ioc: Ioc, sim: Sim, pva: Any, bad: int
) -> None:
    name = ioc.pv(TRIG)
    sim.put("PULSE1.TRIG=TTLIN2.VAL")
    with PvaSeen(pva, name) as seen:
        await seen.until(lambda u: u.value.choices[u.value.index] == "TTLIN2.VAL")
        del seen.updates[:]
        with pytest.raises(RemoteError):
            pva.put(name, {"value.index": bad})
        refused = await seen.until(lambda u: u.alarm.severity == INVALID)
        assert f"{bad} is not an index" in refused.alarm.message
        assert {u.value.index for u in seen.updates} == {pva.get(name).value.index}
        pva.put(name, {"value.index": 4})
        await seen.until(lambda u: u.value.index == 4 and u.alarm.severity == 0)
    assert sim.ask("PULSE1.TRIG?") == ["OK =TTLIN5.VAL"]


async def test_ca_clients_may_put_the_index(ioc: Ioc, sim: Sim, ca: Any) -> None:
    await ca.caput(ioc.pv("PULSE1:TRIG:INDEX"), 1, wait=True)
    assert sim.ask("PULSE1.TRIG?") == ["OK =TTLIN2.VAL"]
    with pytest.raises(ca.CANothing):
        await ca.caput(ioc.pv("PULSE1:TRIG:INDEX"), 500, wait=True)
    assert await ca.caget(ioc.pv("PULSE1:TRIG:INDEX")) == 1


async def test_choices_can_not_be_written(ioc: Ioc, ca: Any) -> None:
    with pytest.raises(CAException, match="Write access denied"):
        await ca.caput(ioc.pv("PULSE1:TRIG:CHOICES"), ["A", "B"], wait=True)


async def test_without_the_box_an_enum_is_invalid_and_puts_fail(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], pva: Any
) -> None:
    sim = start_sim()
    sim.put("PULSE1.TRIG=TTLIN2.VAL")
    ioc = start_ioc(sim.address)
    name = ioc.pv(TRIG)
    sim.kill()
    await until(lambda: pva.get(name).alarm.severity == INVALID, "alarm of the lost box")
    with pytest.raises(RemoteError):
        pva.put(name, {"value.index": 3})
    assert pva.get(name).value.index == 1
    start_sim(port=sim.port, data_port=sim.data_port)
    await until(lambda: pva.get(name).alarm.severity == 0, "end of the alarm")
    pva.put(name, {"value.index": 3})
    assert pva.get(name).value.index == 3


async def test_a_put_is_answered_when_the_box_has_answered(ioc: Ioc, sim: Sim, pva: Any) -> None:
    sim.put("PULSE1.TRIG=TTLIN1.VAL")
    name = ioc.pv(TRIG)
    await until(lambda: pva.get(name).value.index == 0, "the choice of the box")
    sim.ask("*SIM.STALL=2")
    pva.put(name, {"value.index": 3}, get=False, timeout=10)
    found = pva.get(name)
    assert (found.value.index, found.alarm.severity) == (3, 0)
    assert sim.ask("PULSE1.TRIG?") == ["OK =TTLIN4.VAL"]


OTHER = Path(__file__).parents[1] / "otherbox"


def test_another_box_has_its_own_choices(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], pva: Any
) -> None:
    sim = start_sim(config_dir=OTHER)
    ioc = start_ioc(sim.address)
    muxes = [
        f"{block}{number}.{field}"
        for block, count in (line[1:].split() for line in sim.ask("*BLOCKS?")[:-1])
        for number in (range(1, int(count) + 1) if count != "1" else [""])
        for field, _, kind, *_ in (line[1:].split() for line in sim.ask(f"{block}.*?")[:-1])
        if kind in ("bit_mux", "pos_mux")
    ]
    assert muxes
    for mux in muxes:
        labels = [line[1:] for line in sim.ask(f"*ENUMS.{mux}?")[:-1]]
        name = ioc.pv(f"{mux.replace('.', ':')}:ENUM")
        assert pva.get(name).value.choices == labels
