"""What would be captured, told from the answers of a PandA before it is armed."""

import numpy as np
import pytest

from panda_ioc.capture.forecast import forecast
from panda_ioc.errors import CaptureError

WORDS = ("PCAP.BITS0",)
ORDER = ("PCAP.TS_TRIG", "PCAP.GATE_DURATION", "COUNTER1.OUT", "INENC1.VAL", "PCAP.BITS0")


def names(*lines: str, bits: dict[str, list[str]] | None = None) -> list[str]:
    return [one.name for one in forecast(lines, ORDER, WORDS, {"INENC1.VAL": "x"}, bits or {})]


def test_words_come_first_then_values_then_long_ones() -> None:
    """As in the header of a server 4.1; in each group in the order of the hardware."""
    lines = ("INENC1.VAL Value", "PCAP.TS_TRIG Value", "COUNTER1.OUT Sum Min", "PCAP.BITS0 Value")
    assert names(*lines) == [
        "PCAP.BITS0.Value",
        "COUNTER1.OUT.Min",
        "x",
        "PCAP.TS_TRIG.Value",
        "COUNTER1.OUT.Sum",
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["PCAP.BITS0 Value", "COUNTER1.OUT Value Mean", "INENC1.VAL Min Mean"],
            "PCAP.GATE_DURATION.Value PCAP.BITS0.Value COUNTER1.OUT.Value x-min"
            " COUNTER1.OUT.Mean x",
        ),
        (
            ["COUNTER1.OUT Min Mean StdDev", "INENC1.VAL StdDev", "PCAP.TS_TRIG Value"],
            "PCAP.GATE_DURATION.Value COUNTER1.OUT.Min PCAP.TS_TRIG.Value"
            " COUNTER1.OUT.Mean COUNTER1.OUT.StdDev x x-stddev",
        ),
        (
            ["COUNTER1.OUT Mean StdDev", "INENC1.VAL Sum Mean", "PCAP.GATE_DURATION Value"],
            "PCAP.GATE_DURATION.Value x-sum x COUNTER1.OUT.Mean COUNTER1.OUT.StdDev",
        ),
    ],
)
def test_the_order_is_that_of_headers_of_a_server_4_1(lines: list[str], expected: str) -> None:
    assert names(*lines) == expected.split()


def test_only_the_datasets_of_fields_with_a_name_are_named() -> None:
    lines = ["INENC1.VAL Min Mean", "COUNTER1.OUT Mean", "PCAP.BITS0 Value"]
    found = forecast(lines, ORDER, WORDS, {"INENC1.VAL": "x", "COUNTER1.OUT": ""}, {})
    assert [one.name for one in found if one.is_named] == ["x-min", "x"]


def test_what_means_and_deviations_are_computed_with_comes_along() -> None:
    assert names("INENC1.VAL StdDev") == ["PCAP.GATE_DURATION.Value", "x", "x-stddev"]
    assert names("INENC1.VAL Mean", "PCAP.GATE_DURATION Value") == ["PCAP.GATE_DURATION.Value", "x"]


def test_a_field_without_a_kind_is_a_value_and_an_unknown_one_comes_last() -> None:
    assert names("NEW.X", "COUNTER1.OUT Value") == ["COUNTER1.OUT.Value", "NEW.X.Value"]


def test_types() -> None:
    found = forecast(["PCAP.BITS0 Value", "INENC1.VAL Mean"], ORDER, WORDS, {}, {})
    assert [one.dtype for one in found] == [np.dtype("f8"), np.dtype("u4"), np.dtype("f8")]


def test_bits_are_unpacked() -> None:
    assert names("PCAP.BITS0 Value", bits={"PCAP.BITS0": ["A", "", "B"]}) == ["A", "B"]


def test_empty_lines_are_nothing() -> None:
    assert names("", " ", "COUNTER1.OUT Min") == ["COUNTER1.OUT.Min"]


def test_a_name_given_twice_is_told() -> None:
    lines = ["INENC1.VAL Value", "COUNTER1.OUT Value"]
    with pytest.raises(CaptureError, match=r"'x' of INENC1\.VAL is taken by COUNTER1\.OUT"):
        forecast(lines, ORDER, WORDS, {"INENC1.VAL": "x", "COUNTER1.OUT": "x"}, {})
