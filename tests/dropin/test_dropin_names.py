"""Every name that a script can import from `pandablocks` 0.10 is in `panda_ioc.pandablocks`."""

import importlib
import json
import subprocess

import pytest
from test_scripts import PEER

NAMES = {
    "asyncio": "AsyncioClient",
    "blocking": "BlockingClient",
    "commands": (
        "Append Arm BitMuxFieldInfo BitOutFieldInfo BlockInfo ChangeGroup Changes Command"
        " CommandError CommandException Disarm EnumFieldInfo Exchange ExchangeGenerator"
        " ExtOutBitsFieldInfo ExtOutFieldInfo FieldInfo Get GetBlockInfo GetChanges GetFieldInfo"
        " GetLine GetMultiline GetPcapBitsLabels GetState Identification Identify PosMuxFieldInfo"
        " PosOutFieldInfo Put Raw ScalarFieldInfo SetState SubtypeTimeFieldInfo TableFieldDetails"
        " TableFieldInfo TimeFieldInfo UintFieldInfo VersionError is_multiline_command"
    ),
    "connections": (
        "Buffer Command CommandError ControlConnection Data DataConnection EndData EndReason"
        " Exchange ExchangeGenerator Exchanges FieldCapture FrameData GATE_DURATION_FIELD"
        " NeedMoreDataError NoContextAvailableError ReadyData SAMPLES_FIELD StartData"
    ),
    "hdf": (
        "Arm AsyncioClient Disarm EndData EndReason FieldCapture FrameData FrameProcessor"
        " GATE_DURATION_FIELD HDFDataOverrunError HDFDataOverrunException HDFWriter Pipeline"
        " ReadyData SAMPLES_FIELD StartData create_default_pipeline create_pipeline stop_pipeline"
        " write_hdf_files"
    ),
    "responses": (
        "BitMuxFieldInfo BitOutFieldInfo BlockInfo Changes Data EndData EndReason EnumFieldInfo"
        " ExtOutBitsFieldInfo ExtOutFieldInfo FieldCapture FieldInfo FrameData Identification"
        " PosMuxFieldInfo PosOutFieldInfo ReadyData ScalarFieldInfo StartData SubtypeTimeFieldInfo"
        " TableFieldDetails TableFieldInfo TimeFieldInfo UintFieldInfo"
    ),
    "utils": "TableFieldInfo UnpackedArray table_to_words words_to_table",
}
INTERNAL = {"T", "T2", "T3", "T4", "MULTILINE_COMMAND", "API_EXTRACT", "STOP", "Stop"}
"""Type variables, patterns of its own and the like, which no script can use."""

PUBLIC = """
import importlib, json, sys
module = importlib.import_module("pandablocks." + sys.argv[1])
names = {
    name: type(value).__name__
    for name, value in vars(module).items()
    if not name.startswith("_") and (
        getattr(value, "__module__", "pandablocks").startswith("pandablocks")
        or name.endswith("Array") or name in ("ExchangeGenerator", "Exchanges"))
}
print(json.dumps([name for name, kind in names.items() if kind != "module"]))
"""


@pytest.mark.parametrize("module", NAMES)
def test_names(module: str) -> None:
    ours = importlib.import_module(f"panda_ioc.pandablocks.{module}")
    assert [name for name in NAMES[module].split() if not hasattr(ours, name)] == []
    assert set(ours.__all__) <= set(vars(ours))


@pytest.mark.skipif(PEER is None, reason="pandablocks is not installed")
@pytest.mark.parametrize("module", NAMES)
def test_names_of_the_library_itself(module: str) -> None:
    found = subprocess.check_output([str(PEER), "-c", PUBLIC, module], text=True)
    ours = importlib.import_module(f"panda_ioc.pandablocks.{module}")
    missing = [name for name in json.loads(found) if not hasattr(ours, name)]
    assert set(missing) <= INTERNAL


def test_names_only() -> None:
    """There is no second implementation: what is named lives elsewhere."""
    for module in NAMES:
        ours = importlib.import_module(f"panda_ioc.pandablocks.{module}")
        for name in ours.__all__:
            home = getattr(getattr(ours, name), "__module__", "")
            assert not home.startswith("panda_ioc.pandablocks")
