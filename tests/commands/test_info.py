"""`panda-ioc info`: what is printed about a simulated PandA, and databases that EPICS can load."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.client.panda import Panda
from panda_ioc.commands.info import Info, PcapInfo, _text
from panda_ioc.sim.application import PACKAGED
from support.servers import PROGRAM, EpicsPorts, Sim, Starter

LOAD = """
import ctypes, os, sys
from softioc import imports, softioc
ctypes.c_int.in_dll(imports.dbCore, "dbThreadRealtimeLock").value = 0
softioc.dbLoadDatabase(sys.argv[1], None, sys.argv[2])
imports.iocInit()
for name in sys.argv[3:]:
    softioc.dbgf(name)
sys.stdout.flush()
softioc.dbl()
ctypes.CDLL(None).fflush(None)  # what C has printed
os._exit(0)
"""


def info(sim: Sim, *options: str) -> str:
    command = [*PROGRAM, "info", sim.address, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def loaded(sim: Sim, tmp_path_factory: pytest.TempPathFactory, epics_ports: EpicsPorts) -> str:
    """What EPICS says of the database with a prefix given as a macro."""
    text = tmp_path_factory.mktemp("db") / "panda.db"
    text.write_text(info(sim, "--db"))
    return load(text, epics_ports, "P=LONGER-THAN-A-MACRO", SHOWN)


SHOWN = ["PVI:DESCRIPTION", "SEQ1:TABLE:PV", "PULSE1:TRIG_EDGE.TWST", "POSITIONS:0:NAME"]


def load(text: Path, ports: EpicsPorts, macros: str, names: list[str]) -> str:
    prefix = macros.removeprefix("P=")
    arguments = [str(text), macros, *(f"{prefix}:{name}" for name in names)]
    with ports.slot() as slot:
        done = subprocess.run(
            [sys.executable, "-c", LOAD, *arguments],
            env={**os.environ, **ports.server(slot)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_epics_loads_the_database(loaded: str) -> None:
    before, _, _ = loaded.partition("iocRun: All initialization complete")
    assert "rror" not in before, before
    assert "arning" not in before
    assert '"LONGER-THAN-A-MACRO:SEQ1:TABLE"' in loaded.replace('" +  \n"', "")
    assert '"Either"' in loaded
    assert "PandA SW: 4.1" in loaded


def test_the_database_has_the_names_of_the_list(sim: Sim, loaded: str) -> None:
    lines = info(sim, "--records", "LONGER-THAN-A-MACRO").splitlines()
    names = {name for name, kind in (line.split("\t") for line in lines) if kind != "structure"}
    assert len(names) > 1800
    assert names == {
        line for line in loaded.splitlines() if line.startswith("LONGER-") and line in names
    }


def test_what_run_serves_is_what_the_list_says(sim: Sim, start_ioc: Starter[Any]) -> None:
    ioc = start_ioc(sim.address)
    pvs = json.loads(info(sim, "--records", ioc.prefix, "--json"))
    records = [pv for pv in pvs if pv["type"] != "structure"]
    unique = [pv for pv in records if not pv["alias_of"]]
    assert f"{len(unique)} records, {len(records)} names" in ioc.text()
    by_name = {pv["name"]: pv for pv in pvs}
    assert by_name[ioc.pv("PULSE1:DELAY")] == {
        "name": ioc.pv("PULSE1:DELAY"),
        "type": "ao",
        "alias_of": None,
        "writable": True,
        "wire": "PULSE1.DELAY",
        "description": by_name[ioc.pv("PULSE1:DELAY")]["description"],
    }
    assert by_name[ioc.pv("PULSE1:PVI")]["type"] == "structure"


def test_json_says_what_the_box_says(start_sim: Starter[Sim]) -> None:
    sim = start_sim("--no-alive")
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Min Max", "*SIM.ERROR=SYSTEM.TEMP_ZYNQ")
    found = json.loads(info(sim, "--json"))
    assert found["software"] == "4.1"
    assert found["in_error"] == ["SYSTEM.TEMP_ZYNQ"]
    assert found["capture"] == {
        "fields": ["COUNTER1.OUT Min Max"],
        "state": "Idle",
        "data_clients": 0,
        "taking": 0,
        "captured": 0,
        "completion": found["capture"]["completion"],
    }
    counts = {block["name"]: block["count"] for block in found["blocks"]}
    assert dict(line.split() for line in blocks(sim)) == {n: str(c) for n, c in counts.items()}


def blocks(sim: Sim) -> list[str]:
    return [line[1:] for line in sim.ask("*BLOCKS?")[:-1]]


def test_who_is_connected_to_the_data_port(sim: Sim) -> None:
    with Panda.open("127.0.0.1", sim.port, sim.data_port) as panda:
        stream = panda.client.data()
        next(stream)  # type: ignore[call-overload]
        assert json.loads(info(sim, "--json"))["capture"]["data_clients"] == 1
        text = info(sim)
        assert "data port   1 connected, 0 taking data" in text
        assert re.search(r"\nconnected   \S+Z \w+ 127", text)
        assert len(re.findall(r"\S+Z data 127\.0\.0\.1:\d+\n", text)) == 1
        assert len(re.findall(r"\S+Z config 127\.0\.0\.1:\d+\n", text)) == 2


def test_who_is_connected_to_a_server_that_does_not_tell() -> None:
    silent = PcapInfo([], None, None, None, None, None)
    lines = list(_text(Info("panda:8888", "4.1", "3", "2", [], [], [], [], silent)))
    assert lines[7] == "connected   unknown"


def test_text_is_for_people(start_sim: Starter[Sim], tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    shutil.copytree(PACKAGED, odd)
    config = (odd / "config").read_text()
    (odd / "config").write_text(
        config.replace("    DROPPED             read\n", "    DROPPED  read odd\n")
    )
    sim = start_sim("--unknown-types", config_dir=odd)
    sim.put("*SIM.ERROR=SYSTEM.TEMP_ZYNQ", "*CAPTURE=")
    lines = info(sim).splitlines()
    assert lines[1] == "software    4.1"
    assert "captured    nothing" in lines
    assert "in error    SYSTEM.TEMP_ZYNQ" in lines
    assert "unknown     PULSE1.DROPPED" in lines
    assert any(line.startswith("    4 PULSE") for line in lines)


def test_an_acquisition_that_goes_on_has_not_ended(start_sim: Starter[Sim]) -> None:
    sim = start_sim("--no-alive")
    sim.put("COUNTER1.OUT.CAPTURE=Value", "*PCAP.ARM=")
    assert "PCAP        Busy" in info(sim).splitlines()


def test_what_the_box_would_not_say_is_unknown() -> None:
    silent = PcapInfo([], None, None, None, None, None)
    lines = list(_text(Info("box:8888", "4.1", "3", "2", [], [], [], [], silent)))
    assert lines[4:7] == [
        "PCAP        unknown; the last acquisition ended: unknown",
        "samples     unknown",
        "data port   unknown connected, unknown taking data",
    ]


def test_nobody_there() -> None:
    command = [*PROGRAM, "info", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "127.0.0.1:1: cannot connect" in done.stderr
