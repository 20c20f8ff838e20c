"""A PandA that tells impossible values: the PV says so, the process serves, other PVs are right.

Every lie comes over a socket with the changes, and as the answer to questions; the bridge is one
process for all of them, and real clients look at it after each.
"""

import base64
import random
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from scene import Seen

from support.liar import Liar, Reply
from support.servers import EpicsPorts, Ioc, Sim

INVALID = 3
LONG = "y" * 5000
HUGE = "9" * 4400
SENTINEL, SENTINEL_WIRE = "PULSE4:PULSES", "PULSE4.PULSES"

# Name on the wire -> texts; the record is INVALID meanwhile, as no record can hold them.
IMPOSSIBLE: dict[str, tuple[str, ...]] = {
    "TTLIN1.VAL": ("2", "-1", "99999999999", "", "nan", "yes", HUGE),
    "INENC1.VAL": ("2147483648", "-2147483649", HUGE, "1e400", "nan", "inf", "", "1.5", "0x10"),
    "COUNTER1.OUT.SCALE": ("inf", "nan", "1e999", "", "x", "1,5"),
    "COUNTER1.OUT.OFFSET": ("-inf", "nan", "-1e999"),
    "PULSE1.DELAY": ("inf", "nan", "-1e999", "", "soon"),
    "PULSE1.PULSES": ("4294967296", HUGE, "-1", "1e3", "inf"),
    "PULSE1.TRIG.DELAY": ("4294967295", "-1", "nan"),
    "COUNTER1.START": ("4294967295", "-4294967295", "inf"),
    "PCAP.SHIFT_SUM": ("4294967296", "-5"),
}
# Texts that are shown, or are none of the choices; the record is in any state but gone.
ODD: dict[str, tuple[str, ...]] = {
    "COUNTER1.OUT.SCALE": ("1e308", "-1e308", "5e-324", "0", "1_0"),
    "COUNTER1.OUT.UNITS": (LONG, "\x01\x7f", "\ufffd"),
    "PULSE1.DELAY.UNITS": ("fortnights", "", LONG),
    "PULSE1.TRIG": ("NOTHING.VAL", "", LONG, "99999999999"),
    "TTLIN1.TERM": ("whatever", "", LONG, "65536"),
    "INENC1.PROTOCOL": ("\x1b[2J", "-1"),
    "CALC1.INPA": ("INENC1.VAL.VAL", "ONE"),
    "COUNTER1.OUT.CAPTURE": ("Max Min Mean Sum Diff", "StdDev" * 50),
    "LUT1.FUNC": (LONG, "A?B<C=D"),
    "PCAP.ACTIVE": ("7", "", "-1", "99999999999"),
    "SEQ1.TABLE.QUEUED_LINES": ("99999999999", "-1", ""),
    "*METADATA.LABEL_PULSE1": (LONG, "\x00\x01"),
    "NO.SUCH": ("1", LONG),
    "lower.case": ("1",),
    "N" * 5000: ("1",),
}
# Lines of changes as they are.
LINES = (
    "!NO.SUCH<",
    "!NO.SUCH.FIELD.AT.ALL<",
    "!*METADATA.NONE<",
    "!PULSE1.DELAY<",
    "!NO.SUCH (error)",
    "!SEQ1.TABLE (error)",
    "!SEQ1.TABLE=1",
    "!COUNTER1.OUT.SCALE (error)",
    "!PULSE1.TRIG (error)",
    "!PCAP.ACTIVE (error)",
    "!SEQ1.TABLE.MODE=DREAMING",
)
# Answers where a table is asked for.
TABLES: dict[str, Reply | bytes] = {
    "no base64": ["!???", "."],
    "half a word": ["!AAA=", "."],
    "half a row": ["!" + base64.b64encode(bytes(4)).decode(), "."],
    "much too long": ["!" + base64.b64encode(bytes(1 << 12)).decode()] * 1000 + ["."],
    "nothing": ["."],
    "refused": ["ERR No such table"],
    "one value": ["OK =1"],
    "an OK": ["OK"],
}


