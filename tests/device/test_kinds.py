"""Kinds: every type that a PandA server can announce resolves to exactly one row."""

import pytest

from panda_ioc.device.kinds import KINDS, UNKNOWN, Access, kind_of
from panda_ioc.protocol.responses import FieldInfo

SUBTYPES = ("uint", "int", "scalar", "bit", "action", "lut", "enum", "time")
ANNOUNCED = {
    *((access, subtype) for access in ("param", "read", "write") for subtype in SUBTYPES),
    *(("ext_out", subtype) for subtype in ("timestamp", "samples", "bits")),
    *((each, None) for each in ("time", "bit_out", "pos_out", "bit_mux", "pos_mux", "table")),
}


def test_rows_are_the_types_that_a_server_can_announce() -> None:
    assert set(KINDS) == ANNOUNCED
    assert len(ANNOUNCED) == 3 * 8 + 3 + 6


@pytest.mark.parametrize("announced", sorted(ANNOUNCED, key=str), ids=str)
def test_each_is_found_with_its_access(announced: tuple[str, str | None]) -> None:
    kind = kind_of(FieldInfo(*announced, None))
    assert kind is KINDS[announced]
    assert kind is not UNKNOWN
    access = {"read": Access.READ, "write": Access.WRITE}.get(announced[0], kind.access)
    assert kind.access == access
    assert len({attribute.name for attribute in kind.attributes}) == len(kind.attributes)


@pytest.mark.parametrize(
    "announced",
    [("holo_out", None), ("param", "quaternion"), ("param", None), ("bit_out", "x"), ("", "")],
)
def test_whatever_else_is_announced_is_unknown_and_read_only(
    announced: tuple[str, str | None],
) -> None:
    kind = kind_of(FieldInfo(*announced, None))
    assert kind is UNKNOWN
    assert kind.access == Access.READ


def test_attributes_that_clients_can_set() -> None:
    """As the description of the protocol lists them."""
    writable = {
        key: {a.name for a in kind.attributes if Access.WRITE in a.access}
        for key, kind in KINDS.items()
    }
    assert writable["pos_out", None] == {"CAPTURE", "OFFSET", "SCALE", "UNITS"}
    assert writable["bit_mux", None] == {"DELAY"}
    assert writable["ext_out", "bits"] == {"CAPTURE"}
    assert writable["time", None] == writable["param", "time"] == {"UNITS"}
    assert writable["param", "uint"] == writable["table", None] == set()
