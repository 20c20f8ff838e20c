"""The latest samples, however they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.capture._last import MAX_BYTES, LastSamples
from panda_ioc.errors import CaptureError
from panda_ioc.protocol.responses import FieldCapture, StartData

FIELDS = [
    FieldCapture("A.B", np.dtype("int32"), "Value", 1.0, 0.0, ""),
    FieldCapture("A.C", np.dtype("int64"), "Sum", 1.0, 0.0, ""),
]
START = StartData(FIELDS, 0, "Raw", "Framed", 12, None, None, None)
LAYOUT = np.dtype([("A.B.Value", "i4"), ("A.C.Sum", "i8")])


@given(
    size=st.integers(1, 20),
    pieces=st.lists(st.integers(0, 45), max_size=8),
    left_out=st.integers(0, 25),
)
def test_the_latest_are_kept_in_order(size: int, pieces: list[int], left_out: int) -> None:
    last = LastSamples(size, START)
    everything = np.zeros(sum(pieces), LAYOUT)
    everything["A.B.Value"] = np.arange(len(everything))
    everything["A.C.Sum"] = -7 * np.arange(len(everything))
    first = 0
    for piece in pieces:
        last.add(everything[first : first + piece])
        first += piece
    latest = everything[-size:]
    kept = latest[: max(0, len(latest) - left_out)]
    np.testing.assert_array_equal(np.concatenate(list(last.rows(left_out))), kept)


def test_more_than_memory_is_an_error_that_tells_how_many_may_be() -> None:
    LastSamples(MAX_BYTES // 12, START)
    with pytest.raises(CaptureError, match=f"at most {MAX_BYTES // 12} fit"):
        LastSamples(MAX_BYTES // 12 + 1, START)
