"""Timing files that the FPGA's own hardware description gave, run whole and in random slices."""

from pathlib import Path

import pytest

from panda_ioc.sim.twin.blocks import block_types
from twin.cases import load
from twin.replay import first_difference

TWIN = Path(__file__).parents[2].parent / "shared" / "twin"
KINDS = ["vectors", "random", "wired", "networks", "scans"]


def _files() -> list[Path]:
    files = [path for kind in KINDS for path in sorted((TWIN / kind).glob("*.json"))]
    there = set(block_types())
    return [p for p in files if all(set(case.blocks.values()) <= there for case in load(p))]


@pytest.mark.skipif(not TWIN.is_dir(), reason=f"no timing files at {TWIN}")
@pytest.mark.parametrize("slices", [None, 7], ids=["whole", "sliced"])
@pytest.mark.parametrize("path", _files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_outputs_are_those_of_the_fpga_at_every_tick(path: Path, slices: int | None) -> None:
    differences = {case.name: first_difference(case, slices) for case in load(path)}
    assert {name: found for name, found in differences.items() if found} == {}
