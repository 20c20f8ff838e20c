"""The helpers of system tests themselves: real clients reach the bridges that were started."""

import os
from typing import Any

from support.servers import Ioc, Sim, Starter


async def test_ca_and_pva_clients_reach_the_module_s_bridge(ioc: Ioc, ca: Any, pva: Any) -> None:
    assert await ca.caget(ioc.pv("STATUS"), datatype=str) == "CONNECTED"
    assert pva.get(ioc.pv("STATUS")).value.index == await ca.caget(ioc.pv("STATUS"))


async def test_several_bridges_at_a_time_are_told_apart(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], ca: Any, pva: Any
) -> None:
    bridges = []
    for delay in ("1", "2"):
        sim = start_sim()
        sim.put("PULSE1.DELAY.UNITS=s", f"PULSE1.DELAY={delay}")
        bridges.append(start_ioc(sim.address))
    names = [bridge.pv("PULSE1:DELAY") for bridge in bridges]
    assert await ca.caget(names) == [1, 2]
    assert [value.value for value in pva.get(names)] == [1, 2]


async def test_a_bridge_may_start_again_under_the_same_name(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    first = start_ioc(sim.address)
    assert await ca.caget(first.pv("STATUS"), datatype=str) == "CONNECTED"
    assert first.stop() == 0
    ca.purge_channel_caches()  # channels that were lost are searched for again only slowly
    again = start_ioc(sim.address, prefix=first.prefix)
    assert await ca.caget(again.pv("STATUS"), datatype=str) == "CONNECTED"


def test_nothing_is_searched_beyond_loopback() -> None:
    for protocol in ("CA", "PVA"):
        assert os.environ[f"EPICS_{protocol}_AUTO_ADDR_LIST"] == "NO"
        addresses = os.environ[f"EPICS_{protocol}_ADDR_LIST"].split()
        assert {address.split(":")[0] for address in addresses} == {"127.0.0.1"}
