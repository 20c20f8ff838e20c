"""Timing diagrams: traces, windows, pictures and dumps."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import BadValue
from panda_ioc.timing.diagram import Diagram, Marks
from panda_ioc.timing.lanes import picture_of
from panda_ioc.timing.png import write_png
from panda_ioc.timing.shapes import Box, LineShape, Picture, Word
from panda_ioc.timing.svg import svg
from panda_ioc.timing.times import parse_time, show_time
from panda_ioc.timing.trace import Trace, TraceKind, constant
from panda_ioc.timing.vcd import vcd
from panda_ioc.timing.window import around, parse_event

CHANGES = st.lists(st.tuples(st.integers(1, 500), st.integers(-3, 3)), max_size=30)


def bit(name: str, *ticks: int, first: int = 0) -> Trace:
    levels = [(first + number + 1) % 2 for number in range(len(ticks))]
    return Trace.of(name, TraceKind.BIT, first, ticks, levels)


def diagram(*traces: Trace, end: int = 1000, captures: tuple[int, ...] = ()) -> Diagram:
    marks = [Marks("captures", np.array(captures, np.int64))]
    return Diagram("title", traces, 0, 0, end, marks)


def words(picture: Picture) -> list[str]:
    return [shape.text for shape in picture.shapes if isinstance(shape, Word)]


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("2s", 250_000_000),
        ("1", 125_000_000),
        ("1.5 ms", 187_500),
        ("10us", 1250),
        ("8ns", 1),
        (".5us", 62),
        ("-1us", -125),
        ("1min", 7_500_000_000),
    ],
)
def test_times_are_read(text: str, ticks: int) -> None:
    assert parse_time(text) == ticks


@pytest.mark.parametrize("text", ["", "ms", "1 hour", "1e3", "1,5ms", "nan", "1ms2"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="is no time; write a number and one of s, ms, us, ns"):
        parse_time(text)


@given(st.integers(-(10**15), 10**15))
def test_a_time_that_is_shown_is_exact(ticks: int) -> None:
    assert parse_time(show_time(ticks)) == ticks


@given(CHANGES, st.integers(-3, 3))
def test_a_trace_is_at_each_tick_what_was_recorded_last(
    changes: list[tuple[int, int]], first: int
) -> None:
    changes.sort(key=lambda change: change[0])
    ticks, values = [tick for tick, _ in changes], [value for _, value in changes]
    trace = Trace.of("A.B", TraceKind.POSITION, first, ticks, values)
    expected, level, place = [], first, 0
    for tick in range(502):
        while place < len(changes) and changes[place][0] <= tick:
            level = changes[place][1]
            place += 1
        expected.append(level)
    assert trace.levels(np.arange(502)).tolist() == expected
    assert [trace.at(tick) for tick in range(502)] == expected
    assert trace.extremes(0, 502) == (min(expected), max(expected))
    assert (trace.values != trace.before).all()
    assert trace.later(7).levels(np.arange(7, 509)).tolist() == expected


def test_events_are_read() -> None:
    assert parse_event("SEQ1.OUTA rise 3") == ("SEQ1.OUTA", "rise", 3, None)
    assert parse_event(" INENC1.VAL change ") == ("INENC1.VAL", "change", 1, None)
    assert parse_event("TTLOUT1 fall 2 20us") == ("TTLOUT1", "fall", 2, 2500)
    with pytest.raises(BadValue, match=r"write SIGNAL rise\|fall\|change NUMBER"):
        parse_event("SEQ1.OUTA rises")


def test_a_window_is_around_its_event() -> None:
    trace = bit("A.OUT", 100, 110, 300, 310, 500)
    assert around(trace, "rise", 2, 100, 0) == (250, 350)
    assert around(trace, "fall", 1, 20, 0) == (100, 120)
    assert around(trace, "rise", 1, 20, 200) == (290, 310)
    start, end = around(trace, "rise", 2, None, 0)
    assert start < 110
    assert end > 310
    with pytest.raises(BadValue, match=r"A\.OUT rise 4: it does so 3 times only"):
        around(trace, "rise", 4, None, 0)


def test_a_lone_event_has_a_window() -> None:
    start, end = around(bit("A.OUT", 5000), "rise", 1, None, 0)
    assert start < 5000 < end


def test_a_picture_has_a_lane_for_each_signal_and_its_numbers() -> None:
    states = Trace.of(
        "SEQ1.STATE", TraceKind.STATE, 0, [300], [2], {0: "UNREADY", 2: "WAIT_TRIGGER"}
    )
    counts = Trace.of("COUNTER1.OUT", TraceKind.POSITION, -5, [200, 600], [17, 18])
    found = words(
        picture_of(diagram(bit("TTLIN1.VAL", 250, 750), counts, states, captures=(100, 900)))
    )
    for text in ("title", "TTLIN1.VAL", "COUNTER1.OUT", "SEQ1.STATE", "captures"):
        assert text in found
    assert {"-5", "17", "18", "UNREADY", "WAIT_TRIGGER", "1", "2"} <= set(found)


def test_levels_are_where_they_belong() -> None:
    picture = picture_of(diagram(bit("A.OUT", 250, 750)))
    [high] = [s for s in picture.shapes if isinstance(s, Box) and s.fill == "#dff2e4"]
    [level] = [s for s in picture.shapes if isinstance(s, LineShape) and s.color == "#1b7f3b"]
    left, right = level.points[0][0], level.points[-1][0]
    assert high.x == pytest.approx(left + (right - left) / 4, abs=1)
    assert high.width == pytest.approx((right - left) / 2, abs=1)


def test_bits_that_are_too_fast_to_be_seen_are_one_box() -> None:
    fast = bit("CLOCK1.OUT", *range(1, 1_000_000, 5))
    picture = picture_of(diagram(fast, end=1_000_000))
    assert len(picture.shapes) < 50
    assert len([s for s in picture.shapes if isinstance(s, Box) and s.fill == "#8fc7a1"]) == 1


def test_captures_and_lost_triggers_are_marked_and_counted_from_the_first() -> None:
    ticks = np.arange(100, 1000, 100)
    marks = [Marks("captures", ticks), Marks("lost", np.array([950]), is_bad=True)]
    found = words(picture_of(Diagram("t", [], 0, 450, 1000, marks)))
    assert [text for text in found if text in "123456789"] == ["5", "6", "7", "8", "9"]
    assert "lost" in found


@pytest.mark.parametrize("count", [10, 1000, 100_000])
def test_marks_are_never_more_than_pixels(count: int) -> None:
    captures = tuple(range(0, 10_000_000, 10_000_000 // count))
    picture = picture_of(diagram(end=10_000_000, captures=captures))
    assert len(picture.shapes) < 5000
    numbers = [shape for shape in picture.shapes if isinstance(shape, Word) and shape.size == 10]
    assert all(a.x + 6 < b.x for a, b in pairwise(numbers))


def test_an_svg_is_xml_with_all_that_is_in_the_picture() -> None:
    picture = picture_of(diagram(bit("A.<&>", 250, 750), captures=(500,)))
    root = ElementTree.fromstring(svg(picture))  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert len(root) == len(picture.shapes) + 1
    assert "A.<&>" in [element.text for element in root]


def test_a_png_shows_the_levels(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    path = tmp_path / "a.png"
    picture = picture_of(diagram(bit("A.OUT", 500)))
    write_png(picture, path)
    image = imread(path)
    assert image.shape[1] / image.shape[0] == pytest.approx(picture.width / picture.height, 0.01)
    green = (image[:, :, 1] > image[:, :, 0] + 0.04).any(axis=0)
    assert green[-300:].any()


def read_vcd(text: str) -> dict[str, list[tuple[int, str]]]:
    """The changes in a dump by signal, as a viewer reads them."""
    scope, names, changes, now = "", {}, {}, 0
    for line in text.splitlines():
        if found := re.fullmatch(r"\$scope module (\S+) \$end", line):
            scope = found[1]
        elif found := re.fullmatch(r"\$var (\w+) (\d+) (\S+) (\S+) \$end", line):
            names[found[3]] = f"{scope}.{found[4]}"
        elif line.startswith("#"):
            now = int(line[1:])
        elif found := re.fullmatch(r"([01])(\S+)|b([01]+) (\S+)|s(\S+) (\S+)", line):
            value, code = next(
                (v, c)
                for v, c in zip(found.groups()[::2], found.groups()[1::2], strict=True)
                if v is not None
            )
            changes.setdefault(names[code], []).append((now, value))
    return changes


def test_a_dump_has_every_change_in_nanoseconds() -> None:
    traces = [
        bit("TTLIN1.VAL", 250, 750),
        Trace.of("COUNTER1.OUT", TraceKind.POSITION, -1, [10], [5]),
        Trace.of("SEQ1.STATE", TraceKind.STATE, 0, [20], [2], {0: "UNREADY", 2: "WAIT TRIGGER"}),
        constant("TTLIN2.VAL", 1),
    ]
    lines = list(vcd(diagram(*traces)))
    assert "$timescale 1 ns $end" in lines
    assert lines[-1] == "#8000"
    assert read_vcd("\n".join(lines)) == {
        "TTLIN1.VAL": [(0, "0"), (2000, "1"), (6000, "0")],
        "COUNTER1.OUT": [(0, "1" * 32), (80, "101")],
        "SEQ1.STATE": [(0, "UNREADY"), (160, "WAIT_TRIGGER")],
        "TTLIN2.VAL": [(0, "1")],
    }


def test_a_dump_begins_where_the_window_does() -> None:
    lines = vcd(Diagram("t", [bit("A.OUT", 100, 200, 300)], 0, 150, 250, ()))
    assert read_vcd("\n".join(lines)) == {"A.OUT": [(0, "1"), (400, "0")]}


def test_a_dump_of_many_signals_has_a_code_for_each() -> None:
    traces = [constant(f"BLOCK{number}.OUT", number % 2) for number in range(300)]
    found = read_vcd("\n".join(vcd(diagram(*traces))))
    assert found == {trace.name: [(0, str(trace.first))] for trace in traces}
