"""caget, caput, camonitor, pvget, pvput as in the documentation, for machines without EPICS base.

They print what those of EPICS base print, as far as the documentation shows it.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import aioca
import numpy as np
from p4p.client.thread import Context

ENOUGH = 3  # updates of a monitor; then a person would press Ctrl-C


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
    parser.add_argument("words", nargs="+")
    # A number below zero is no option.
    options = parser.parse_args([f" {word}" if word[:2] == "-1" else word for word in rest])
    options.words = [word.strip() for word in options.words]
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
        for name in options.words:
            print(await _line(name, options))
        return 0
    except aioca.CANothing as error:
        print(f"Channel connect timed out: {error}", file=sys.stderr)
        return 1
    finally:
        aioca.purge_channel_caches()


async def _caput(options: argparse.Namespace) -> int:
    name, *values = options.words
    print("Old :", await _line(name, options))
    value: Any = values[1:] if options.a else values[0]
    try:
        datatype = aioca.DBR_CHAR_STR if options.S else None
        await aioca.caput(name, value, wait=options.c, timeout=options.w, datatype=datatype)
    except aioca.CANothing as error:
        print(f"Error occured writing data: {error}", file=sys.stderr)
        return 1
    print("New :", await _line(name, options))
    return 0


async def _camonitor(options: argparse.Namespace) -> int:
    enough = asyncio.Event()
    seen = 0

    def show(value: Any) -> None:
        nonlocal seen
        print(value.name, _text(value))
        seen += 1
        if seen >= (options.count or ENOUGH):
            enough.set()

    aioca.camonitor(options.words, lambda value, _: show(value), datatype=_datatype(options))
    await asyncio.wait_for(enough.wait(), 30)
    return 0


async def _line(name: str, options: argparse.Namespace) -> str:
    value = await aioca.caget(name, datatype=_datatype(options), timeout=options.w)
    if not options.S and value.datatype == 3:  # an enum: as its label
        value = await aioca.caget(name, datatype=str, timeout=options.w)
    return f"{name:<30} {_text(value)}"


def _datatype(options: argparse.Namespace) -> Any:
    return aioca.DBR_CHAR_STR if options.S else None


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return " ".join([str(len(value)), *(_text(item) for item in value)])
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
