"""The code on the page about Bluesky, as it stands, with the demo."""

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

from support.docs_blocks import ROOT, blocks
from support.servers import Ioc, Starter

POINTS = 800
START, STEP = 1000, 10
TO_MM = 0.001
PAGE = ROOT / "docs" / "how-to" / "bluesky.md"


def test_what_the_page_sets_up_flies_with_its_plan(start_ioc: Starter[Ioc], tmp_path: Path) -> None:
    demo = start_ioc(None)
    setup, plan = [b.text for b in blocks(PAGE) if b.language == "python"]
    assert f"POINTS = {POINTS}\n" in plan
    run(setup, demo, tmp_path)
    printed = run(plan, demo, tmp_path)
    [path] = tmp_path.glob("*.h5")
    with h5py.File(path) as file:
        energy, theta = file["energy"][:], file["theta"][:]
        assert "PCAP.GATE_DURATION.Value" in file
    assert np.diff(energy).tolist() == [1] * (POINTS - 1)
    # The mean of what the stage has passed when three of the four milliseconds are over.
    exposed = START + 0.75 * STEP / 2 + STEP * np.arange(POINTS)
    np.testing.assert_allclose(theta, exposed * TO_MM, atol=TO_MM)
    np.testing.assert_allclose(np.diff(theta), STEP * TO_MM, atol=1e-6)
    described = re.findall(r"'data_key': '([^']+)'", printed)
    assert sorted(described) == ["energy", "theta"]


def run(code: str, ioc: Ioc, directory: Path) -> str:
    """Run code of the page with our prefix and directory; what it printed."""
    code = code.replace('"DEMO:"', f'"{ioc.prefix}:"').replace('"/tmp"', repr(str(directory)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
