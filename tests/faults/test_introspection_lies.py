"""A PandA that describes itself impossibly: what can be served is, and nothing lasts.

Lies come over sockets, through the making of records, to a running process with real clients.
"""

import asyncio
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.device import cache
from panda_ioc.device.model import Device
from support.liar import Liar, Reply, truth
from support.servers import Ioc, Sim, Starter

LONG = "y" * 3000
MANY = [f"!label {n}" for n in range(3000)]

# Question -> lie; each about another field, so that all can be told at once.
SAID: dict[str, Reply | bytes] = {
    "TTLOUT1.VAL.MAX_DELAY?": ["OK =4294967295"],
    "PULSE1.TRIG.MAX_DELAY?": ["OK =9999999999"],
    "PULSE1.ENABLE.MAX_DELAY?": ["OK =-1"],
    "COUNTER1.TRIG.MAX_DELAY?": ["OK =nan"],
    "COUNTER1.ENABLE.MAX_DELAY?": ["OK ="],
    "COUNTER1.DIR.MAX_DELAY?": ["ERR No such thing"],
    "PULSE1.PULSES.MAX?": ["OK =9999999999"],
    "SEQ1.REPEATS.MAX?": ["OK =99999999999999999999"],
    "CALC1.SHIFT.MAX?": ["OK =inf"],
    "SEQ1.TABLE.MAX_LENGTH?": ["OK =9999999999"],
    "PGEN1.TABLE.MAX_LENGTH?": ["OK =1"],
    "PGEN1.TABLE.ROW_WORDS?": ["OK =0"],
    "PCAP1.SHIFT_SUM.MAX?": ["OK =-5"],
    "*ENUMS.TTLIN.TERM?": ["."],
    "*ENUMS.INENC.PROTOCOL?": [*MANY, "."],
    "*ENUMS.INENC.ENCODING?": ["!same", "!same", "!same", "."],
    "*ENUMS.CALC.TYPEB?": ["!", "!", "."],
    "*ENUMS.OUTENC.PROTOCOL?": ["!" + LONG, "!\x01\x02", '!"$(P)\\', "."],
    "*ENUMS.COUNTER.OUT.CAPTURE?": ["."],
    "*ENUMS.CALC.OUT.CAPTURE?": [*MANY, "."],
    "*ENUMS.PULSE.DELAY.UNITS?": ["."],
    "*ENUMS.PULSE.WIDTH.UNITS?": ["!fortnights", "!" + LONG, "."],
    "*ENUMS.CLOCK.ENABLE?": ["."],
    "*ENUMS.SEQ.ENABLE?": ["OK =ZERO"],
    "*DESC.LUT?": ["OK =" + LONG],
    "*DESC.LUT.FUNC?": ['OK =\x01\x7f\x1b[2J"\\$(P)'],
    "*DESC.SEQ?": ["."],
    "*DESC.SEQ.TABLE[].REPEATS?": ["OK =" + "漢" * 300],
    "*ENUMS.SEQ.TABLE[].TRIGGER?": ["."],
    "TTLIN1.VAL.CAPTURE_WORD?": ["OK =NO.SUCH"],
    "TTLIN1.VAL.OFFSET?": ["OK =9999999999"],
    "PCAP1.BITS0.BITS?": [*MANY, "."],
    "PCAP1.BITS1.BITS?": ["."],
    "PCAP1.BITS2.BITS?": ["!" + LONG, "!TTLIN1.VAL", "!TTLIN1.VAL", "."],
    "SYSTEM1.IO_5V0.SCALE?": ["OK =1.7e308"],
    "SYSTEM1.PICO_5V0.SCALE?": ["OK =5e-324"],
    "SYSTEM1.TEMP_ZYNQ.SCALE?": ["OK =nan"],
    "SYSTEM1.ALIM_12V0.SCALE?": ["OK =1e999"],
    "SYSTEM1.IO_5V0.UNITS?": ["OK =" + LONG],
    "SYSTEM1.PICO_5V0.UNITS?": ['OK =\x01"$(P)'],
    "*METADATA.*?": ["!LABEL_PULSE1", "!" + LONG, "!A B", "!", "!LABEL_PULSE1", "."],
    "*CAPTURE.OPTIONS?": ["!Value", "!Value", "!" + LONG, "!a b", "!VALUE", "!Mean", "."],
}
# Lines of a list of fields: what they become.
FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "SRGATE.*?": (("!FORCE_RST ", "!FORCE_SET "),),  # twice the same name
    "FILTER.*?": ((" param ", " wish "), ("read uint", "read unheard")),
    "DIV.*?": ((" param uint", " param table"), ("bit_out", "table")),
    "SFP2_SYNC_IN.*?": ((" bit_out", " param enum"), (" pos_out", " ext_out bits")),
    "PCOMP.*?": (("param enum", "param uint"), ("bit_mux", "pos_mux"), ("read bit", "write lut")),
    "BITS.*?": (("!A ", "!LABEL "), ("!B ", "!PVI "), ("!C ", "!STATUS ")),
}
SEQ_COLUMNS = (
    ("!15:0 REPEATS uint", "!63:0 REPEATS uint"),
    ("!15:0 REPEATS uint", "!9999999999:0 REPEATS uint"),
)


