"""Puts: every kind of record, good and bad, over CA and PVA.

A good put reaches the box as one command, and the record shows what the box made of it. A refused
put fails, the record goes back with an alarm, and the box's own words can be read.
"""

import asyncio
import math
import random
from typing import Any

import pytest
from p4p.client.thread import RemoteError
from tap import Tap
from watching import CaSeen, until

from support.servers import Ioc, Sim

ECA_PUTFAIL = 160
INVALID, WRITE = 3, 2

# record, what is put, the command that the box gets, the field to ask, its text, what is shown
GOOD: list[tuple[str, Any, str, str, str, Any]] = [
    ("PULSE1:PULSES", 7, "PULSE1.PULSES=7", "PULSE1.PULSES", "7", 7),
    ("PULSE1:PULSES", 4294967295, "PULSE1.PULSES=4294967295", "PULSE1.PULSES", "4294967295", None),
    ("INENC1:BITS", 63, "INENC1.BITS=63", "INENC1.BITS", "63", 63),
    ("COUNTER3:START", -5, "COUNTER3.START=-5", "COUNTER3.START", "-5", -5),
    ("COUNTER3:MIN", -(2**31), "COUNTER3.MIN=-2147483648", "COUNTER3.MIN", "-2147483648", None),
    ("EQU2:GAIN", 0.25, "EQU2.GAIN=0.25", "EQU2.GAIN", "0.25", 0.25),
    ("BITS:A", 1, "BITS.A=1", "BITS.A", "1", 1),
    ("BITS:A", 0, "BITS.A=0", "BITS.A", "0", 0),
    ("LUT1:FUNC", "A&B", "LUT1.FUNC=A&B", "LUT1.FUNC", "A&B", "A&B"),
    ("TTLIN1:TERM", 1, "TTLIN1.TERM=50-Ohm", "TTLIN1.TERM", "50-Ohm", 1),
    ("TTLIN1:TERM", 0, "TTLIN1.TERM=High-Z", "TTLIN1.TERM", "High-Z", 0),
    (
        "EQU2:SOURCE",
        "Detector bank 12",
        "EQU2.SOURCE=Detector bank 12",
        "EQU2.SOURCE",
        "Detector bank 12",
        None,
    ),
    ("PULSE1:WIDTH", 2.4, "PULSE1.WIDTH=2.4", "PULSE1.WIDTH", "2.4", 2.4),
    ("SEQ1:PRESCALE", 1.5, "SEQ1.PRESCALE=1.5", "SEQ1.PRESCALE", "1.5", 1.5),
    ("TTLOUT1:VAL", "TTLIN1.VAL", "TTLOUT1.VAL=TTLIN1.VAL", "TTLOUT1.VAL", "TTLIN1.VAL", None),
    ("TTLOUT1:VAL", "ZERO", "TTLOUT1.VAL=ZERO", "TTLOUT1.VAL", "ZERO", "ZERO"),
    ("TTLOUT1:VAL:DELAY", 3, "TTLOUT1.VAL.DELAY=3", "TTLOUT1.VAL.DELAY", "3", 3),
    ("CALC1:INPA", "INENC1.VAL", "CALC1.INPA=INENC1.VAL", "CALC1.INPA", "INENC1.VAL", None),
    ("INENC2:VAL:SCALE", 0.5, "INENC2.VAL.SCALE=0.5", "INENC2.VAL.SCALE", "0.5", 0.5),
    ("INENC2:VAL:OFFSET", -1.25, "INENC2.VAL.OFFSET=-1.25", "INENC2.VAL.OFFSET", "-1.25", -1.25),
    ("INENC2:VAL:UNITS", "mm", "INENC2.VAL.UNITS=mm", "INENC2.VAL.UNITS", "mm", "mm"),
    ("INENC2:VAL:CAPTURE", 1, "INENC2.VAL.CAPTURE=Value", "INENC2.VAL.CAPTURE", "Value", 1),
    ("PCAP:BITS0:CAPTURE", 1, "PCAP.BITS0.CAPTURE=Value", "PCAP.BITS0.CAPTURE", "Value", 1),
    ("PULSE2:DELAY:UNITS", 2, "PULSE2.DELAY.UNITS=ms", "PULSE2.DELAY.UNITS", "ms", 2),
    (
        "INENC3:VAL:CAPTURE:SET",
        "Min Max",
        "INENC3.VAL.CAPTURE=Min Max",
        "INENC3.VAL.CAPTURE",
        "Min Max",
        "Min Max",
    ),
]