class Teller:
    """Lies about some names, in changes and in answers."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.lines: list[str] = []
        self.tables: Reply | bytes | None = None

    def __call__(self, question: str, reply: Reply) -> Reply | bytes:
        if question == "*CHANGES?" and reply[-1] == ".":
            told, self.lines = self.lines, []
            return [*(line for line in reply[:-1] if not self._hides(line)), *told, "."]
        if question == "SEQ1.TABLE.B?" and self.tables is not None:
            return self.tables
        text = self.values.get(question.removesuffix("?"))
        return reply if text is None else [f"OK ={text}"]

    def _hides(self, line: str) -> bool:
        return re.split(r"[=<( ]", line[1:], maxsplit=1)[0] in self.values

    def tell(self, wire: str, text: str) -> None:
        self.values[wire] = text
        self.lines.append(f"!{wire}={text}")

    def confess(self, sim: Sim) -> None:
        """Tell the truth again."""
        for wire in list(self.values):
            del self.values[wire]
            (reply,) = sim.ask(f"{wire}?")[:1]
            if reply.startswith("OK ="):
                self.lines.append(f"!{wire}={reply.removeprefix('OK =')}")


@pytest.fixture(scope="module")
def teller() -> Teller:
    return Teller()


@pytest.fixture(scope="module")
def liar(sim: Sim, teller: Teller) -> Iterator[Liar]:
    sim.put("*SIM.ALIVE=0")
    with Liar(sim, teller) as liar:
        yield liar


@pytest.fixture(scope="module")
def ioc(
    tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts, liar: Liar
) -> Iterator[Ioc]:
    """A bridge to the liar."""
    log = tmp_path_factory.mktemp("ioc") / "log"
    with Ioc(log, epics_ports, liar.address, "--timeout", "1.5") as server:
        yield server


class Audience:
    """Clients of the bridge."""

    def __init__(self, sim: Sim, teller: Teller, ioc: Ioc, ca: Any) -> None:
        self.sim, self.teller, self.ioc, self.ca = sim, teller, ioc, ca
        self._seen = Seen(ca, ioc.pv(SENTINEL))
        self._count = random.randrange(1, 1000)

    async def polls(self, count: int = 2) -> None:
        """Let so many polls pass: each shows a change of another PV, which is right."""
        for _ in range(count):
            self._count += 1
            self.sim.put(f"{SENTINEL_WIRE}={self._count}")
            await self._seen.until(lambda v: v == self._count and v.severity == 0)

    async def get(self, name: str) -> Any:
        return await self.ca.caget(self.ioc.pv(name), format=self.ca.FORMAT_TIME, throw=False)

    def text_of(self, name: str) -> Any:
        """The type by which a PV is read as text."""
        return self.ca.DBR_CHAR_STR if name.endswith("LABEL") else str

    async def serves(self) -> None:
        """The process is well, and has not lost its connection for one bad value."""
        assert self.ioc.process.poll() is None
        assert "Traceback" not in self.ioc.text()
        assert await self.ca.caget(self.ioc.pv("IOC:RECONNECTS")) == 0

    async def confessed(self, name: str) -> None:
        """The truth is shown again."""
        self.teller.confess(self.sim)
        self.teller.tables = None
        await self.polls()
        value = await self.get(name)
        assert not value.ok or value.severity != INVALID, value

    def close(self) -> None:
        self._seen.__exit__()


@pytest.fixture
async def audience(sim: Sim, teller: Teller, ioc: Ioc, ca: Any) -> AsyncIterator[Audience]:
    audience = Audience(sim, teller, ioc, ca)
    yield audience
    audience.close()


def cases(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(wire, text) for wire, texts in table.items() for text in texts]


def name(value: object) -> str:
    return repr(value)[:30]


@pytest.mark.parametrize(("wire", "text"), cases(IMPOSSIBLE), ids=name)
async def test_a_value_that_no_record_holds_is_invalid(
    audience: Audience, wire: str, text: str
) -> None:
    pv = wire.replace(".", ":")
    before = await audience.get(pv)
    audience.teller.tell(wire, text)
    await audience.polls()
    shown = await audience.get(pv)
    assert shown.severity == INVALID
    assert shown == before  # the last good one
    message = await audience.ca.caget(audience.ioc.pv(f"{pv}.AMSG"))
    assert message == text[:39]
    await audience.serves()
    await audience.confessed(pv)


async def test_the_log_has_each_such_pv_once(audience: Audience) -> None:
    for text in ("2147483648", "2147483649", "x"):
        audience.teller.tell("INENC2.VAL", text)
        await audience.polls()
    await audience.confessed("INENC2:VAL")
    lines = re.findall(r".*WARNING.*:INENC2:VAL: .*", audience.ioc.text())
    assert len(lines) == 1
    assert "2147483648" in lines[0]


@pytest.mark.parametrize(("wire", "text"), cases(ODD), ids=name)
async def test_an_odd_text_harms_nothing(audience: Audience, wire: str, text: str) -> None:
    audience.teller.tell(wire, text)
    await audience.polls()
    await audience.serves()
    await audience.confessed(wire.replace(".", ":"))


@pytest.mark.parametrize("line", LINES)
async def test_an_odd_line_harms_nothing(audience: Audience, line: str) -> None:
    audience.teller.lines += [line, line]
    await audience.polls()
    await audience.serves()


@pytest.mark.parametrize("case", TABLES)
async def test_an_impossible_table_costs_the_table_only(audience: Audience, case: str) -> None:
    audience.teller.tables = TABLES[case]
    audience.sim.put("SEQ1.TABLE<\n3\n4\n5\n6\n", "SEQ2.TABLE<\n7\n0\n0\n0\n")
    await audience.polls()
    await audience.serves()
    assert list(await audience.get("SEQ2:TABLE:REPEATS")) == [7]
    audience.teller.tables = None
    audience.sim.put("SEQ1.TABLE<\n8\n4\n5\n6\n")
    await audience.polls()
    repeats = await audience.get("SEQ1:TABLE:REPEATS")
    assert (list(repeats), repeats.severity) == ([8], 0)


@pytest.mark.parametrize("seed", range(12))
async def test_changes_mutated_at_random_harm_nothing(audience: Audience, seed: int) -> None:
    """Every line of a full report of changes may be damaged."""
    chance = random.Random(seed)
    block = SENTINEL_WIRE.partition(".")[0]
    lines = [line for line in audience.sim.ask("*CHANGES?")[:-1] if block not in line]
    damaged = [mutated(chance, line) for line in chance.sample(lines, len(lines) // 3)]
    audience.teller.lines += damaged
    await audience.polls()
    await audience.serves()
    audience.teller.lines += lines
    await audience.polls()
    await audience.serves()


ALPHABET = "0123456789+-.eE_xXnaif \t\x01é漢ABCDEFVAL:*"


def mutated(chance: random.Random, line: str) -> str:
    """The line, its value damaged; its form is kept, so that it still is a line of changes."""
    name, sign, value = line.partition("=")
    if not sign:
        return line
    kind = chance.randrange(6)
    if kind == 0:
        value = "".join(chance.choices(ALPHABET, k=chance.randrange(60)))
    elif kind == 1:
        value = str(chance.choice((1 << 31, 1 << 32, 1 << 63, 10**30, -1, -(1 << 31) - 1)))
    elif kind == 2:
        value *= chance.randrange(0, 40)
    elif kind == 3:
        value = chance.choice(("inf", "-inf", "nan", "1e308", "1e-308", "1e999"))
    elif kind == 4 and value:
        at = chance.randrange(len(value))
        value = value[:at] + chance.choice(ALPHABET) + value[at + 1 :]
    return f"{name}={value}"


# -- refused, and applied all the same ----------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "values"),
    [
        ("PULSE1.PULSES", (5, 6)),
        ("PULSE1.DELAY", (1.5, 2.5)),
        ("PULSE1.TRIG", ("ONE", "ZERO")),
        ("TTLIN1.TERM", ("50-Ohm", "High-Z")),
        ("COUNTER1.OUT.CAPTURE", ("Value", "No")),
        ("*METADATA.LABEL_PULSE1", ("this", "that")),
    ],
    ids=name,
)
async def test_a_put_that_is_refused_and_applied_ends_at_what_the_panda_has(
    audience: Audience, liar: Liar, wire: str, values: tuple[Any, Any]
) -> None:
    """The PandA answers ERR to the put and ERR to every question, and to no change it admits."""
    pv = wire.replace(".", ":") if wire[0] != "*" else "PULSE1:LABEL"
    kind = {"datatype": audience.ca.DBR_CHAR_STR} if pv.endswith("LABEL") else {}
    await audience.ca.caput(audience.ioc.pv(pv), values[0], wait=True, **kind)
    teller = audience.teller
    teller.values[wire] = "hidden"  # no change of it is told

    def lie(question: str, reply: Reply) -> Reply | bytes:
        is_about = question.startswith((f"{wire}=", f"{wire}?"))
        return ["ERR Out of order"] if is_about else teller(question, reply)

    liar.lie = lie
    try:
        put = audience.ca.caput(audience.ioc.pv(pv), values[1], wait=True, throw=False, **kind)
        assert not (await put).ok
        await audience.polls()
        assert (await audience.get(pv)).severity == INVALID  # nobody knows
    finally:
        liar.lie = teller
        del teller.values[wire]
    await audience.polls(4)
    shown = await audience.ca.caget(audience.ioc.pv(pv), datatype=audience.text_of(pv))
    wanted = values[1]
    assert (float(shown) == wanted) if isinstance(wanted, float) else (str(shown) == str(wanted))
    assert (await audience.get(pv)).severity != INVALID
    await audience.serves()
