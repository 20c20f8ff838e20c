"""PVA types are those that clients of pandablocks-ioc know."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.servers import Ioc


@pytest.fixture(scope="module")
def config_dir(shared_dir: Path) -> Path:
    """The application that the types were recorded with."""
    return shared_dir / "apps" / "pandabox-no-fmc"


def kind(value: Any) -> dict[str, Any]:
    """Type of a value as the recording has it: id, and type code, choices or columns."""
    found = value.value
    if value.getID() == "epics:nt/NTEnum:1.0":
        return {"id": value.getID(), "value": list(found.choices)}
    if value.getID() == "epics:nt/NTTable:1.0":
        return {"id": value.getID(), "value": dict(found.type().items())}
    return {"id": value.getID(), "value": value.type()["value"]}


def test_all_are_equal(ioc: Ioc, pva: Any, shared_dir: Path) -> None:
    recorded = json.loads((shared_dir / "interface" / "pandabox-no-fmc-pva.json").read_text())
    names = list(recorded["types"])
    values = pva.get([ioc.pv(name) for name in names], timeout=60)
    found = {name: kind(value) for name, value in zip(names, values, strict=True)}
    different = {n: (found[n], t) for n, t in recorded["types"].items() if found[n] != t}
    assert different == {}


def test_queued_lines_are_an_integer(ioc: Ioc, pva: Any) -> None:
    assert pva.get(ioc.pv("SEQ1:TABLE:QUEUED_LINES")).type()["value"] == "i"