# record, what is put, the command with which the box refuses it itself, or None with our words
BAD: list[tuple[str, Any, str | None, str]] = [
    ("INENC1:BITS", 64, "INENC1.BITS=64", ""),
    ("EQU2:NOTE_LEVEL", 6, "EQU2.NOTE_LEVEL=6", ""),
    ("PULSE1:DELAY", -1.0, "PULSE1.DELAY=-1", ""),
    ("PULSE1:DELAY", 1e12, "PULSE1.DELAY=1000000000000", ""),
    ("EQU2:GAIN", 1e12, "EQU2.GAIN=1000000000000", ""),
    ("LUT1:FUNC", "A&&", "LUT1.FUNC=A&&", ""),
    ("TTLOUT1:VAL", "NOTHING.OUT", "TTLOUT1.VAL=NOTHING.OUT", ""),
    ("CALC1:INPA", "TTLIN1.VAL", "CALC1.INPA=TTLIN1.VAL", ""),
    ("TTLOUT1:VAL:DELAY", 1000000, "TTLOUT1.VAL.DELAY=1000000", ""),
    ("EQU2:SOURCE", "Detector bank 99", "EQU2.SOURCE=Detector bank 99", ""),
    ("INENC3:VAL:CAPTURE:SET", "Value Nonsense", "INENC3.VAL.CAPTURE=Value Nonsense", ""),
    ("PULSE1:PULSES", -1.0, None, "-1 is not in 0..4294967295"),
    ("PULSE1:PULSES", 4294967296.0, None, "4294967296 is not in 0..4294967295"),
    ("PULSE1:PULSES", 2.5, None, "2.5 is not a whole number"),
    ("PULSE1:PULSES", math.nan, None, "nan is not a whole number"),
    ("PULSE1:PULSES", math.inf, None, "inf is not a whole number"),
    ("PULSE1:DELAY", math.nan, None, "nan cannot be sent"),
    ("PULSE1:DELAY", -math.inf, None, "-inf cannot be sent"),
    ("EQU2:GAIN", math.inf, None, "inf cannot be sent"),
    ("INENC2:VAL:SCALE", math.nan, None, "nan cannot be sent"),
    ("TTLIN1:TERM", 9, None, "9 is not an index of the 2 choices"),
    ("INENC2:VAL:CAPTURE", 15, None, "15 is not an index of the 11 choices"),
    ("TTLOUT1:VAL:DELAY", -1, None, "-1 is not in 0..2147483647"),
    ("INENC2:VAL:UNITS", "m\nm", None, "control character"),
    ("BITS:A", 2, None, ""),
]

pytestmark = pytest.mark.timeout(60)


def _id(case: Any) -> str:
    return f"{case[0]}={case[1]}"


class Client:
    """One of the two protocols."""

    def __init__(self, ca: Any, pva: Any, over: str) -> None:
        self._ca, self._pva, self._over = ca, pva, over

    async def put(self, name: str, value: Any) -> bool:
        """Put and wait; whether it was done."""
        if self._over == "ca":
            is_long = name.endswith((":LABEL", ":LONG"))
            datatype = self._ca.DBR_CHAR_STR if is_long else None
            result = await self._ca.caput(name, value, datatype, wait=True, timeout=20, throw=False)
            assert result.ok or result.errorcode == ECA_PUTFAIL, result
            return bool(result.ok)
        return await asyncio.to_thread(self._put_pva, name, value)

    def _put_pva(self, name: str, value: Any) -> bool:
        is_enum = hasattr(self._pva.get(name).value, "choices")
        try:
            self._pva.put(
                name,
                {"value": {"index": value} if is_enum else value},
                request="record[block=true]",
                timeout=20,
            )
        except RemoteError:
            return False
        return True


@pytest.fixture(params=["ca", "pva"])
def client(request: pytest.FixtureRequest, ca: Any, pva: Any) -> Client:
    """A client over CA and one over PVA."""
    return Client(ca, pva, request.param)


async def _shown(ca: Any, name: str) -> Any:
    return await ca.caget(name, format=ca.FORMAT_TIME)


async def _error(ca: Any, ioc: Ioc) -> tuple[str, str]:
    """ERROR and ERROR:PV."""
    text = await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR)
    return str(text), str(await ca.caget(ioc.pv("ERROR:PV"), datatype=ca.DBR_CHAR_STR))


@pytest.mark.parametrize("case", GOOD, ids=_id)
async def test_a_good_put_reaches_the_box_and_is_shown(
    sim: Sim, tap: Tap, tapped: Ioc, ca: Any, client: Client, case: Any
) -> None:
    name, value, command, field, text, shown = case
    tap.lines.clear()
    assert await client.put(tapped.pv(name), value)
    assert tap.sent(command.partition("=")[0] + "=") == [command]
    assert sim.ask(f"{field}?") == [f"OK ={text}"]
    now = await _shown(ca, tapped.pv(name))
    assert (now, now.severity) == (value if shown is None else shown, 0)


