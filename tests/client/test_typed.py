"""Values of a PandA as Python objects, the same with both clients, against the simulator."""

import asyncio
import inspect
import rlcompleter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.panda import AsyncPanda, Panda
from panda_ioc.client.value_commands import (
    MICROSECONDS,
    GetValue,
    PutValue,
    put_table,
    words_from_base64,
)
from panda_ioc.client.values import field_node
from panda_ioc.device.model import make_device
from panda_ioc.errors import BadValue, CommandError, ConnectionLost, ProtocolError
from panda_ioc.protocol.commands import Get, Put
from panda_ioc.protocol.responses import (
    BlockInfo,
    FieldInfo,
    SubtypeTimeFieldInfo,
    TableFieldDetails,
    TableFieldInfo,
)
from support.boxes import FaultyBox
from support.controlstream import ask
from support.servers import Sim

HOST = "127.0.0.1"


class Box:
    """Either kind of PandA; `do` waits for what is to be awaited."""

    def __init__(self, panda: Any, runner: asyncio.Runner | None = None) -> None:
        self.panda, self._runner = panda, runner

    def do(self, result: Any) -> Any:
        if self._runner is None:
            assert not inspect.isawaitable(result)
            return result
        return self._runner.run(result)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module", params=["blocking", "asyncio"])
def box(request: pytest.FixtureRequest, sim: Sim, runner: asyncio.Runner) -> Iterator[Box]:
    if request.param == "blocking":
        with Panda.open(HOST, sim.port, sim.data_port) as panda:
            yield Box(panda)
    else:
        opened = runner.run(AsyncPanda.open(HOST, sim.port, sim.data_port, timeout=10))
        yield Box(opened, runner)
        runner.run(opened.close())


@pytest.fixture
def panda(box: Box) -> Any:
    return box.panda


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PULSE1.DELAY", 2.5, "2.5"),
        ("PULSE1.DELAY", np.float64(0.5), "0.5"),
        ("PULSE1.PULSES", 7, "7"),
        ("PULSE1.TRIG_EDGE", "Falling", "Falling"),
        ("PULSE1.TRIG", "PULSE2.OUT", "PULSE2.OUT"),
        ("PULSE1.TRIG.DELAY", 3, "3"),
        ("PULSE1.DELAY.UNITS", "ms", "ms"),
        ("INENC1.VAL.SCALE", 0.25, "0.25"),
        ("INENC1.VAL.UNITS", "mm", "mm"),
        ("INENC1.VAL.CAPTURE", "Min Max", "Min Max"),
        ("PCAP.BITS0.CAPTURE", "Value", "Value"),
        ("LUT1.FUNC", "A&B", "A&B"),
        ("INENC1.RST_ON_Z", True, "1"),
    ],
)
def test_a_value_goes_there_and_back(box: Box, name: str, value: Any, text: str) -> None:
    box.do(box.panda[name].put(value))
    assert box.do(box.panda.client.send(Get(name))) == text
    got = box.do(box.panda[name].get())
    assert got == value
    assert isinstance(value, type(got))


def test_numbers_of_numpy_are_numbers(box: Box) -> None:
    box.do(box.panda.PULSE1.PULSES.put(np.int64(8)))
    assert box.do(box.panda.PULSE1.PULSES.get()) == 8
    box.do(box.panda.INENC1.RST_ON_Z.put(np.bool_(False)))
    assert box.do(box.panda.INENC1.RST_ON_Z.get()) is False


def test_bits_are_bools(box: Box, sim: Sim) -> None:
    sim.put("*SIM.SET=TTLIN1.VAL=1")
    assert box.do(box.panda.TTLIN1.VAL.get()) is True
    sim.put("*SIM.SET=TTLIN1.VAL=0")
    assert box.do(box.panda.TTLIN1.VAL.get()) is False


def test_an_enum_may_be_given_by_its_index(box: Box) -> None:
    edge = box.panda.PULSE1.TRIG_EDGE
    assert edge.choices == ("Rising", "Falling", "Either")
    box.do(edge.put(2))
    assert box.do(edge.get()) == "Either"


