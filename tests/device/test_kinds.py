"""Kinds: every type that a PandA server can announce resolves to exactly one row."""

import pytest

from panda_ioc.device.kinds import KINDS, UNKNOWN, Access, is_read_only, kind_of
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


READ_ONLY = {
    ("read", "uint"): ["", "MAX", "INFO"],
    ("param", "scalar"): ["UNITS", "SCALE", "OFFSET"],
    ("param", "lut"): ["RAW"],
    ("write", "enum"): ["LABELS"],
    ("bit_out", None): ["", "CAPTURE_WORD", "OFFSET"],
    ("bit_mux", None): ["MAX_DELAY"],
    ("pos_out", None): ["", "SCALED"],
    ("ext_out", "bits"): ["", "BITS"],
    ("table", None): ["MAX_LENGTH", "LENGTH", "B", "FIELDS", "ROW_WORDS", "MODE", "QUEUED_LINES"],
}
"""What a server 4.1 calls not writeable."""


@pytest.mark.parametrize("announced", READ_ONLY, ids=str)
def test_what_nobody_can_write(announced: tuple[str, str | None]) -> None:
    info = FieldInfo(*announced, None)
    assert all(is_read_only(info, attribute) for attribute in READ_ONLY[announced])
    writable = [a.name for a in KINDS[announced].attributes if Access.WRITE in a.access]
    assert not any(is_read_only(info, name) for name in [*writable, "RAW ", "NEW"])


def test_of_what_is_unknown_nobody_can_say_it() -> None:
    assert not is_read_only(FieldInfo("holo_out", None, None))


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