@pytest.mark.parametrize("case", BAD, ids=_id)
async def test_a_bad_put_fails_and_goes_back_with_the_reason(
    sim: Sim, tapped: Ioc, ca: Any, client: Client, case: Any
) -> None:
    name, value, command, words = case
    pv = tapped.pv(name)
    if command:
        (reply,) = sim.ask(command)
        assert reply.startswith("ERR ")
        words = reply.removeprefix("ERR ")
    before = await _shown(ca, pv)
    assert not await client.put(pv, value)
    after = await _shown(ca, pv)
    assert (after, after.severity, after.status) == (before, INVALID, WRITE)
    message = str(await ca.caget(f"{pv}.AMSG"))
    assert message
    assert message in words or words in message or not words
    text, about = await _error(ca, tapped)
    assert words in text
    assert about == pv[:39]

    assert await client.put(pv, before)
    cleared = await _shown(ca, pv)
    assert (cleared, cleared.severity) == (before, 0)
    assert await _error(ca, tapped) == ("", "")
    assert str(await ca.caget(f"{pv}.AMSG")) == ""


async def test_a_refused_put_without_callback_goes_back_too(sim: Sim, tapped: Ioc, ca: Any) -> None:
    sim.put("PULSE3.DELAY=1.5")
    with CaSeen(ca, tapped.pv("PULSE3:DELAY")) as seen:
        await seen.until(lambda update: update == 1.5)
        await ca.caput(tapped.pv("PULSE3:DELAY"), -1)
        update = await seen.until(lambda update: update.severity == INVALID)
        assert (update, update.status) == (1.5, WRITE)
        assert sim.ask("PULSE3.DELAY?") == ["OK =1.5"]


LONG_FUNCTION = "(A & B) | (B & C) | (C & D) | (D & E) | (E & A)"
LONG_UNITS = "thousandths of a turn of the second encoder"


@pytest.mark.parametrize(
    ("record", "wire", "text"),
    [
        ("LUT3:FUNC", "LUT3.FUNC", LONG_FUNCTION),
        ("COUNTER4:OUT:UNITS", "COUNTER4.OUT.UNITS", LONG_UNITS),
        ("EQU2:SOURCE", "EQU2.SOURCE", "Everything that is connected to this box"),
    ],
)
async def test_texts_too_long_for_a_string_are_whole_in_long(
    sim: Sim, tapped: Ioc, ca: Any, client: Client, record: str, wire: str, text: str
) -> None:
    name = tapped.pv(record)
    assert await client.put(f"{name}:LONG", text)
    assert sim.ask(f"{wire}?") == [f"OK ={text}"]
    assert await ca.caget(f"{name}:LONG", datatype=ca.DBR_CHAR_STR) == text
    with CaSeen(ca, name) as seen:
        await seen.until(lambda update: update == text[:39])


@pytest.mark.parametrize("record", ["LUT3:FUNC", "COUNTER4:OUT:UNITS", "TTLOUT2:VAL"])
async def test_a_text_that_is_cut_on_its_way_is_not_taken_for_the_whole(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any, record: str
) -> None:
    """CA clients cannot put more than 39 characters; PVA ones can, and EPICS cuts it."""
    wire = record.replace(":", ".")
    before = sim.ask(f"{wire}?")
    text = {"LUT3:FUNC": LONG_FUNCTION, "TTLOUT2:VAL": "X" * 60}.get(record, LONG_UNITS)
    assert not await Client(ca, pva, "pva").put(tapped.pv(record), text)
    assert sim.ask(f"{wire}?") == before


async def test_a_label_that_is_cut_on_its_way_is_not_taken_for_the_whole(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any
) -> None:
    assert not await Client(ca, pva, "pva").put(tapped.pv("PULSE3:LABEL"), "x" * 300)
    assert sim.ask("*METADATA.LABEL_PULSE3?") == ["OK ="]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("SRGATE1:FORCE_SET", "SRGATE1.FORCE_SET="),
        ("SFP2_SYNC_IN:SYNC_RESET", "SFP2_SYNC_IN.SYNC_RESET="),
    ],
)
@pytest.mark.parametrize("value", [0, 1])
async def test_any_put_triggers_an_action(
    tap: Tap, tapped: Ioc, client: Client, name: str, command: str, value: int
) -> None:
    tap.lines.clear()
    assert await client.put(tapped.pv(name), value)
    assert tap.sent(command) == [command]


async def test_a_write_field_is_sent_and_shows_what_was_put(
    tap: Tap, tapped: Ioc, ca: Any, client: Client
) -> None:
    tap.lines.clear()
    assert await client.put(tapped.pv("INENC1:SETP"), -42)
    assert tap.sent("INENC1.SETP") == ["INENC1.SETP=-42"]
    now = await _shown(ca, tapped.pv("INENC1:SETP"))
    assert (now, now.severity) == (-42, 0)