@pytest.mark.parametrize("units", MICROSECONDS)
def test_a_time_in_chosen_units(box: Box, units: str) -> None:
    delay = box.panda.PULSE2.DELAY
    for of_box in MICROSECONDS:
        box.do(delay.UNITS.put(of_box))
        box.do(delay.put(1.6, units))
        assert box.do(delay.get(units)) == pytest.approx(1.6, rel=1e-6)
        in_s = 1.6 * MICROSECONDS[units] / 1e6
        assert box.do(delay.get("s")) == pytest.approx(in_s, rel=1e-6)
        assert box.do(delay.UNITS.get()) == of_box


def test_a_table_is_a_structured_array(box: Box) -> None:
    table = box.panda.SEQ1.TABLE
    rows = table.empty(3)
    rows["REPEATS"] = [1, 2, 3]
    rows["POSITION"] = [-5, 0, 5]
    rows["TRIGGER"] = table.columns["TRIGGER"].labels.index("BITA=1")
    box.do(table.put(rows))
    got = box.do(table.get())
    assert got.dtype == rows.dtype
    assert np.array_equal(got, rows)
    columns = {name: rows[name] for name in rows.dtype.names}
    box.do(table.put({**columns, "TRIGGER": ["Immediate", "BITA=1", "BITA=0"]}))
    assert list(box.do(table.get())["TRIGGER"]) == [0, 2, 1]
    assert box.do(table.LENGTH.get()) == 12
    box.do(table.put(table.empty(0)))
    assert len(box.do(table.get())) == 0


def test_a_streaming_table_is_fed(box: Box) -> None:
    table = box.panda.PGEN1.TABLE
    rows = table.empty(2)
    box.do(table.put(table.empty(0)))
    box.do(table.append(rows))
    box.do(table.append(rows, last=True))
    assert box.do(table.MODE.get())
    box.do(table.put(table.empty(0)))


REFUSED_HERE = {
    "a label": ("PULSE1.TRIG_EDGE", "Up", "'Up' is not one of Rising, Falling, Either"),
    "a label of many": ("PULSE1.TRIG", "PULSE1.OUTT", r"of the \d+ choices, as PULSE1.OUT, "),
    "an index": ("PULSE1.TRIG_EDGE", 3, "3 is not an index of the 3 choices"),
    "units": ("PULSE1.DELAY.UNITS", "h", "'h' is not one of min, s, ms, us"),
    "a capture option": ("INENC1.VAL.CAPTURE", "Min Maxx", "'Maxx' is not one of No, Value, "),
    "a fraction": ("PULSE1.PULSES", 1.5, "1.5 is not a whole number"),
    "another fraction": ("PULSE1.PULSES", np.float32(1.5), "1.5.? is not a whole number"),
    "no end": ("PULSE1.PULSES", Decimal("Infinity"), "cannot be sent"),
    "too much": ("PULSE1.PULSES", 1 << 32, "4294967296 is not in 0..4294967295"),
    "no number": ("PULSE1.DELAY", float("nan"), "nan can ?not be sent"),
    "nothing": ("PULSE1.DELAY", None, "None cannot be sent"),
    "a list": ("PULSE1.PULSES", [1], r"\[1\] cannot be sent"),
    "control characters": ("INENC1.VAL.UNITS", "mm\n*PCAP.ARM=", "a control character"),
    "a read field": ("PCAP.ACTIVE", True, "PCAP.ACTIVE cannot be written"),
    "no value": ("PCAP.BITS0", 1, "PCAP.BITS0 has no value, only attributes: CAPTURE"),
    "no rows": ("SEQ1.TABLE", [1, 2], "give a structured array"),
    "a column missing": ("PGEN1.TABLE", {}, "columns TIME, POSITION are missing|missing"),
    "a column too large": ("PGEN1.TABLE", {"X": [1]}, "missing|has no columns"),
}


@pytest.mark.parametrize("what", REFUSED_HERE)
def test_a_bad_value_is_refused_before_it_is_sent(box: Box, what: str) -> None:
    name, value, message = REFUSED_HERE[what]
    before = box.do(box.panda.client.send(Get("*CAPTURE")))
    with pytest.raises(BadValue, match=message) as raised:
        box.do(box.panda[name].put(value))
    assert name.split(".")[0] in str(raised.value)
    assert box.do(box.panda.client.send(Get("*CAPTURE"))) == before


