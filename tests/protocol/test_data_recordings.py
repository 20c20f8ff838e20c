"""The data port decoder on what a real server sent."""

import numpy as np
import pytest

from panda_ioc.errors import CommandError, ConnectionLost, PandAError, ProtocolError
from panda_ioc.protocol.responses import EndData, EndReason, FrameData, StartData
from support.controlstream import pieces
from support.datastream import (
    FRAMED,
    RECORDED,
    ascii_table,
    decode,
    needs_recordings,
    random_sizes,
    recording,
    rows_of,
    same,
)

pytestmark = needs_recordings


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize("every", [True, False])
def test_any_split_gives_the_same_events(name: str, every: bool) -> None:
    stream = recording(name)
    whole, error = decode([stream], every)
    assert error is None
    ends = [event for event in whole if isinstance(event, EndData)]
    assert ends
    samples = sum(len(event.data) for event in whole if isinstance(event, FrameData))
    assert samples == sum(end.samples for end in ends)
    splits = [random_sizes(seed, 9000, len(stream)) for seed in (1, 2)]
    if len(stream) < 100_000:
        splits.append([1] * len(stream))
    for sizes in splits:
        for direct in (False, True):
            again, error = decode(pieces(stream, sizes), every, direct)
            assert error is None
            assert same(again, whole)


@pytest.mark.parametrize("path", [path for path in RECORDED if path.stem not in FRAMED])
@pytest.mark.parametrize("split", [1, 1000, 1 << 20])
def test_other_streams_give_a_typed_error(path: object, split: int) -> None:
    stream = recording(path.stem)  # type: ignore[attr-defined]
    _, error = decode(stream[first : first + split] for first in range(0, len(stream), split))
    expected = {"bad_options": CommandError, "overrun_raw_head": ConnectionLost}
    assert type(error) is expected.get(path.stem, ProtocolError)  # type: ignore[attr-defined]
    assert isinstance(error, PandAError)


def test_raw_columns_have_the_words_of_the_ascii_recording() -> None:
    events, _ = decode([recording("full_xml_framed_raw")])
    words = np.array(
        [[int(word, 16) for word in line] for line in ascii_table("full_xml_ascii_raw")],
        np.uint32,
    )
    rows = rows_of(events)
    np.testing.assert_array_equal(rows.view(np.uint32).reshape(len(rows), -1), words)
    for name in rows.dtype.names or ():
        place = (rows.dtype.fields or {})[name][1] // 4
        column = np.ascontiguousarray(words[:, place : place + rows[name].itemsize // 4])
        expected = column.view(rows[name].dtype)[:, 0]
        assert rows[name].sum() == expected.sum(), name


def test_scaled_columns_have_the_sums_of_the_ascii_recording() -> None:
    events, _ = decode([recording("full_xml_framed_scaled")])
    rows = rows_of(events)
    table = np.array(ascii_table("full_xml_ascii_scaled"), float)
    for name, column in zip(rows.dtype.names or (), table.T, strict=True):
        np.testing.assert_allclose(rows[name].sum(), column.sum(), rtol=1e-9, err_msg=name)


def test_header_of_a_full_recording() -> None:
    events, _ = decode([recording("full_xml_framed_raw")])
    start = events[1]
    assert isinstance(start, StartData)
    by_name = {(field.name, field.capture): field for field in start.fields}
    assert by_name["INENC1.VAL", "Value"].units == "mm"
    assert (by_name["INENC1.VAL", "Value"].scale, by_name["INENC1.VAL", "Value"].offset) == (
        0.5,
        10,
    )
    assert by_name["INENC2.VAL", "Diff"].units == ""
    assert by_name["PCAP.BITS0", "Value"].scale is None
    assert (start.sample_bytes, start.process, start.missed) == (92, "Raw", 0)
    assert start.start_time == "2026-11-22T08:16:27.478915762Z"


def test_three_arms_on_one_connection() -> None:
    events, _ = decode([recording("small_three_arms_raw")], every=False)
    names = [type(event).__name__ for event in events]
    assert names == ["ReadyData", *3 * ["StartData", "FrameData", "EndData"]]
    assert [event for event in events if isinstance(event, EndData)] == [
        EndData(300, EndReason.OK)
    ] * 3