@pytest.mark.parametrize(
    "label", ["Shutter", "", "é" * 100, "A label of more than forty characters, long"]
)
async def test_labels_are_long_strings(
    sim: Sim, tapped: Ioc, ca: Any, client: Client, label: str
) -> None:
    name = tapped.pv("PULSE4:LABEL")
    assert await client.put(name, label)
    assert sim.ask("*METADATA.LABEL_PULSE4?") == [f"OK ={label}"]
    assert await ca.caget(name, datatype=ca.DBR_CHAR_STR) == label


async def test_capture_outside_the_list_is_shown_as_no_state_and_in_options(
    sim: Sim, tapped: Ioc, ca: Any, client: Client
) -> None:
    name = tapped.pv("INENC4:VAL:CAPTURE")
    assert await client.put(f"{name}:SET", "Value Min Max")
    assert sim.ask("INENC4.VAL.CAPTURE?") == ["OK =Value Min Max"]
    assert await ca.caget(f"{name}:SET") == "Value Min Max"
    outside = await _shown(ca, name)
    assert outside == 65535
    assert outside.severity > 0
    assert await client.put(name, 1)
    inside = await _shown(ca, name)
    assert (inside, inside.severity) == (1, 0)
    assert await ca.caget(f"{name}:SET") == "Value"


async def test_capture_options_in_another_order_are_shown_in_the_box_s(
    tapped: Ioc, ca: Any, client: Client
) -> None:
    name = tapped.pv("INENC4:VAL:CAPTURE")
    assert await client.put(f"{name}:SET", "Max Min")
    assert await ca.caget([name, f"{name}:SET"]) == [7, "Min Max"]


async def test_rounding_by_the_box_is_seen_when_the_put_returns(
    sim: Sim, tapped: Ioc, ca: Any, client: Client
) -> None:
    """A tick of the clock is 8 ns."""
    sim.put("PULSE1.DELAY.UNITS=us", "PULSE1.DELAY=1")
    await until(lambda: client._pva.get(tapped.pv("PULSE1:DELAY")).value == 1, "1 us")
    assert await client.put(tapped.pv("PULSE1:DELAY"), 2.0013)
    (reply,) = sim.ask("PULSE1.DELAY?")
    assert float(reply.removeprefix("OK =")) == pytest.approx(2.0, abs=0.009)
    assert await ca.caget(tapped.pv("PULSE1:DELAY")) == float(reply.removeprefix("OK ="))


async def test_units_change_number_egu_and_digits_when_the_put_returns(
    sim: Sim, tapped: Ioc, ca: Any, client: Client
) -> None:
    name = tapped.pv("PULSE4:WIDTH")
    assert await client.put(f"{name}:UNITS", 1)
    assert await client.put(name, 2)
    for index, (unit, number, digits) in enumerate(
        [("min", 2 / 60, 9), ("s", 2, 9), ("ms", 2000, 6), ("us", 2e6, 3)]
    ):
        assert await client.put(f"{name}:UNITS", index)
        now = await ca.caget(name, format=ca.FORMAT_CTRL)
        assert float(now) == pytest.approx(number)
        assert (now.units, now.precision) == (unit, digits)


async def test_racing_puts_have_the_right_verdicts_and_end_at_the_box_s_value(
    sim: Sim, tapped: Ioc, ca: Any, pva: Any
) -> None:
    """Good and bad ones, from two CA clients and PVA, on few records at the same time."""
    names = [tapped.pv(f"PULSE{n}:DELAY") for n in (1, 2, 3)] + [tapped.pv("INENC1:BITS")]
    chance = random.Random(1)
    over = {"ca": Client(ca, pva, "ca"), "pva": Client(ca, pva, "pva")}

    async def one(client: Client, count: int) -> list[tuple[str, float, bool]]:
        verdicts = []
        for _ in range(count):
            name = chance.choice(names)
            value = chance.choice([chance.randint(0, 63), -1])
            verdicts.append((name, value, await client.put(name, value)))
        return verdicts

    found = await asyncio.gather(
        *(one(over["ca"], 75) for _ in range(8)), *(one(over["pva"], 75) for _ in range(4))
    )
    verdicts = [verdict for each in found for verdict in each]
    assert len(verdicts) == 900
    assert {(name, value, ok) for name, value, ok in verdicts if ok != (value >= 0)} == set()
    for name in names:
        (reply,) = sim.ask(name.removeprefix(f"{tapped.prefix}:").replace(":", ".") + "?")
        assert await ca.caget(name) == float(reply.removeprefix("OK ="))
        assert await over["ca"].put(name, 1)
        assert (await _shown(ca, name)).severity == 0