def test_what_else_can_not_be_done(box: Box) -> None:
    with pytest.raises(BadValue, match=r"INENC1\.SETP cannot be read"):
        box.do(box.panda.INENC1.SETP.get())
    with pytest.raises(BadValue, match="is not a time: it has no units"):
        box.do(box.panda.PULSE1.PULSES.put(1, "s"))
    with pytest.raises(BadValue, match=r"UNITS: 'h' is not one of us, ms, s, min"):
        box.do(box.panda.PULSE1.DELAY.get("h"))
    with pytest.raises(CommandError) as refused:
        box.do(box.panda.PULSE1.DELAY.put(-1))
    assert refused.value.reason
    assert "PutValue(node=PULSE1.DELAY, value=-1, units='')" in repr(refused.value.command)


def test_actions_are_triggered(box: Box) -> None:
    assert box.do(box.panda.SRGATE1.FORCE_SET.trigger()) is None
    assert box.do(box.panda.SRGATE1.FORCE_RST.put(1)) is None
    with pytest.raises(BadValue, match=r"PULSE1\.PULSES is no action"):
        box.panda.PULSE1.PULSES.trigger()


def test_everything_that_can_be_read_is_read(box: Box) -> None:
    """All fields and attributes of the box have a value of the right kind."""
    count = 0
    for block in box.panda.blocks.values():
        for field in block.fields.values():
            for leaf in (field, *field.attributes.values()):
                if "read" in repr(leaf).rpartition(", ")[2]:
                    value = box.do(leaf.get())
                    assert isinstance(value, bool | int | float | str | np.ndarray)
                    assert not leaf.choices or "CAPTURE" in leaf.name or value in leaf.choices
                    count += 1
    assert count > 1000


def test_names_are_found_by_looking(panda: Any) -> None:
    assert {"PULSE1", "SEQ2", "PCAP", "blocks", "client"} <= set(dir(panda))
    assert {"DELAY", "WIDTH", "TRIG", "fields", "description"} <= set(dir(panda.PULSE1))
    assert {"UNITS", "RAW", "INFO", "get", "put"} <= set(dir(panda.PULSE1.DELAY))
    assert all(field.name == f"PULSE1.{name}" for name, field in panda.PULSE1.fields.items())
    assert panda.PULSE1.DELAY.name == "PULSE1.DELAY"
    assert panda.PULSE1.DELAY.type == "time"
    assert panda.PULSE1.description
    assert panda.PULSE1.DELAY.description
    assert panda["PULSE1.DELAY.UNITS"].name == "PULSE1.DELAY.UNITS"
    assert panda["PULSE1"] is panda.PULSE1 is panda.blocks["PULSE1"]


def test_the_tab_key_completes(panda: Any) -> None:
    complete = rlcompleter.Completer({"panda": panda}).complete
    assert [complete("panda.PULSE", n) for n in range(5)] == [
        *(f"panda.PULSE{n}" for n in range(1, 5)),
        None,
    ]
    assert complete("panda.PULSE1.DELAY.UN", 0) == "panda.PULSE1.DELAY.UNITS"


def test_ipython_completes(panda: Any) -> None:
    """Without being told to run code: it trusts plain attributes only."""
    pytest.importorskip("IPython")
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell(user_ns={"panda": panda})
    for text, wanted in (("panda.PULSE1.DEL", "DELAY"), ("panda.PULSE1.DELAY.UN", "UNITS")):
        with provisionalcompleter():
            found = [each.text for each in shell.Completer.completions(text, len(text))]
        assert [each.removeprefix(".") for each in found] == [wanted]


def test_members_are_plain_attributes(panda: Any) -> None:
    """As completion without running code needs them to be."""
    for each in (panda, panda.PULSE1, panda.PULSE1.DELAY):
        assert not hasattr(type(each), "__getattr__")
    assert "PULSE1" in vars(panda)
    assert "DELAY" in vars(panda.PULSE1)
    assert "UNITS" in vars(panda.PULSE1.DELAY)
    assert {"PULSE1", "PULSE1.DELAY"} <= set(panda._ipython_key_completions_())


