"""`panda-ioc diagram`: draws the blocks of a PandA and the wires between them.

Graphviz lays the picture out from left to right; without it only its input (`.gv`) can be written.
"""

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from panda_ioc import statefile
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.device.wiring import Port, Wire, Wiring, read_wiring
from panda_ioc.errors import ConfigurationError
from panda_ioc.protocol.commands import GetState
from panda_ioc.statefile.lines import lines_of

FORMATS = ("svg", "pdf", "png", "gv")

_FONT = "Liberation Sans,Helvetica,Arial,sans-serif"
_BIT, _POSITION = "#2e7d32", "#1f4e9e"
_HEAD, _BODY, _FRAME = "#dfe7ef", "#ffffff", "#6b7785"


def draw_panda(host: str, port: int, timeout: float, output: Path | None) -> int:
    """Draw the wiring of a PandA; returns the exit status.

    Args:
        host, port: of its control port
        timeout: seconds that it may take to answer
        output: file to write, its format being told by its name; None: SVG to stdout
    """
    kind = _format(output)
    with BlockingClient(host, port, timeout=timeout) as client:
        lines = client.send(GetState(), max(timeout, statefile.TIMEOUT))
    return _write(lines, kind, output)


def draw_state(state: Path, output: Path | None) -> int:
    """Draw the wiring of a saved state; return the exit status."""
    kind = _format(output)
    return _write(lines_of(statefile.read(state)), kind, output)


def _write(lines: list[str], kind: str, output: Path | None) -> int:
    drawing = draw(read_wiring(lines))
    data = drawing.source.encode() if kind == "gv" else _rendered(drawing, kind)
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        output.write_bytes(data)
    return 0


def draw(wiring: Wiring) -> Any:
    """Return the wiring as a graph of Graphviz."""
    try:
        import graphviz
    except ImportError as error:
        raise ConfigurationError(
            "drawing needs the Python package graphviz: pip install 'panda-ioc[diagram]'"
        ) from error
    graph = graphviz.Digraph(
        "PandA",
        graph_attr={"rankdir": "LR", "ranksep": "1.2", "nodesep": "0.25", "fontname": _FONT},
        node_attr={"shape": "plain", "fontname": _FONT, "fontsize": "12"},
        edge_attr={"arrowsize": "0.6", "fontname": _FONT, "fontsize": "10"},
    )
    for block in wiring.blocks:
        graph.node(block, _node(wiring, block))
    for wire in wiring.wires:
        graph.edge(_port(wire.source, "out", "e"), _port(wire.target, "in", "w"), **_edge(wire))
    return graph


def _format(output: Path | None) -> str:
    found = output.suffix[1:] if output else FORMATS[0]
    if found not in FORMATS:
        raise ConfigurationError(f"{output}: its name has to end in .{', .'.join(FORMATS)}")
    return found


def _rendered(drawing: Any, kind: str) -> bytes:
    import graphviz

    try:
        data: bytes = drawing.pipe(format=kind)
    except graphviz.ExecutableNotFound as error:
        raise ConfigurationError(
            "drawing needs the program dot of Graphviz: install the package graphviz of your "
            "system, or write a file that ends in .gv"
        ) from error
    except graphviz.CalledProcessError as error:
        raise ConfigurationError(f"dot of Graphviz failed: {error}") from error
    return data


def _node(wiring: Wiring, block: str) -> str:
    """Return a block as a table: name and label, inputs on the left, outputs on the right."""
    label = "".join(filter(str.isprintable, wiring.label(block)))
    heading = f"<B>{escape(block)}</B>" + (f"<BR/><I>{escape(label)}</I>" if label else "")
    inputs, outputs = wiring.inputs(block), wiring.outputs(block)
    sides = "".join(
        f"<TD>{_side(fields, end)}</TD>"
        for fields, end in ((inputs, "in"), (outputs, "out"))
        if fields
    )
    columns = bool(inputs) + bool(outputs)
    return (
        f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{_FRAME}"'
        f' BGCOLOR="{_BODY}"><TR><TD COLSPAN="{columns}" BGCOLOR="{_HEAD}" CELLPADDING="4">'
        f"{heading}</TD></TR><TR>{sides}</TR></TABLE>>"
    )


def _side(fields: Iterable[str], end: str) -> str:
    align = {"in": "LEFT", "out": "RIGHT"}[end]
    rows = "".join(
        f'<TR><TD PORT="{end}_{field}" ALIGN="{align}">{field}</TD></TR>' for field in fields
    )
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>'


def _port(port: Port, end: str, side: str) -> str:
    return f"{port.block}:{end}_{port.field}:{side}"


def _edge(wire: Wire) -> dict[str, str]:
    text = {"headlabel": f"+{wire.delay} "} if wire.delay else {}
    if wire.is_bit:
        return {"color": _BIT, **text}
    return {"color": _POSITION, "penwidth": "2.2", **text}
