"""What a type checker, and so an editor, is told about the views of a PandA."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from typing import Any, assert_type
from numpy.typing import NDArray
from panda_ioc.client.panda import AsyncLeaf, AsyncPanda, BlockView, Leaf, Panda, Table
from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import Get, GetLine, Put

with Panda.open("panda", timeout=5) as panda:
    assert_type(panda, Panda)
    assert_type(panda.PULSE1, BlockView)
    assert_type(panda.PULSE1.DELAY, Leaf)
    assert_type(panda.PULSE1.DELAY.UNITS, Leaf)
    assert_type(panda.PULSE1.DELAY.get(), int | float | str)
    assert_type(panda.PULSE1.DELAY.get("ms"), float)
    assert_type(panda.SEQ1.TABLE, Table)
    assert_type(panda.SEQ1.TABLE.get(), NDArray[Any])
    assert_type(panda.blocks["PULSE1"].fields["DELAY"], Leaf)
    panda.PULSE1.DELAY.put(2.5, "ms")
    panda.PULSE1.DELAY.put([])  # wrong
    panda.PULSE1.DELAY.get("hours")  # wrong
    Panda.open("panda", port=1)  # wrong


async def asynchronous() -> None:
    async with await AsyncPanda.open("panda") as panda:
        assert_type(panda, AsyncPanda)
        assert_type(panda.PULSE1.DELAY, AsyncLeaf)
        assert_type(await panda.PULSE1.DELAY.get(), int | float | str)
        assert_type(await panda.PULSE1.DELAY.get("s"), float)
        assert_type(await panda.SEQ1.TABLE.get(), NDArray[Any])


with BlockingClient("panda") as client:
    assert_type(client.send(GetLine("A")), str)
    assert_type(client.send(Get("A")), str | list[str])
    assert_type(client.send([GetLine("A"), GetLine("B")]), list[str])
    client.send(Put("A", 1))
    client.send(Put("A", [1, 2]))
"""


@pytest.mark.slow
def test_types(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(script)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    wrong = [n for n, line in enumerate(SCRIPT.splitlines(), 1) if line.endswith("# wrong")]
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [int(line.split(":")[1]) for line in errors] == wrong, done.stdout + done.stderr
