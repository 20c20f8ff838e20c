"""Response values."""

import dataclasses

import numpy as np
import pytest

from panda_ioc.errors import BadValue
from panda_ioc.protocol.responses import (
    INT96,
    WIRE_TYPES,
    FieldCapture,
    FieldInfo,
    FrameData,
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
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.index = 4  # type: ignore[misc]