def lies(question: str, reply: Reply) -> Reply | bytes:
    """All of `SAID` and `FIELDS`."""
    for old, new in FIELDS.get(question, ()):
        reply = [line.replace(old, new) for line in reply]
    return SAID.get(question, reply)


async def right(ca: Any, ioc: Ioc, sim: Sim) -> None:
    """PVs that no lie was about are as on the PandA, and follow it."""
    assert ioc.process.poll() is None
    assert "Traceback" not in ioc.text()
    for value in (3, 4):
        sim.put(f"SEQ2.REPEATS={value}", f"CALC2.TYPEA={'Value' if value == 3 else '-Value'}")
        await shows(ca, ioc, "SEQ2:REPEATS", value)
    await shows(ca, ioc, "TTLIN2:VAL", int(sim.ask("TTLIN2.VAL?")[0].removeprefix("OK =")))
    assert (await ca.caput(ioc.pv("CLOCK1:PERIOD"), 3, wait=True, throw=False)).ok
    assert sim.ask("CLOCK1.PERIOD?") == ["OK =3"]


async def shows(ca: Any, ioc: Ioc, name: str, value: object) -> None:
    """Wait until a PV has this value without alarm."""
    async with asyncio.timeout(15):
        while True:
            got = await ca.caget(ioc.pv(name), format=ca.FORMAT_TIME, timeout=5)
            if got == value and got.severity == 0:
                return
            await asyncio.sleep(0.05)


