"""Prefixes of all kinds, end to end: CA, PVA, PVI, screens, lists, autosave, statistics."""

import random
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ophyd_async.core import StaticPathProvider, UUIDFilenameProvider
from ophyd_async.fastcs.panda import HDFPanda

from panda_ioc.ioc.parts.autosave import file_name
from panda_ioc.records.names import FORBIDDEN
from support.servers import PROGRAM, Ioc, Sim, Starter, random_prefix

SEED = random.randrange(2**32)
RANDOM = random.Random(SEED)
ANY = [c for c in map(chr, range(33, 0x17F)) if c.isprintable() and c not in FORBIDDEN]
PREFIXES = (
    "XF:27ID1-ES{PANDA:1}",
    "/%,=<&>;(1)`|~^*!?[@]#",
    "A\\B\\",
    "".join(RANDOM.choices(ANY, k=12)).strip(":-#@") or "P",
)


def served(start: Starter[Ioc], sim: Sim, directory: Path, prefix: str) -> Ioc:
    """A bridge with all that writes the prefix somewhere; others may run under the same one."""
    unique = f"{prefix}{random_prefix()[-6:]}"
    options = {"screens-dir": "screens", "autosave-dir": "kept", "pv-list": "pvs.txt"}
    flags = [
        word for name, path in options.items() for word in (f"--{name}", str(directory / path))
    ]
    ioc = start(sim.address, "--log-puts", *flags, prefix=unique)
    ioc.wait_for("screens are in")
    return ioc


def listed(directory: Path) -> list[str]:
    """All records and aliases."""
    files = [directory / f"pvs{ending}.txt" for ending in ("", "-large", "-aliases")]
    return [name for file in files for name in file.read_text().splitlines()]


def put_table(pva: Any, ioc: Ioc) -> None:
    """Put a table of one row, and see that it is there."""
    name = ioc.pv("SEQ1:TABLE")
    columns = pva.get(name, timeout=20).value.todict()
    row = {column: [1] for column in columns} | {"trigger": ["Immediate"], "repeats": [5]}
    pva.put(name, {"value": row}, timeout=20)
    assert list(pva.get(name).value.repeats) == [5]


@pytest.mark.parametrize("prefix", PREFIXES, ids=["braces", "signs", "backslashes", "random"])
async def test_all_that_is_listed_is_served_and_can_be_put_and_is_kept(
    start_ioc: Starter[Ioc], sim: Sim, ca: Any, pva: Any, tmp_path: Path, prefix: str
) -> None:
    print(f"seed {SEED}")
    ioc = served(start_ioc, sim, tmp_path, prefix)
    names = listed(tmp_path)
    assert len(names) > 2500
    found = await ca.connect(names, throw=False, timeout=60)
    assert [str(each) for each in found if not each] == []
    for structure in RANDOM.sample((tmp_path / "pvs-pva.txt").read_text().splitlines(), 20):
        assert pva.get(structure, timeout=20) is not None
    assert ioc.pv("PULSE1:PVI") == pva.get(ioc.pv("PVI")).value.pulse[1].d
    assert pva.get(ioc.pv("PULSE1:PVI")).value.delay.rw == ioc.pv("PULSE1:DELAY")
    await ca.caput(ioc.pv("PULSE1:DELAY"), 3, wait=True)
    assert pva.get(ioc.pv("PULSE1:DELAY")).value == 3
    put_table(pva, ioc)
    await ca.caput(ioc.pv("DATA:LIVE:LENGTH"), 77, wait=True)
    assert await ca.caget(ioc.pv("IOC:HEARTBEAT")) > 0
    assert await ca.caget(ioc.pv("IOC:SYSRESET.DISP")) == 1
    for screen in (tmp_path / "screens").glob("*.bob"):
        root = ElementTree.parse(screen).getroot()  # noqa: S314 - our own
        assert root.findtext("macros/P") == ioc.prefix
    assert ioc.stop() == 0
    kept = yaml.safe_load((tmp_path / "kept" / file_name(ioc.prefix)).read_text())
    assert kept[ioc.pv("DATA:LIVE:LENGTH")] == 77
    ca.purge_channel_caches()
    again = start_ioc(sim.address, "--autosave-dir", str(tmp_path / "kept"), prefix=ioc.prefix)
    assert await ca.caget(again.pv("DATA:LIVE:LENGTH"), timeout=20) == 77


async def test_ophyd_async_connects_under_a_prefix_with_braces(
    start_ioc: Starter[Ioc], sim: Sim, tmp_path: Path
) -> None:
    ioc = start_ioc(sim.address, prefix=f"XF:{random_prefix()}-ES{{PANDA:1}}")
    paths = StaticPathProvider(UUIDFilenameProvider(), tmp_path)
    panda = HDFPanda(f"{ioc.prefix}:", paths, name="panda")
    await panda.connect(timeout=30)
    await panda.pulse[1].pulses.set(5)
    assert await panda.pulse[1].pulses.get_value() == 5


async def test_a_long_prefix_leaves_long_names_out_and_works(
    start_ioc: Starter[Ioc], sim: Sim, ca: Any, pva: Any, tmp_path: Path
) -> None:
    prefix = f"{random_prefix()}{'L' * 24}"
    ioc = start_ioc(sim.address, "--pv-list", str(tmp_path / "pvs.txt"), prefix=prefix)
    assert "longer than 60 characters and are left out" in ioc.text()
    left_out = (tmp_path / "pvs-left-out.txt").read_text().splitlines()
    assert ioc.pv("SFP2_SYNC_IN:POS1:DATA:STDDEV") in left_out
    await ca.caput(ioc.pv("PULSE1:DELAY"), 3, wait=True)
    await ca.caput(ioc.pv("PULSE1:TRIG"), "ONE", wait=True)
    put_table(pva, ioc)
    await ca.caput(ioc.pv("PCAP:ARM"), 0, wait=True)
    ioc.stop()
    assert "Traceback" not in ioc.text()
    longest = start_ioc(sim.address, prefix=f"{random_prefix()}{'M' * 41}")
    assert await ca.caget(longest.pv("STATUS"), datatype=str, timeout=20) == "CONNECTED"
    longest.stop()
    assert "Traceback" not in longest.text()


@pytest.mark.parametrize("prefix", ["", ":", "$(P)", "A${P}", "A.B", "A B"])
def test_a_prefix_that_cannot_be_ends_in_one_line(sim: Sim, prefix: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "run", sim.address, prefix],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("panda-ioc: ")
    assert "prefix" in line
