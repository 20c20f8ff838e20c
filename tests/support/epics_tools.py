"""caget, caput, camonitor, pvget, pvput as in the documentation, for machines without EPICS base.

They print what those of EPICS base 7 print, as far as the documentation shows it. They are more
patient, for busy machines.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import aioca
import numpy as np
from epicscorelibs.ca.cadef import ECA_TIMEOUT, CAException
from p4p.client.thread import Context

ENOUGH = 3  # updates of a monitor; then a person would press Ctrl-C
# Elements of an array: with room for them, or in use. The tools print zeros for the rest.
ALL, USED = -1, 0
# As caget -S and caput -S escape them.
ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\t": "\\t"})


def main(arguments: Sequence[str]) -> int:
    """Run one of them; returns the exit status."""
    tool, *rest = arguments
    parser = argparse.ArgumentParser(prog=tool)
    parser.add_argument("-S", action="store_true")
    parser.add_argument("-c", action="store_true")
    parser.add_argument("-a", action="store_true")
    parser.add_argument("-w", type=float, default=10)
    parser.add_argument("-#", type=int, dest="count")
    parser.add_argument("-r", default="")
    parser.add_argument("words", nargs=argparse.REMAINDER)  # a number below zero is no option
    options = parser.parse_args(rest)
    if tool.startswith("pv"):
        return _pva(tool, options)
    return asyncio.run(_ca(tool, options))


def _pva(tool: str, options: argparse.Namespace) -> int:
    with Context("pva", nt=False) as context:
        if tool == "pvput":
            name, *values = options.words
            context.put(name, values if len(values) > 1 else values[0], timeout=options.w)
        else:
            for name in options.words:
                print(name, context.get(name, timeout=options.w))
    return 0


async def _ca(tool: str, options: argparse.Namespace) -> int:
    try:
        if tool == "caput":
            return await _caput(options)
        if tool == "camonitor":
            return await _camonitor(options)
        count = options.count or (USED if options.c else ALL)
        for name in options.words:
            print(await _line(name, options, count))
        return 0
    except aioca.CANothing as error:
        return _fail(f"Channel connect timed out: '{error.name}' not found.")
    finally:
        aioca.purge_channel_caches()


async def _caput(options: argparse.Namespace) -> int:
    name, *values = options.words
    print("Old :", await _line(name, options))
    value: Any = values[1:] if options.a else " ".join(values)
    datatype = aioca.DBR_CHAR_STR if options.S else None
    try:
        await aioca.caput(name, value, wait=options.c, timeout=options.w, datatype=datatype)
    except CAException as error:
        return _fail(f"Error from put operation: {error}")
    except aioca.CANothing as error:
        if error.errorcode != ECA_TIMEOUT:
            return _fail(f"Error occured writing data: {str(error).removeprefix(f'{name}: ')}")
        _fail("Write callback operation timed out")  # no failure, says caput
    print("New :", await _line(name, options))
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


async def _camonitor(options: argparse.Namespace) -> int:
    enough = asyncio.Event()
    seen = 0

    def show(value: Any) -> None:
        nonlocal seen
        stamp = datetime.fromtimestamp(value.timestamp).isoformat(" ")
        print(f"{value.name:<30} {stamp} {_text(value)}")
        seen += 1
        if seen >= ENOUGH:
            enough.set()

    aioca.camonitor(
        options.words,
        lambda value, _: show(value),
        format=aioca.FORMAT_TIME,
        count=options.count or USED,
    )
    await asyncio.wait_for(enough.wait(), 30)
    return 0


async def _line(name: str, options: argparse.Namespace, count: int = ALL) -> str:
    value = await aioca.caget(name, timeout=options.w, count=count)
    if value.datatype == aioca.DBR_ENUM:
        value = await aioca.caget(name, datatype=str, timeout=options.w)
    if not isinstance(value, np.ndarray):
        return f"{name:<30} {_text(value)}"
    if options.S and value.datatype == aioca.DBR_CHAR:
        return f"{name} {value.tobytes().partition(bytes(1))[0].decode().translate(ESCAPES)}"
    return f"{name} {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return " ".join([str(len(value)), *map(_text, value)])
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
