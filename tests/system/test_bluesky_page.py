"""The code on the page about Bluesky, as it stands."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
from test_ophyd import Sequencer

from support.docs_blocks import ROOT, blocks
from support.servers import Ioc, Sim

POINTS = 1000
PAGE = ROOT / "docs" / "how-to" / "bluesky.md"


def test_what_the_page_sets_up_flies_with_its_plan(
    sim: Sim, ioc: Ioc, pva: Any, tmp_path: Path
) -> None:
    setup, plan = [b.text for b in blocks(PAGE) if b.language == "python"]
    assert f"POINTS = {POINTS}\n" in plan
    sim.put("*CAPTURE=")
    run(setup, ioc, tmp_path)
    with Sequencer(sim, pva, ioc, POINTS):
        printed = run(plan, ioc, tmp_path)
    [path] = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        assert len(file["energy"]) == len(file["theta"]) == POINTS
        assert "PCAP.GATE_DURATION.Value" in file
    described = re.findall(r"'data_key': '([^']+)'", printed)
    assert sorted(described) == ["energy", "theta"]


def run(code: str, ioc: Ioc, directory: Path) -> str:
    """Run code of the page with our prefix and directory; what it printed."""
    for prefix in ("DEMO", "BL01I-EA-PANDA-01"):
        code = code.replace(prefix, ioc.prefix)
    code = code.replace('"/data"', repr(str(directory)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