def test_a_wrong_name_is_told(panda: Any) -> None:
    with pytest.raises(AttributeError) as raised:
        panda.PULSE1.DELY  # noqa: B018
    # For which Python suggests DELAY in a traceback.
    assert (raised.value.name, raised.value.obj) == ("DELY", panda.PULSE1)
    with pytest.raises(KeyError, match=r"PULSE1\.DELY: .* no DELY there; did you mean DELAY"):
        panda["PULSE1.DELY"]
    with pytest.raises(KeyError, match="this PandA has no PULS1"):
        panda["PULS1.DELAY"]
    assert not hasattr(panda.PULSE1, "_nothing")


def test_assignment_is_not_a_put(panda: Any) -> None:
    with pytest.raises(AttributeError, match=r"use \.DELAY\.put\(2\.5\)"):
        panda.PULSE1.DELAY = 2.5
    with pytest.raises(AttributeError, match="cannot be assigned to"):
        panda.NEW = 1


def test_it_can_be_looked_at(panda: Any) -> None:
    assert repr(panda.PULSE1.DELAY) == "<PULSE1.DELAY: time, read and write>"
    assert repr(panda.PULSE1).startswith("<PULSE1: ")
    assert "PandA SW: 4.1" in repr(panda)


def test_a_client_that_is_there_already(sim: Sim) -> None:
    with BlockingClient(HOST, sim.port) as client:
        panda = Panda(client)
        again = Panda(client, panda.device)
        client.send(Put("PULSE3.PULSES", "9"))
        assert again.PULSE3.PULSES.get() == 9
    with pytest.raises(ConnectionLost):
        panda.PULSE3.PULSES.get()


def test_a_table_that_makes_no_sense_leaves_the_rest_alone(
    sim: Sim, caplog: pytest.LogCaptureFixture
) -> None:
    odd = TableFieldInfo("table", None, None, 64, {"X": TableFieldDetails("uint", 16, 40)}, 2)
    fields = {"TABLE": odd, "PULSES": FieldInfo("param", "uint", None)}
    device = make_device(None, {"PULSE": BlockInfo(2)}, {"PULSE": fields})
    with BlockingClient(HOST, sim.port) as client:
        panda = Panda(client, device)
        with pytest.raises(BadValue, match=r"PULSE1\.TABLE has no value of one line"):
            panda.PULSE1.TABLE.put("1")
        panda.PULSE1.PULSES.put(4)
        assert panda.PULSE1.PULSES.get() == 4
    assert "PULSE1.TABLE column X: bits 40:16 do not lie in one" in caplog.text


def test_a_time_in_units_that_are_none() -> None:
    info = SubtypeTimeFieldInfo("param", "time", None, [])
    device = make_device(None, {"A": BlockInfo(1)}, {"A": {"T": info}})
    node = field_node(device, device.fields["A.T"])
    box = {"A.T?": "OK =1", "A.T.UNITS?": "OK =h"}
    for command in (GetValue(node, "s"), PutValue(node, 1, "s")):
        error = ask(command, box)
        assert isinstance(error, CommandError)
        assert "A.T.UNITS? -> OK =h: expected one of us, ms, s, min" in str(error)
    with pytest.raises(BadValue, match=r"A\.T is not a table"):
        put_table(node, {})


async def test_a_panda_is_closed_in_the_end(sim: Sim) -> None:
    async with await AsyncPanda.open(HOST, sim.port) as panda:
        assert await panda["PULSE1"].PULSES.get() >= 0
    with pytest.raises(ConnectionLost):
        await panda["PULSE1"].PULSES.get()


async def test_a_box_that_does_not_say_what_it_is_is_left() -> None:
    no_blocks, words = b"ERR No\n", r"\*BLOCKS\? -> ERR No"
    with FaultyBox(no_blocks) as box, pytest.raises(CommandError, match=words):
        Panda.open(HOST, box.port)
    with FaultyBox(no_blocks) as box, pytest.raises(CommandError, match=words):
        await AsyncPanda.open(HOST, box.port)


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLost, match="cannot connect"):
        Panda.open(HOST, 1)


@pytest.mark.parametrize("lines", [["AAA"], ["AAAA"], ["****"]])
def test_base64_that_is_none(lines: list[str]) -> None:
    with pytest.raises(ProtocolError, match=r"SEQ1\.TABLE\.B: not the base64"):
        words_from_base64("SEQ1.TABLE", lines)
