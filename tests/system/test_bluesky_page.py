"""The plan on the page about Bluesky, as it stands."""

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


def test_the_plan_of_the_page_writes_a_file(sim: Sim, ioc: Ioc, pva: Any, tmp_path: Path) -> None:
    [plan] = [b.text for b in blocks(PAGE) if b.language == "python" and b.reason]
    plan = plan.replace("BL01I-EA-PANDA-01", ioc.prefix).replace('"/data"', repr(str(tmp_path)))
    assert f"POINTS = {POINTS}\n" in plan
    sim.put("*CAPTURE=", "COUNTER1.OUT.CAPTURE=Value")
    pva.put(ioc.pv("COUNTER1:OUT:DATASET"), "energy")
    with Sequencer(sim, pva, ioc, POINTS):
        done = subprocess.run(
            [sys.executable, "-c", plan],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout
    [path] = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        assert len(file["energy"]) == POINTS