async def test_many_lies_at_once_are_served_as_far_as_records_go(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    asked: Counter[str] = Counter()

    def lie(question: str, reply: Reply) -> Reply | bytes:
        asked[question] += 1
        return lies(question, reply)

    with Liar(sim, lie) as liar:
        ioc = start_ioc(liar.address)
        missed = (SAID.keys() | FIELDS.keys()) - asked.keys()
        assert missed == set()
        await right(ca, ioc, sim)
        hopr = await ca.caget(ioc.pv("TTLOUT1:VAL:DELAY.HOPR"))
        assert hopr == 2**31 - 1
        assert "Error (" not in ioc.text()  # of the EPICS database
        ioc.stop()


async def test_a_table_that_would_take_all_memory_is_served_in_part(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    columns = [f"!{bit}:{bit} C{bit} uint" for bit in range(32 * 100)]

    def lie(question: str, reply: Reply) -> Reply:
        return {
            "PGEN1.TABLE.FIELDS?": [*columns, "."],
            "PGEN1.TABLE.ROW_WORDS?": ["OK =100"],
            "PGEN1.TABLE.MAX_LENGTH?": ["OK =4294967295"],
        }.get(question, reply)

    with Liar(sim, lie) as liar:
        ioc = start_ioc(liar.address)
        await right(ca, ioc, sim)
        assert "rows are served of each" in ioc.text()
        assert resident(ioc) < 1.5e9
        ioc.stop()


def resident(ioc: Ioc) -> int:
    """Bytes of memory in use."""
    status = Path(f"/proc/{ioc.process.pid}/status").read_text()
    return 1024 * int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


async def test_a_panda_of_a_server_before_streaming_is_served(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    def lie(question: str, reply: Reply) -> Reply:
        if question == "*IDN?":
            return ["OK =PandA SW: 3.0 FPGA: 3.0.1 86e5f0a2 07d202f8 rootfs: old"]
        return ["ERR No such attribute"] if question.endswith(".MODE?") else reply

    with Liar(sim, lie) as liar:
        ioc = start_ioc(liar.address)
        await right(ca, ioc, sim)
        ioc.stop()


@pytest.mark.parametrize("pair", SEQ_COLUMNS)
async def test_columns_that_no_table_has_cost_the_table(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, pair: tuple[str, str]
) -> None:
    def lie(question: str, reply: Reply) -> Reply:
        return [line.replace(*pair) for line in reply] if ".TABLE.FIELDS?" in question else reply

    with Liar(sim, lie) as liar:
        ioc = start_ioc(liar.address)
        await right(ca, ioc, sim)
        ioc.stop()


@pytest.mark.parametrize("seed", range(4))
async def test_a_description_mutated_at_random_is_waited_out_or_served(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, seed: int
) -> None:
    """The same damage at each look, so that two of them agree."""

    def lie(question: str, reply: Reply) -> Reply:
        chance = random.Random(f"{seed} {question}")
        names = ("*IDN?", "*CHANGES?")
        if question in names or chance.random() > 0.05 or "SEQ" in question or "CLOCK" in question:
            return reply
        return [mutated(chance, line) for line in reply]

    with Liar(sim, lie) as liar:
        ioc = start_ioc(liar.address, ready="waiting for the PandA|connection: .*: connected")
        if "waiting for" in ioc.text():
            liar.lie = truth
        ioc.wait_for("connection: .*: connected")
        assert ioc.process.poll() is None
        assert "Traceback" not in ioc.text()
        await shows(ca, ioc, "SEQ2:REPEATS", int(sim.ask("SEQ2.REPEATS?")[0][4:]))
        ioc.stop()


def mutated(chance: random.Random, line: str) -> str:
    """A line of a reply, still one line that begins as it did."""
    start = "OK =" if line.startswith("OK =") else line[:1]
    rest = line.removeprefix(start)
    if not rest or chance.random() < 0.5:
        return line
    kind = chance.randrange(4)
    if kind == 0:
        rest = "".join(chance.choices('ABZaz09_.:-+$()"\\ \x01é=<?', k=chance.randrange(1, 80)))
    elif kind == 1:
        at = chance.randrange(len(rest))
        rest = rest[:at] + rest[at + 1 :]
    elif kind == 2:
        rest = re.sub("[0-9]+", lambda _: str(chance.choice((0, 2**31, 2**32 - 1, 10**9))), rest)
    else:
        rest *= 2
    return start + rest


class Doubler:
    """Says one reply twice, at another place of each conversation."""

    def __init__(self, *places: int) -> None:
        self._places = iter(places)
        self._place: int | None = None
        self._count = 0
        self.doubled = 0

    def __call__(self, question: str, reply: Reply) -> Reply:
        self._count += 1
        if self._place is None:
            self._place, self._count = next(self._places, 0), 0
        if self._place and self._count == self._place:
            self._place = None
            self.doubled += 1
            return reply + reply
        return reply


def the_device(path: Path) -> Device:
    return cache.load(path.read_text())


async def test_a_doubled_reply_is_no_other_panda_and_is_not_kept(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, tmp_path: Path
) -> None:
    """At the start, and when the connection is made again."""
    start_ioc(sim.address, "--cache", str(tmp_path / "good")).stop()
    good = the_device(tmp_path / "good").layout
    kept = tmp_path / "panda.json"
    doubler = Doubler(2, 7, 30, 100, 333, 700)
    with Liar(sim, doubler) as liar:
        ioc = start_ioc(liar.address, "--cache", str(kept))
        assert doubler.doubled >= 4
        assert the_device(kept).layout == good
        await right(ca, ioc, sim)
        liar.lie = again = Doubler(5, 50, 200, 500)
        liar.cut()
        ioc.wait_for("connection: .*: connected", times=2)
        assert again.doubled == 4
        assert "different PandA" not in ioc.text()
        assert the_device(kept).layout == good
        await right(ca, ioc, sim)
        ioc.stop()


async def test_a_look_that_nobody_confirms_changes_nothing(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    """One look sees another PandA, in order and well formed; the next one does not."""
    liars = iter([True])

    def lie(question: str, reply: Reply) -> Reply:
        if question == "*DESC.SEQ?" and next(liars, False):
            return ["OK =Something else"]
        return reply

    with Liar(sim) as liar:
        ioc = start_ioc(liar.address)
        liar.lie = lie
        liar.cut()
        ioc.wait_for("connection: .*: connected", times=2)
        assert "described itself in two ways" in ioc.text()
        assert "different PandA" not in ioc.text()
        await right(ca, ioc, sim)
        ioc.stop()
