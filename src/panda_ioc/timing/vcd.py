"""Timing diagrams for viewers of waveforms, such as GTKWave and Surfer: value change dumps."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from panda_ioc.timing.diagram import Diagram
from panda_ioc.timing.times import TICK_NS
from panda_ioc.timing.trace import Trace, TraceKind

_LETTERS = "".join(map(chr, range(33, 127)))
_VARIABLES = {
    TraceKind.BIT: "wire 1",
    TraceKind.POSITION: "integer 32",
    TraceKind.STATE: "string 1",
}
_BITS = 32


def vcd(diagram: Diagram) -> Iterator[str]:
    """Yield the lines of a dump; its time 0 is where the diagram begins."""
    yield f"$comment {diagram.title} $end"
    yield "$timescale 1 ns $end"
    codes = {trace.name: _code(number) for number, trace in enumerate(diagram.traces)}
    yield from _declarations(diagram.traces, codes)
    yield "$enddefinitions $end"
    yield "#0"
    yield "$dumpvars"
    for trace in diagram.traces:
        yield _value(trace, trace.at(diagram.start), codes[trace.name])
    yield "$end"
    yield from _changes(diagram, codes)
    yield f"#{diagram.ticks * TICK_NS}"


def _declarations(traces: Sequence[Trace], codes: dict[str, str]) -> Iterator[str]:
    """Yield a scope for each block."""
    ordered = sorted(traces, key=lambda trace: trace.name.partition(".")[0])
    for block, members in groupby(ordered, key=lambda trace: trace.name.partition(".")[0]):
        yield f"$scope module {block} $end"
        for trace in members:
            name = trace.name.partition(".")[2] or trace.name
            yield f"$var {_VARIABLES[trace.kind]} {codes[trace.name]} {name} $end"
        yield "$upscope $end"


def _code(number: int) -> str:
    """Return the shortest word that stands for a variable."""
    code = _LETTERS[number % len(_LETTERS)]
    rest = number // len(_LETTERS)
    return code if not rest else _code(rest - 1) + code


def _value(trace: Trace, value: int, code: str) -> str:
    if trace.kind is TraceKind.BIT:
        return f"{value & 1}{code}"
    if trace.kind is TraceKind.POSITION:
        return f"b{value & ((1 << _BITS) - 1):b} {code}"
    return f"s{trace.text(value).replace(' ', '_')} {code}"


def _changes(diagram: Diagram, codes: dict[str, str]) -> Iterator[str]:
    found = [
        (int(tick), _value(trace, int(value), codes[trace.name]))
        for trace in diagram.traces
        for tick, value, before in zip(trace.ticks, trace.values, trace.before, strict=True)
        if diagram.start < tick < diagram.end and value != before
    ]
    found.sort(key=lambda change: change[0])
    for tick, group in groupby(found, key=lambda change: change[0]):
        yield f"#{(tick - diagram.start) * TICK_NS}"
        for _, text in group:
            yield text
