"""The state machines of the protocol core, found out by running them: `python docs/states.py`.

Writes the tables in explanations/protocol.md and the pictures of them; with --check only says what
is out of date. The states and where a line or byte leads are those of the code: each connection is
brought into each of its states, given each thing that may come, and asked for its state.
"""

import argparse
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from panda_ioc.errors import PandAError
from panda_ioc.protocol.commands import Get
from panda_ioc.protocol.connections import ControlConnection, DataConnection

DOCS = Path(__file__).parent
PAGE = DOCS / "explanations" / "protocol.md"
END = None  # end of file

HEADER = b"""<header>
<data arm_time="a" missed="0" process="Raw" format="Framed" sample_bytes="4" />
<fields>
<field name="A.B" type="int32" capture="Value" scale="1" offset="0" units="" />
</fields>
</header>

"""
FRAME = b"BIN " + struct.pack("<I", 12)


@dataclass(frozen=True)
class Machine:
    """A state machine, and what may come in each of its states.

    Attributes:
        make: a connection in its first state
        feed: gives it bytes, or the end of file; returns what comes out
        stimuli: state -> label -> bytes
    """

    name: str
    make: Callable[[], Any]
    feed: Callable[[Any, bytes | None], list[str]]
    stimuli: Mapping[str, Mapping[str, bytes | None]]


@dataclass(frozen=True)
class Transition:
    """What a stimulus does in a state, and what comes out."""

    state: str
    stimulus: str
    after: str
    out: str


def transitions(machine: Machine) -> list[Transition]:
    """All transitions, in the order in which the states are reached."""
    first = _state(machine.make())
    paths: dict[str, list[bytes | None]] = {first: []}
    found: list[Transition] = []
    for state in (order := [first]):
        for label, stimulus in machine.stimuli.get(state, {}).items():
            connection = machine.make()
            for each in paths[state]:
                machine.feed(connection, each)
            out = machine.feed(connection, stimulus)
            after = _state(connection)
            found.append(Transition(state, label, after, ", ".join(out)))
            if after not in paths:
                paths[after] = [*paths[state], stimulus]
                order.append(after)
    return found


def _state(connection: Any) -> str:
    name: str = connection._state.name
    return name


def _control() -> ControlConnection:
    connection = ControlConnection()
    connection.send(Get("A"))
    connection.send(Get("B"))
    return connection


def _feed_control(connection: ControlConnection, data: bytes | None) -> list[str]:
    failed = []
    try:
        if data is None:
            connection.receive_eof()
        else:
            connection.receive_bytes(data)
    except PandAError as error:
        failed = [f"raises {type(error).__name__}"]
    results = [result for _, result in connection.responses()]
    errors = sorted(
        {type(r).__name__ for r in results if isinstance(r, PandAError)} - {"CommandError"}
    )
    if errors:
        return [*failed, f"all pending commands fail with {errors[0]}"]
    return [*failed, *["a result" for _ in results]]


def _data() -> DataConnection:
    connection = DataConnection()
    connection.connect(scaled=False)
    return connection


def _feed_data(connection: DataConnection, data: bytes | None) -> list[str]:
    out = []
    try:
        for event in connection.receive_eof() if data is None else connection.receive_bytes(data):
            out.append(type(event).__name__)
    except PandAError as error:
        out.append(f"raises {type(error).__name__}")
    return out


CONTROL = Machine(
    "control",
    _control,
    _feed_control,
    {
        "READY": {
            "OK ...": b"OK =1\n",
            "ERR ...": b"ERR no\n",
            "!value": b"!1\n",
            ". (an empty list)": b".\n",
            "a reply that nobody asked for": b"OK\n" * 3,
            "any other line": b"hello\n",
            "end of file": END,
        },
        "IN_REPLY": {
            "!value": b"!1\n",
            ".": b".\n",
            "any other line": b"OK\n",
            "end of file": END,
        },
    },
)
DATA = Machine(
    "data",
    _data,
    _feed_data,
    {
        "CONNECT": {
            "OK": b"OK\n",
            "ERR ...": b"ERR no\n",
            "any other line": b"hello\n",
            "end of file": END,
        },
        "HEADER": {"a header": HEADER, "anything else": b"hello\n", "end of file": END},
        "TAG": {
            "BIN and a length": FRAME,
            "BIN and no whole samples": b"BIN " + struct.pack("<I", 11),
            "END": b"END 1234",
            "anything else": b"hello there",
            "end of file": END,
        },
        "FRAME": {
            "some of its bytes": bytes(3),
            "the last of its bytes": bytes(4),
            "end of file": END,
        },
        "END": {"the rest of the line": b" Ok\n", "any other line": b"x\n", "end of file": END},
    },
)


def table(machine: Machine) -> str:
    """The transitions in Markdown."""
    rows = [f"| {t.state} | {t.stimulus} | {t.after} | {t.out} |" for t in transitions(machine)]
    return "\n".join(["| in state | comes | then | out |", "|---|---|---|---|", *rows])


def picture(machine: Machine) -> str:
    """The transitions for Graphviz, those between the same states in one arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for each in transitions(machine):
        arrows.setdefault((each.state, each.after), []).append(each.stimulus)
    lines = [f' {a} -> {b} [label="{_label(texts)}"];' for (a, b), texts in arrows.items()]
    style = 'fontname="Helvetica" fontsize=11'
    return "\n".join(
        [
            f"// By docs/states.py, from the code. dot -Tsvg {machine.name}-states.dot",
            f"digraph {machine.name} {{ graph [bgcolor=white pad=0.2 nodesep=0.6];",
            f' node [{style} shape=box style="rounded,filled" fillcolor="#eef3f6"];',
            f" edge [{style} fontsize=9 arrowsize=0.7];",
            *lines,
            "}\n",
        ]
    )


def _label(texts: list[str]) -> str:
    return "\\n".join(texts)


def page(text: str) -> str:
    """The page with its tables brought up to date."""
    for machine in (CONTROL, DATA):
        begin, end = f"<!-- states: {machine.name} -->", "<!-- end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{PAGE}: no {begin}")
        replacement = f"{begin}\n{table(machine)}\n{end}"
        text = pattern.sub(lambda found, new=replacement: new, text)  # type: ignore[misc]
    return text


def files() -> Iterator[tuple[Path, str]]:
    """Path and text of all that is generated, apart from what Graphviz makes of it."""
    yield PAGE, page(PAGE.read_text())
    for machine in (CONTROL, DATA):
        yield DOCS / "images" / f"{machine.name}-states.dot", picture(machine)


def main() -> int:
    """Write, or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    old = [path for path, text in files() if not path.exists() or path.read_text() != text]
    if check:
        sys.stderr.writelines(f"{path} is out of date\n" for path in old)
        return int(bool(old))
    for path, text in files():
        path.write_text(text)
        if path.suffix == ".dot":
            subprocess.run(["dot", "-Tsvg", path, "-o", path.with_suffix(".svg")], check=True)  # noqa: S603, S607
    return 0


if __name__ == "__main__":
    sys.exit(main())
