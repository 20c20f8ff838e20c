"""Every PV that a screen connects to is served, by CA or by PVA as the screen says."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from support.screenfiles import all_pvs
from support.servers import PROGRAM, Ioc, Sim, Starter

OTHER_BOX = Path(__file__).parents[1] / "otherbox"


@pytest.fixture(params=[None, OTHER_BOX], ids=["packaged", "other"])
def box(request: pytest.FixtureRequest, start_sim: Starter[Sim]) -> Sim:
    """A box of either kind."""
    return start_sim(config_dir=request.param)


async def test_every_pv_on_a_screen_connects(
    box: Sim, start_ioc: Starter[Ioc], tmp_path: Path, ca: Any, pva: Any
) -> None:
    ioc = start_ioc(box.address, "--screens-dir", str(tmp_path / "screens"))
    ioc.wait_for("screens are in")
    screens = {path.name: path.read_text() for path in (tmp_path / "screens").iterdir()}
    async with AsyncioClient(box.host, box.port, box.data_port) as client:
        device = await introspect(client)
    pvs = set(all_pvs(screens, device, ioc.prefix))
    structures = sorted(pv.removeprefix("pva://") for pv in pvs if pv.startswith("pva://"))
    channels = sorted(pv for pv in pvs if not pv.startswith("pva://"))
    assert structures
    found = await ca.connect(channels, throw=False, timeout=20)
    assert [result.name for result in found if not result.ok] == []
    failed = [
        name
        for name, value in zip(structures, pva.get(structures, throw=False), strict=True)
        if isinstance(value, Exception)
    ]
    assert failed == []


async def test_screens_do_not_hold_up_a_bridge_that_can_not_write_them(
    start_sim: Starter[Sim], start_ioc: Starter[Ioc], tmp_path: Path, ca: Any
) -> None:
    (tmp_path / "index.bob").mkdir()
    ioc = start_ioc(start_sim().address, "--screens-dir", str(tmp_path))
    ioc.wait_for("file not written: .*index.bob")
    assert await ca.caget(ioc.pv("STATUS"), datatype=str) == "CONNECTED"


def test_a_directory_that_can_not_be_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [*PROGRAM, "run", "127.0.0.1:1", "P", "--screens-dir", str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"--screens-dir {tmp_path / 'file'}" in done.stderr
    assert "Traceback" not in done.stderr
