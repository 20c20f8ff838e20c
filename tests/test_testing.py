"""What `panda_ioc.testing` gives to tests: ready, apart from others, and gone afterwards."""

import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from panda_ioc.testing import (
    BridgeProcess,
    PandaProcess,
    ServerFailed,
    epics_ports,
    served_panda,
    simulated_panda,
)


@pytest.fixture(scope="module")
def panda_layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout") / "layout"
    path.write_text("PULSE1.PULSES=7\n")
    return path


async def test_clients_of_this_process_find_what_is_served(
    simulated_panda: PandaProcess, served_panda: BridgeProcess, ca: Any, pva: Any
) -> None:
    assert await ca.caget(served_panda.pv("PULSE1:PULSES")) == 7
    assert pva.get(served_panda.pv("PULSE1:PULSES")).value == 7
    await ca.caput(served_panda.pv("PULSE1:PULSES"), 8, wait=True)
    assert simulated_panda.get("PULSE1.PULSES") == "8"


def test_inputs_are_moved(simulated_panda: PandaProcess) -> None:
    simulated_panda.set_input("TTLIN1.VAL", 1)
    simulated_panda.move("INENC1", "hold:42,1s", start="TTLIN1.VAL")
    assert simulated_panda.get("TTLIN1.VAL") == "1"
    assert simulated_panda.get("INENC1.VAL") == "42"
    with pytest.raises(ServerFailed, match="not a field"):
        simulated_panda.set_input("TTLIN99.VAL", 1)
    with pytest.raises(ServerFailed, match="NOTHING"):
        simulated_panda.get("NOTHING.HERE")


def test_two_are_served_at_a_time_and_nothing_is_left(pva: Any) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with (
        simulated_panda() as panda,
        served_panda(panda) as one,
        simulated_panda() as other_panda,
        served_panda(other_panda, prefix=f"{one.prefix}-B") as other,
    ):
        panda.put("PULSE1.PULSES=3")
        other_panda.put("PULSE1.PULSES=4")
        assert panda.get("PULSE1.PULSES") == "3"
        assert pva.get(other.pv("STATUS")) is not None
        pids = [server.process.pid for server in (panda, one, other_panda, other)]
        listening = [
            each.laddr.ip
            for pid in pids
            for each in psutil.Process(pid).net_connections()
            if each.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}
    assert [server.process.returncode for server in (one, other)] == [0, 0]
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((panda.host, panda.port), 1)


def test_the_environment_is_chosen_once() -> None:
    assert epics_ports() is epics_ports()
    assert epics_ports().client.items() <= os.environ.items()


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="No such file"),
        simulated_panda(layout=tmp_path / "missing"),
    ):
        pass
