"""The programs of EPICS base that operators type: what they print and exit with."""

import subprocess

import pytest

from support.epics_base import PROGRAMS
from support.servers import EpicsPorts, Ioc, Sim


class Tools:
    """Runs the programs.

    Those of PVA are told where this bridge is: on loopback, a search at a port that nobody listens
    to keeps the pvAccess of EPICS base from searching at the next one.
    """

    def __init__(self, ports: EpicsPorts, ioc: Ioc) -> None:
        port = ioc.environment["EPICS_PVAS_BROADCAST_PORT"]
        self.environment = {**ports.client, "EPICS_PVA_ADDR_LIST": f"127.0.0.1:{port}"}

    def __call__(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAMS / name, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def good(self, name: str, *arguments: str) -> str:
        """What a run that must succeed prints."""
        done = self(name, *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def tools(epics_ports: EpicsPorts, ioc: Ioc) -> Tools:
    return Tools(epics_ports, ioc)


def test_a_put_that_waits_is_done_when_the_panda_has_it(tools: Tools, sim: Sim, ioc: Ioc) -> None:
    pv = ioc.pv("PULSE1:DELAY")
    for value in ("2.5", "0.75"):
        assert f"New : {pv}" in tools.good("caput", "-c", "-w", "10", pv, value)
        assert sim.ask("PULSE1.DELAY?") == [f"OK ={value}"]
        assert tools.good("caget", "-t", "-w", "10", pv).split() == [value]
    tools.good("pvput", "-w", "10", "-r", "record[block=true]", pv, "1.25")
    assert sim.ask("PULSE1.DELAY?") == ["OK =1.25"]
    assert "1.25" in tools.good("pvget", "-w", "10", pv)


@pytest.mark.parametrize(
    "put", [("caput", "-c", "-w", "10"), ("pvput", "-w", "10", "-r", "record[block=true]")]
)
def test_a_refused_put_fails_the_program(
    tools: Tools, sim: Sim, ioc: Ioc, put: tuple[str, ...]
) -> None:
    sim.put("PULSE1.WIDTH=3")
    done = tools(*put, ioc.pv("PULSE1:WIDTH"), "-4")
    assert done.returncode != 0, done.stdout
    assert "rror" in done.stdout.lower()
    assert sim.ask("PULSE1.WIDTH?") == ["OK =3"]
    assert "Time setting out of range" in tools.good("caget", "-S", "-w", "10", ioc.pv("ERROR"))


def test_types_are_told(tools: Tools, ioc: Ioc) -> None:
    told = tools.good("cainfo", "-w", "10", ioc.pv("PULSE1:DELAY"))
    assert "Native data type: DBF_DOUBLE" in told
    assert "read, write" in told
    assert "epics:nt/NTTable:1.0" in tools.good("pvinfo", "-w", "10", ioc.pv("SEQ1:TABLE"))


@pytest.mark.parametrize("program", ["camonitor", "pvmonitor"])
def test_monitors_follow_what_others_change(tools: Tools, sim: Sim, ioc: Ioc, program: str) -> None:
    sim.put("PULSE1.PULSES=1")
    with subprocess.Popen(
        [PROGRAMS / program, ioc.pv("PULSE1:PULSES")],
        env=tools.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        said: list[str] = []
        lines = (said.append(line) or line.split() for line in process.stdout)
        try:
            for value in ("17", "18"):
                sim.put(f"PULSE1.PULSES={value}")
                assert any(value in words for words in lines), said
        finally:
            process.kill()
