"""Response values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from panda_ioc.errors import BadValue
from panda_ioc.protocol.commands import Append, Put
from panda_ioc.protocol.responses import (
    INT96,
    WIRE_TYPES,
    EndData,
    EndReason,
    FieldCapture,
    FieldInfo,
    FrameData,
    ReadyData,
    StartData,
    UintFieldInfo,
)

INT32 = WIRE_TYPES["int32"]
DTYPE = [("A.OUT.Value", "<i4"), ("B.OUT.StdDev", INT96)]


def test_int96_has_the_12_bytes_of_the_wire() -> None:
    octets = (-3).to_bytes(12, "little", signed=True)
    (value,) = np.frombuffer(octets, INT96)
    assert (int(value["high"]) << 64) + int(value["low"]) == -3


@pytest.mark.parametrize(
    ("name", "size"), [("int32", 4), ("uint64", 8), ("double", 8), ("int96", 12)]
)
def test_wire_types_have_their_size(name: str, size: int) -> None:
    assert WIRE_TYPES[name].itemsize == size


@pytest.mark.parametrize(
    ("scaling", "scales", "dtype"),
    [
        ((), False, "int32"),
        ((1.0, 0.0, ""), False, "float64"),
        ((2.0, 0.0, "mm"), True, "float64"),
        ((1.0, 1.0, "mm"), True, "float64"),
    ],
)
def test_scaling_of_a_column(scaling: tuple[object, ...], scales: bool, dtype: str) -> None:
    field = FieldCapture("A.OUT", INT32, "Value", *scaling)  # type: ignore[arg-type]
    assert field.has_scale_or_offset is scales
    assert field.raw_mode_dataset_dtype == np.dtype(dtype)


@pytest.mark.parametrize("given", [{"scale": 1.0}, {"offset": 0.0, "units": ""}, {"units": "mm"}])
def test_half_a_scaling_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadValue, match=r"A\.OUT Value: .* give all of them or none"):
        FieldCapture("A.OUT", INT32, "Value", **given)  # type: ignore[arg-type]


def test_frames_are_equal_if_their_samples_are() -> None:
    frame = FrameData(np.array([(1, (2, 3)), (4, (5, 6))], DTYPE))
    assert frame == FrameData(frame.data.copy())
    assert frame != FrameData(frame.data[:1])
    assert frame != FrameData(np.array([(1, (2, 3)), (4, (5, 7))], DTYPE))
    assert frame != FrameData(frame.data["A.OUT.Value"])
    assert frame != "frame"
    assert frame.column_names == ("A.OUT.Value", "B.OUT.StdDev")


def test_where_a_field_stands_and_what_was_not_answered_are_no_part_of_what_it_is() -> None:
    info = UintFieldInfo("param", "uint", "About", 7, index=3, unanswered=("X?",))
    assert info == UintFieldInfo("param", "uint", "About", 7)
    assert info != FieldInfo("param", "uint", "About")


def test_what_scripts_make_of_answers() -> None:
    """They may change them, and derive classes from them with more fields of their own."""

    @dataclass
    class Mine(UintFieldInfo):
        comment: str

    info = Mine("param", "uint", "About", 7, "mine", index=3)
    info.max_val = 8
    info.index = 4
    assert (info.max_val, info.comment, info.index) == (8, "mine", 4)
    start = StartData([], 0, "Raw", "Framed", 4, None, None, None)
    start.arm_time = "now"
    assert start != StartData([], 0, "Raw", "Framed", 4, None, None, None)


class Odd:
    """Its comparison raises."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("cannot compare")

    __hash__ = None  # type: ignore[assignment]


class Rows:
    """Equal to arrays of the same rows."""

    def __eq__(self, other: object) -> bool:
        return other.tolist() == [(1, (2, 3))]  # type: ignore[attr-defined, no-any-return]

    __hash__ = None  # type: ignore[assignment]


def test_comparisons_never_raise() -> None:
    values = [np.arange(3), np.arange(4), np.array([(1, (2, 3))], DTYPE), [1, 2], None, Odd(), "x"]
    made: list[Any] = [
        *(FrameData(value) for value in values),  # type: ignore[arg-type]
        *(Put("A", value) for value in values),  # type: ignore[arg-type]
        *(Append("A", value) for value in values),  # type: ignore[arg-type]
        *(FieldCapture("A", value, "Value") for value in (INT32, "junk", Odd())),  # type: ignore[arg-type]
        *(EndData(1, EndReason.OK), ReadyData(), "text", None),
    ]
    for n, one in enumerate(made):
        for m, other in enumerate(made):
            assert (one == other) is (n == m), (one, other)
    frame = FrameData(np.array([(1, (2, 3))], DTYPE))
    assert FrameData(Rows()) == frame  # type: ignore[arg-type]
    assert frame == FrameData(Rows())  # type: ignore[arg-type]
    nan = np.array([np.nan])
    assert FrameData(nan) == FrameData(nan)
