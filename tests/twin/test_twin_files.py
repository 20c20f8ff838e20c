"""Timing files that the FPGA's own hardware description gave, run whole and in random slices."""

from pathlib import Path

import pytest

from panda_ioc.sim.twin.blocks import block_types
from twin.cases import load
from twin.replay import first_difference

TWIN = Path(__file__).parents[2].parent / "shared" / "twin"


def _files() -> list[Path]:
    files = [*TWIN.glob("vectors/*.json"), *TWIN.glob("random/*.json")]
    return sorted(path for path in files if path.stem in block_types())


@pytest.mark.skipif(not TWIN.is_dir(), reason=f"no timing files at {TWIN}")
@pytest.mark.parametrize("slices", [None, 7], ids=["whole", "sliced"])
@pytest.mark.parametrize("path", _files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_outputs_are_those_of_the_fpga_at_every_tick(path: Path, slices: int | None) -> None:
    differences = {case.name: first_difference(case, slices) for case in load(path)}
    assert {name: found for name, found in differences.items() if found} == {}
