"""Boxes that say odd things of themselves: the bridge waits for a sensible answer, or serves it."""

from typing import Any

import proxy as faults
import pytest
from proxy import Proxy

from servers import Ioc, Sim, Starter

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
TEXTS: dict[str, tuple[bytes, bytes]] = {
    "a label with a macro": (b"!50-Ohm", b'!50"\\$(P)${X}'),
    "a label with control characters": (b"!50-Ohm", b"!50\x01\x7f\x1bOhm"),
    "a label that is no UTF-8": (b"!50-Ohm", b"!50\xff\xfeOhm"),
    "a description with quotes": (b"Termination of", b'"}\\" $(A) \x02 of'),
    "one name for two fields": (b"!TERM ", b"!VAL "),
}


def replaced(old: bytes, new: bytes) -> faults.Rule:
    return lambda link, data: (data.replace(old, new),)


@pytest.mark.parametrize("name", NAMES)
async def test_names_that_no_panda_has_are_not_served(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, name: str
) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        proxy.control.down = replaced(*NAMES[name])
        ioc = start_ioc(proxy.address, ready="waiting for the PandA: ")
        proxy.heal()
        ioc.wait_for("connection: .*: connected")
        assert await ca.caget(ioc.pv("TTLIN1:TERM"), datatype=str) == "High-Z"
        assert "Traceback" not in ioc.text()
        ioc.stop()


@pytest.mark.parametrize("name", TEXTS)
async def test_texts_of_any_kind_are_served(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any, name: str
) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        proxy.control.down = replaced(*TEXTS[name])
        ioc = start_ioc(proxy.address)
        assert await ca.caget(ioc.pv("STATUS"), datatype=str) == "CONNECTED"
        assert await ca.caput(ioc.pv("TTLIN2:TERM"), 1, wait=True, throw=False) is not None
        assert "Traceback" not in ioc.text()
        assert "Error (" not in ioc.text()
        ioc.stop()
