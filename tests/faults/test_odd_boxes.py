"""Boxes that say odd things of themselves: the bridge waits for a sensible answer, or serves it."""

from typing import Any

import proxy as faults
import pytest
from proxy import Proxy
from scene import Seen

from support.servers import Ioc, Sim, Starter

INVALID, READ = 3, 1

# Replies of introspection in which the first is replaced by the second.
NAMES: dict[str, tuple[bytes, bytes]] = {
    "a quote in a field": (b"!TERM ", b'!TE"RM '),
    "a tab in a field": (b"!TERM ", b"!TE\tRM "),
    "a macro for a field": (b"!TERM ", b"!$(TERM) "),
    "an endless field": (b"!TERM ", b"!" + b"X" * 200 + b" "),
    "a quote in a block": (b"!TTLIN 6", b'!TT"LIN 6'),
    "millions of instances": (b"!TTLIN 6", b"!TTLIN 60000000"),
    "no instance": (b"!TTLIN 6", b"!TTLIN 0"),
}
# Texts that a database would expand, or cannot hold, and one name for two fields.
TEXTS = (
    (b"!50-Ohm", b'!50"\\$(P)${X}'),
    (b"!SSI", b"!S\x01\x7f\x1bI"),
    (b"!BISS", b"!B\xff\xfeSS"),
    (b"Termination of", b'"}\\" $(A) \x02 of'),
    (b"!LSB_DISCARD ", b"!MSB_DISCARD "),
)


def replaced(*pairs: tuple[bytes, bytes]) -> faults.Rule:
    def rule(link: faults.Link, data: bytes) -> tuple[bytes]:
        for old, new in pairs:
            data = data.replace(old, new)
        return (data,)

    return rule


@pytest.mark.parametrize("name", NAMES)
async def test_names_that_no_panda_has_are_not_served(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, name: str
) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        proxy.control.down = replaced(NAMES[name])
        ioc = start_ioc(proxy.address, ready="waiting for the PandA: ")
        proxy.heal()
        ioc.wait_for("connection: .*: connected")
        assert await ca.caget(ioc.pv("TTLIN1:TERM"), datatype=str) == "High-Z"
        assert "Traceback" not in ioc.text()
        ioc.stop()


async def test_texts_of_any_kind_are_served(sim: Sim, start_ioc: Starter[Ioc], ca: Any) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        proxy.control.down = replaced(*TEXTS)
        ioc = start_ioc(proxy.address)
        assert await ca.caget(ioc.pv("STATUS"), datatype=str) == "CONNECTED"
        assert await ca.caget(ioc.pv("INENC1:PROTOCOL"), datatype=str) == "Quadrature"
        assert "$" not in await ca.caget(ioc.pv("TTLIN1:TERM.ONST"))
        assert "Traceback" not in ioc.text()
        assert "Error (" not in ioc.text()  # of the EPICS database
        ioc.stop()


async def test_a_table_that_the_box_will_not_tell_is_in_alarm_until_it_does(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        ioc = start_ioc(proxy.address)
        with Seen(ca, ioc.pv("SEQ1:TABLE:REPEATS")) as repeats:
            proxy.control.up = replaced((b"SEQ1.TABLE.B?", b"SEQ1.TABLE.NONE?"))
            sim.put("SEQ1.TABLE<\n7\n0\n1\n1\n")
            await repeats.until(lambda update: (update.severity, update.status) == (INVALID, READ))
            assert await ca.caget(ioc.pv("STATUS"), datatype=str) == "CONNECTED"
            assert await ca.caget(ioc.pv("IOC:RECONNECTS")) == 0
            proxy.heal()
            sim.put("SEQ1.TABLE<\n8\n0\n1\n1\n")
            shown = await repeats.until(lambda update: list(update) == [8])
            assert shown.severity == 0
        ioc.stop()
