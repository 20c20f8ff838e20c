"""Boxes that go, come back, come back as another one, or are not there to begin with."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from proxy import Proxy
from scene import RECOVERY, Seen

from panda_ioc.device import cache
from panda_ioc.device.model import Block, Device, Field
from panda_ioc.protocol.responses import FieldInfo
from panda_ioc.sim.application import PACKAGED
from support.servers import Ioc, Server, Sim, Starter, free_ports
from support.truth import COMM, INVALID, Truth

StartSim, StartIoc = Starter[Sim], Starter[Ioc]
EXIT_DIFFERENT = 3


@pytest.fixture
def ports() -> tuple[int, int]:
    """Where the boxes of one test are, one after the other: control and data."""
    control, data = free_ports(2)
    return control, data


@pytest.fixture
def other_box(tmp_path: Path) -> Path:
    """The packaged application with another block and another choice."""
    path = tmp_path / "other_box"
    shutil.copytree(PACKAGED, path)
    append(path / "config", "\nGADGET[2]\n    SIZE                param uint\n")
    append(path / "registers", "\nGADGET              200\n    SIZE                0\n")
    config = (path / "config").read_text()
    (path / "config").write_text(config.replace("50-Ohm", "50 Ohm", 1))
    return path


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def address(ports: tuple[int, int]) -> str:
    return f"127.0.0.1:{ports[0]}:{ports[1]}"


async def shows(ca: Any, ioc: Ioc, name: str, value: object) -> None:
    """Wait until a new client sees this value without alarm."""
    deadline = time.monotonic() + RECOVERY
    while True:
        kind = str if isinstance(value, str) else None
        got = await ca.caget(
            ioc.pv(name), format=ca.FORMAT_TIME, datatype=kind, timeout=2, throw=False
        )
        if got.ok and got == value and got.severity == 0:
            return
        assert time.monotonic() < deadline, f"{name}: {got!r}, not {value!r}\n{ioc.text()}"
        await asyncio.sleep(0.05)


async def is_absent(ca: Any, ioc: Ioc, name: str) -> bool:
    return not (await ca.caget(ioc.pv(name), timeout=0.7, throw=False)).ok


def warnings(ioc: Ioc) -> list[str]:
    """Its lines that warn, apart from those about what is too long for EPICS."""
    lines = re.findall(r".* (?:WARNING|ERROR) .*|.*Traceback.*", ioc.text())
    return [line for line in lines if " panda_ioc.records" not in line]


@pytest.mark.parametrize("end", [Sim.stop, Sim.kill], ids=["stopped", "killed"])
async def test_a_box_that_starts_again_is_shown_as_it_is_now(
    start_sim: StartSim,
    start_ioc: StartIoc,
    ports: tuple[int, int],
    ca: Any,
    end: Callable[..., Any],
) -> None:
    first = start_sim(port=ports[0], data_port=ports[1])
    first.put("PULSE1.DELAY.UNITS=s", "PULSE1.DELAY=3", "SEQ1.REPEATS=5", "TTLOUT2.VAL=ONE")
    ioc = start_ioc(address(ports))
    await shows(ca, ioc, "PULSE1:DELAY", 3)
    with Seen(ca, ioc.pv("PULSE1:DELAY")) as delay:
        await delay.until(lambda value: value == 3)
        end(first)
        await delay.lost()
        assert not (await ca.caput(ioc.pv("PULSE1:DELAY"), 9, wait=True, throw=False)).ok
        second = start_sim(port=ports[0], data_port=ports[1])
        await shows(ca, ioc, "STATUS", "CONNECTED")
        await shows(ca, ioc, "PULSE1:DELAY", 0)  # as after power up
        assert {float(value) for value in delay.values()} == {3, 0}
    await shows(ca, ioc, "SEQ1:REPEATS", 0)
    second.put("*SIM.ALIVE=0")
    await asyncio.sleep(0.3)
    assert await (await Truth.of(second, ioc)).differences(ca) == []
    second.put("*SIM.ALIVE=1", "*SIM.RATE=1000", "*SIM.SAMPLES=100")
    await shows(ca, ioc, "DATA:LIVE:STATE", "Waiting for an acquisition")
    second.put("*PCAP.ARM=")
    await shows(ca, ioc, "DATA:LIVE:STATE", "Ended: Ok")
    await shows(ca, ioc, "DATA:LIVE:RECEIVED", 100)
    assert len(warnings(ioc)) <= 8, warnings(ioc)


async def test_another_box_is_served_by_a_process_begun_anew(
    start_sim: StartSim, start_ioc: StartIoc, ports: tuple[int, int], other_box: Path, ca: Any
) -> None:
    sim = start_sim(port=ports[0], data_port=ports[1])
    ioc = start_ioc(address(ports))
    await shows(ca, ioc, "TTLIN1:TERM", "High-Z")
    assert await is_absent(ca, ioc, "GADGET1:SIZE")
    with Seen(ca, ioc.pv("TTLIN1:TERM"), datatype=str) as term:
        await term.until(lambda text: text == "High-Z")
        sim.stop()
        other = start_sim(config_dir=other_box, port=ports[0], data_port=ports[1])
        other.put("GADGET2.SIZE=12", "TTLIN1.TERM=50 Ohm")
        await shows(ca, ioc, "GADGET2:SIZE", 12)
        await term.until(lambda text: text == "50 Ohm")  # the same client, connected again
        assert {str(text) for text in term.values()} <= {"High-Z", "50 Ohm"}
    assert ioc.process.poll() is None
    assert len(re.findall("a different PandA answers", ioc.text())) == 1
    assert ioc.stop() == 0


async def test_another_box_ends_the_bridge_if_asked_to(
    start_sim: StartSim, start_ioc: StartIoc, ports: tuple[int, int], other_box: Path, ca: Any
) -> None:
    sim = start_sim(port=ports[0], data_port=ports[1])
    ioc = start_ioc(address(ports), "--exit-if-different")
    await shows(ca, ioc, "STATUS", "CONNECTED")
    with Seen(ca, ioc.pv("TTLIN1:TERM"), datatype=str) as term:
        sim.stop()
        start_sim(config_dir=other_box, port=ports[0], data_port=ports[1])
        assert await asyncio.to_thread(ioc.process.wait, RECOVERY) == EXIT_DIFFERENT
        assert "50 Ohm" not in [str(text) for text in term.updates]
    assert "different PandA" in ioc.text()
    assert "Traceback" not in ioc.text()


async def test_without_a_cache_the_bridge_waits_and_says_so(
    start_sim: StartSim, start_ioc: StartIoc, ports: tuple[int, int], ca: Any
) -> None:
    ioc = start_ioc(address(ports), ready="waiting for the PandA")
    await asyncio.sleep(2)
    assert len(warnings(ioc)) == 1, warnings(ioc)
    assert ioc.process.poll() is None
    sim = start_sim(port=ports[0], data_port=ports[1])
    sim.put("SEQ1.REPEATS=8")
    await shows(ca, ioc, "SEQ1:REPEATS", 8)


async def test_with_a_cache_records_are_served_while_the_box_is_off(
    start_sim: StartSim, start_ioc: StartIoc, ports: tuple[int, int], tmp_path: Path, ca: Any
) -> None:
    cache = tmp_path / "panda.json"
    sim = start_sim(port=ports[0], data_port=ports[1])
    first = start_ioc(address(ports), "--cache", str(cache))
    truth = await Truth.of(sim, first)
    await shows(ca, first, "STATUS", "CONNECTED")
    first.stop()
    sim.stop()
    served = [name.removeprefix(first.prefix) for name in truth.names]

    ioc = start_ioc(address(ports), "--cache", str(cache), ready="serving")
    names = [f"{ioc.prefix}{name}" for name in served]
    values = await ca.caget(names, format=ca.FORMAT_TIME, timeout=20)
    assert len(values) > 500
    assert [v.name for v in values if (v.severity, v.status) != (INVALID, COMM)] == []
    status = await ca.caget(ioc.pv("STATUS"), format=ca.FORMAT_TIME)
    assert (status, status.severity) == (0, 2)
    assert not (await ca.caput(ioc.pv("SEQ1:REPEATS"), 1, wait=True, throw=False)).ok
    sim = start_sim(port=ports[0], data_port=ports[1])
    sim.put("SEQ1.REPEATS=8")
    await shows(ca, ioc, "SEQ1:REPEATS", 8)
    await shows(ca, ioc, "STATUS", "CONNECTED")
    sim.put("*SIM.ALIVE=0")
    await asyncio.sleep(0.3)
    assert await (await Truth.of(sim, ioc)).differences(ca) == []


async def test_a_cache_of_another_box_is_noticed_and_replaced(
    start_sim: StartSim,
    start_ioc: StartIoc,
    ports: tuple[int, int],
    other_box: Path,
    tmp_path: Path,
    ca: Any,
) -> None:
    cache = ("--cache", str(tmp_path / "panda.json"))
    sim = start_sim(port=ports[0], data_port=ports[1])
    start_ioc(address(ports), *cache).stop()
    sim.stop()
    ioc = start_ioc(address(ports), *cache, ready="serving")
    assert await is_absent(ca, ioc, "GADGET1:SIZE")
    other = start_sim(config_dir=other_box, port=ports[0], data_port=ports[1])
    await shows(ca, ioc, "GADGET1:SIZE", 0)
    other.stop()
    ioc.stop()
    ioc = start_ioc(address(ports), *cache, ready="serving")
    assert not await is_absent(ca, ioc, "GADGET1:SIZE")


GOOD = Device(None, ())
CACHES = {
    "empty": b"",
    "of another kind": b"{}",
    "of another version": b'{"format": 1, "device": {"class": "Device"}}',
    "not text": b"\xff",
    "edited": cache.dump(GOOD).replace("null", "5", 1).encode(),
    "of a name that no record has": cache.dump(
        replace(
            GOOD,
            blocks=(
                Block(
                    'A"B',
                    'A"B',
                    None,
                    None,
                    (Field('A"B.C{}', "C{}", FieldInfo("param", "uint", None)),),
                ),
            ),
        )
    ).encode(),
    "of wrong types": cache.dump(replace(GOOD, blocks=(5, "x"))).encode(),  # type: ignore[arg-type]
    "of a field that is none": cache.dump(
        replace(GOOD, blocks=(Block("A", "A", None, None, ("x",)),))  # type: ignore[arg-type]
    ).encode(),
}


@pytest.mark.parametrize("name", CACHES)
async def test_a_cache_of_no_use_is_set_aside_and_done_without(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any, name: str
) -> None:
    kept = tmp_path / "panda.json"
    kept.write_bytes(CACHES[name])
    ioc = start_ioc(sim.address, "--cache", str(kept))
    await shows(ca, ioc, "STATUS", "CONNECTED")
    await shows(ca, ioc, "SEQ1:REPEATS", int(sim.ask("SEQ1.REPEATS?")[0].removeprefix("OK =")))
    (line,) = warnings(ioc)
    assert f"ignoring cache {kept}, renamed to panda.json.damaged: " in line
    assert kept.with_name("panda.json.damaged").read_bytes() == CACHES[name]
    assert "different" not in ioc.text()
    assert len(cache.load(kept.read_text()).fields) > 500
    ioc.stop()
    again = start_ioc(sim.address, "--cache", str(kept))
    assert warnings(again) == []


async def test_a_cache_that_cannot_be_written_or_read_ends_nothing(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any
) -> None:
    kept = tmp_path / "panda.json"
    kept.mkdir()
    (kept / "file").touch()
    ioc = start_ioc(sim.address, "--cache", str(kept))
    await shows(ca, ioc, "STATUS", "CONNECTED")
    assert "Traceback" not in ioc.text()


async def test_silence_is_noticed_in_seconds_with_the_default_options(
    sim: Sim, start_ioc: StartIoc, ca: Any
) -> None:
    with Proxy((sim.host, sim.port), (sim.host, sim.data_port)) as proxy:
        ioc = start_ioc(proxy.address)
        with Seen(ca, ioc.pv("SEQ1:REPEATS")) as repeats, Seen(ca, ioc.pv("STATUS")) as status:
            await repeats.until(lambda value: value.severity == 0)
            started = time.monotonic()
            proxy.control.hold()
            await repeats.lost()
            await status.until(lambda value: value == 0)
            print(f"noticed after {time.monotonic() - started:.1f} s")
            proxy.heal()
            await repeats.until(lambda value: value.severity == 0, len(repeats.updates))
        ioc.stop()


async def test_settings_of_the_bridge_survive_and_those_that_are_damaged_do_not_matter(
    sim: Sim, start_ioc: StartIoc, tmp_path: Path, ca: Any
) -> None:
    options = ("--autosave-dir", str(tmp_path))
    ioc = start_ioc(sim.address, *options)
    await ca.caput(ioc.pv("DATA:LIVE:LENGTH"), 77, wait=True)
    assert ioc.stop() == 0
    saved = tmp_path / f"{ioc.prefix}.softsav"
    assert "77" in saved.read_text()
    ca.purge_channel_caches()
    again = start_ioc(sim.address, *options, prefix=ioc.prefix)
    await shows(ca, again, "DATA:LIVE:LENGTH", 77)
    again.stop()
    ca.purge_channel_caches()

    saved.write_text("{{{ not: [yaml")
    third = start_ioc(sim.address, *options, prefix=ioc.prefix)
    await shows(ca, third, "DATA:LIVE:LENGTH", 1000)
    assert [saved.name in line for line in warnings(third)] == [True]


async def test_a_log_in_json_is_json_in_every_line_of_ours(
    start_sim: StartSim, start_ioc: StartIoc, ca: Any
) -> None:
    sim = start_sim()
    ioc = start_ioc(sim.address, "--log-format", "json", ready='"message": ".*connected"')
    await ca.caput(ioc.pv("SEQ1:PRESCALE"), -1, wait=True, throw=False)
    sim.stop()
    await asyncio.to_thread(Server.wait_for, ioc, "SEQ1:PRESCALE")
    await asyncio.to_thread(Server.wait_for, ioc, "closed|reset|refused")
    ioc.stop()
    lines = [line for line in ioc.text().splitlines() if "panda_ioc" in line]
    assert len(lines) >= 4
    for line in lines:
        assert {"time", "level", "logger", "message"} <= json.loads(line).keys()
