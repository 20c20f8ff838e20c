"""The mapping: every codec of every kind has a record for each access that it has."""

from collections.abc import Iterator

import pytest

from panda_ioc.device.codecs import CodecName
from panda_ioc.device.kinds import KINDS, UNKNOWN, Access
from panda_ioc.records.mapping import INPUTS, OUTPUTS, TIME_PREC

SCALARS = {
    "INPUTS": {"ai", "longin", "bi", "mbbi", "stringin"},
    "OUTPUTS": {"ao", "longout", "bo", "mbbo", "stringout"},
}


def _values() -> Iterator[tuple[CodecName, Access]]:
    """Codec and access of all fields and attributes that have a value of their own."""
    for kind in (*KINDS.values(), UNKNOWN):
        if kind.codec not in (None, CodecName.TABLE):
            yield kind.codec, kind.access
        for attribute in kind.attributes:
            yield attribute.codec, attribute.access


@pytest.mark.parametrize(("codec", "access"), sorted(set(_values()), key=str), ids=str)
def test_every_value_has_a_record(codec: CodecName, access: Access) -> None:
    assert codec in (OUTPUTS if Access.WRITE in access else INPUTS)


@pytest.mark.parametrize(("name", "rows"), [("INPUTS", INPUTS), ("OUTPUTS", OUTPUTS)])
def test_records_are_of_the_right_direction(name: str, rows: dict[str, object]) -> None:
    assert {row.rtype for row in rows.values()} <= SCALARS[name]  # type: ignore[attr-defined]


def test_precision_shows_a_tick_of_the_clock() -> None:
    """8 ns in each unit that a time can have."""
    seconds = {"min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
    assert TIME_PREC.keys() == seconds.keys()
    for unit, digits in TIME_PREC.items():
        assert 10**-digits <= 8e-9 / seconds[unit] * 10
