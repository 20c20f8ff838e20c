"""Physical values: against the server's own, and against exact arithmetic."""

from fractions import Fraction
from math import isnan, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.capture.scaling import columns_of, mean, std_dev
from panda_ioc.errors import CaptureError
from panda_ioc.protocol.responses import INT96, StartData
from support.datastream import decode, header, needs_recordings, recording, rows_of


def start_of(stream: bytes) -> StartData:
    start = decode([stream])[0][1]
    assert isinstance(start, StartData)
    return start


@needs_recordings
@pytest.mark.parametrize(
    ("raw", "scaled"),
    [
        ("full_xml_framed_raw", "full_xml_framed_scaled"),
        ("small_three_arms_raw", "small_three_arms_scaled"),
    ],
)
def test_what_the_server_scaled_itself(raw: str, scaled: str) -> None:
    (stream, expected) = (recording(name) for name in (raw, scaled))
    rows, theirs = (rows_of(decode([stream])[0]) for stream in (stream, expected))
    compared = []
    for column in columns_of(start_of(stream)):
        values = column.values(rows)
        assert values.dtype == column.dtype
        if column.name in (theirs.dtype.names or ()):
            np.testing.assert_allclose(values, theirs[column.name], rtol=1e-15)
            compared.append(column.name)
    assert compared == list(theirs.dtype.names or ())


@needs_recordings
def test_a_recorded_standard_deviation_by_exact_arithmetic() -> None:
    # The server's own values cannot serve: in the recording they are NaN throughout.
    stream = recording("stddev_raw")
    rows = rows_of(decode([stream])[0])
    column = columns_of(start_of(stream))[-1]
    values = column.values(rows)
    assert isnan(values[0])  # a gate of no duration
    for row, value in list(zip(rows, values, strict=True))[1:]:
        ticks, total, squares = (row[name] for name in rows.dtype.names or ())
        sum_of_squares = (int(squares["high"]) << 64) + int(squares["low"])
        variance = Fraction(sum_of_squares, int(ticks)) - Fraction(int(total), int(ticks)) ** 2
        assert value == pytest.approx(sqrt(variance), rel=1e-14)


@needs_recordings
def test_what_is_scaled_already_is_left_alone() -> None:
    stream = recording("full_xml_framed_scaled")
    rows = rows_of(decode([stream])[0])
    for column in columns_of(start_of(stream)):
        np.testing.assert_array_equal(column.values(rows), rows[column.name])


def test_each_kind_by_hand() -> None:
    kinds = ["Value", "Diff", "Sum", "Min", "Max"]
    columns = [
        ("PCAP.GATE_DURATION", "int32", "Value"),
        ("PCAP.BITS0", "uint32", "Value"),
        *((("A.B"), "int64" if kind == "Sum" else "int32", kind) for kind in kinds),
        ("A.B", "int64", "Mean"),
    ]
    text = header(columns, 36 + 4, scaling='scale="0.5" offset="-1" units="mm"')
    start = start_of(b"OK\n" + text)
    rows = np.zeros(2, [(c.name, c.field.type) for c in columns_of(start)])
    rows["PCAP.GATE_DURATION.Value"] = [4, 0]
    rows["PCAP.BITS0.Value"] = [0xF0000001, 1]
    for number, kind in enumerate([*kinds, "Mean"]):
        rows[f"A.B.{kind}"] = [10 * number, -3]
    values = {column.name: column.values(rows) for column in columns_of(start)}
    assert values["PCAP.BITS0.Value"].dtype == np.uint32
    assert values["PCAP.BITS0.Value"].tolist() == [0xF0000001, 1]
    for number, kind in enumerate(kinds):
        assert values[f"A.B.{kind}"].tolist() == [5 * number - 1, -2.5]
    assert values["A.B.Mean"][0] == 50 / 4 * 0.5 - 1
    assert isnan(values["A.B.Mean"][1])


def test_durations_are_unsigned() -> None:
    ticks = np.array([-(2**31)], np.int32)
    assert mean(ticks, np.array([2**32], np.int64)).tolist() == [2.0]


def test_servers_before_2_1_divide_by_samples() -> None:
    start = start_of(b"OK\n" + header([("A.B", "int64", "Mean")], 12))
    rows = np.array([(4, 10)], [("PCAP.SAMPLES.Value", "<u4"), ("A.B.Mean", "<i8")])
    samples, average = columns_of(start)
    assert (samples.dtype, samples.values(rows).tolist()) == (np.dtype("uint32"), [4])
    assert average.values(rows).tolist() == [2.5]


@pytest.mark.parametrize(
    ("columns", "size", "lacks"),
    [
        ([("A.B", "int64", "Mean")], 8, "A.B.Mean: no column PCAP.GATE_DURATION.Value"),
        (
            [("PCAP.GATE_DURATION", "int32", "Value"), ("A.B", "int96", "StdDev")],
            16,
            "A.B.StdDev: no column A.B.Mean",
        ),
    ],
)
def test_columns_that_lack_others(
    columns: list[tuple[str, str, str]], size: int, lacks: str
) -> None:
    start = start_of(b"OK\n" + header(columns, size))
    with pytest.raises(CaptureError, match=lacks):
        columns_of(start)


def deviation(ticks: int, total: int, squares: int) -> float:
    raw = np.frombuffer(squares.to_bytes(12, "little", signed=True), INT96)
    (value,) = std_dev(np.array([ticks], np.uint32), np.array([total], np.int64), raw)
    return float(value)


@given(st.integers(1, 2**32 - 1), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**95 - 1))
def test_no_bit_is_lost_in_a_standard_deviation(ticks: int, total: int, squares: int) -> None:
    variance = Fraction(squares, ticks) - Fraction(total, ticks) ** 2
    value = deviation(ticks, total, squares)
    if variance < 0:
        assert isnan(value)
    else:
        assert value == pytest.approx(sqrt(variance), rel=1e-14)


def test_a_small_deviation_of_large_values() -> None:
    random = Random(1)
    samples = [2**31 - 5 + random.randint(-1, 1) for _ in range(1000)]
    average = Fraction(sum(samples), 1000)
    expected = sqrt(sum((value - average) ** 2 for value in samples) / 1000)
    value = deviation(1000, sum(samples), sum(value**2 for value in samples))
    assert value == pytest.approx(expected, rel=1e-14)
    assert deviation(1000, 2**31 * 1000, 2**62 * 1000) == 0.0
    assert isnan(deviation(0, 0, 0))
