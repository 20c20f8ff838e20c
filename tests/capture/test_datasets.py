"""Names of datasets, as users of today's IOC know them."""

import numpy as np
import pytest

from panda_ioc.capture.datasets import Dataset, datasets_of
from panda_ioc.capture.scaling import columns_of
from panda_ioc.errors import CaptureError
from panda_ioc.protocol.responses import StartData
from support.datastream import Column, decode, header, layout

GATE: Column = ("PCAP.GATE_DURATION", "int32", "Value")
NAMES = {"COUNTER1.OUT": "x", "PCAP.TS_TRIG": ""}


def datasets(
    *columns: Column, names: dict[str, str] = NAMES, bits: dict[str, list[str]] | None = None
) -> tuple[Dataset, ...]:
    size = layout(columns).itemsize
    start = decode([b"OK\n" + header(columns, size, scaling='scale="2" offset="1" units="mm"')])[0][
        1
    ]
    assert isinstance(start, StartData)
    return datasets_of(columns_of(start), names, bits or {})


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("Value", "x"),
        ("Min", "x"),
        ("Min Max", "x-min x-max"),
        ("Min Max Mean", "x-min x-max x"),
        ("Value Mean", "x-value x"),
        ("Value Diff Sum", "x x-diff x-sum"),
    ],
)
def test_given_names(kinds: str, expected: str) -> None:
    columns: list[Column] = [("COUNTER1.OUT", "int64", kind) for kind in kinds.split()]
    found = datasets(*columns, GATE)
    assert [one.name for one in found] == [*expected.split(), "PCAP.GATE_DURATION.Value"]


def test_names_and_attributes_without_a_given_name() -> None:
    bits, value = datasets(("PCAP.BITS0", "uint32", "Value"), ("PCAP.TS_TRIG", "int64", "Value"))
    assert (bits.name, bits.dtype) == ("PCAP.BITS0.Value", np.dtype("uint32"))
    assert bits.attributes == {"panda_field": "PCAP.BITS0", "capture": "Value"}
    assert (value.name, value.dtype) == ("PCAP.TS_TRIG.Value", np.dtype("float64"))
    assert value.attributes == {
        "panda_field": "PCAP.TS_TRIG",
        "capture": "Value",
        "units": "mm",
        "scale": 2.0,
        "offset": 1.0,
    }


def test_bits_become_datasets_of_their_own() -> None:
    labels = ["TTLIN1.VAL", "", "TTLIN2.VAL", *[""] * 28, "LAST.BIT"]
    found = datasets(("PCAP.BITS0", "uint32", "Value"), bits={"PCAP.BITS0": labels})
    assert [(one.name, one.dtype, one.attributes["bit"]) for one in found] == [
        ("TTLIN1.VAL", np.dtype(bool), 0),
        ("TTLIN2.VAL", np.dtype(bool), 2),
        ("LAST.BIT", np.dtype(bool), 31),
    ]
    rows = np.array([(0x80000001,), (4,)], [("PCAP.BITS0.Value", "<u4")])
    assert [one.values(rows).tolist() for one in found] == [
        [True, False],
        [False, True],
        [True, False],
    ]


def test_a_word_with_a_name_is_kept_beside_its_bits() -> None:
    bits = {"PCAP.BITS0": ["TTLIN1.VAL"], "PCAP.BITS1": ["TTLIN2.VAL"]}
    columns: list[Column] = [(name, "uint32", "Value") for name in bits]
    found = datasets(*columns, names={"PCAP.BITS0": "word"}, bits=bits)
    assert [(one.name, one.dtype.name, one.is_named) for one in found] == [
        ("TTLIN1.VAL", "bool", False),
        ("word", "uint32", True),
        ("TTLIN2.VAL", "bool", False),
    ]


@pytest.mark.parametrize(
    "names",
    [
        {"A.B": "x", "C.D": "x"},
        {"A.B": "C.D.Value"},
        {"A.B": "entry"},
        {"A.B": "a/b"},
        {"A.B": ".."},
        {"A.B": "a\nb"},
    ],
)
def test_names_that_can_not_be(names: dict[str, str]) -> None:
    with pytest.raises(CaptureError, match=r"of A\.B|of C\.D"):
        datasets(("A.B", "int32", "Value"), ("C.D", "int32", "Value"), names=names)
