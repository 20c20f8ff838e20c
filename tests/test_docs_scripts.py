"""The pages on scripts, the console and the protocol: examples work, pictures are current."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docs_blocks import Block, blocks, prints
from servers import PROGRAM, Sim

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    DOCS / page
    for page in ("explanations/protocol.md", "how-to/scripting.md", "how-to/console.md")
]
EXAMPLES = [block for page in PAGES for block in blocks(page)]


def run(command: list[str], directory: Path, path: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("block", [b for b in EXAMPLES if b.language == "python"], ids=str)
def test_an_example_runs(block: Block, sim: Sim, tmp_path: Path) -> None:
    here = f'"127.0.0.1", {sim.port}'
    text = block.text.replace('"panda-box", 8888', here)
    text = text.replace('"panda-box"', f"{here}, {sim.data_port}")
    run([sys.executable, "-c", text], tmp_path)


@pytest.mark.parametrize("block", [b for b in EXAMPLES if b.language == "console"], ids=str)
def test_a_command_prints_what_the_page_says(block: Block, sim: Sim, tmp_path: Path) -> None:
    program = tmp_path / "panda-ioc"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    for command, expected in block.commands:
        there = command.replace("panda-box", f"127.0.0.1:{sim.port}")
        output = run(["bash", "-c", there], tmp_path, str(tmp_path))
        assert not expected or prints(expected, output), f"{command}{output}"


def test_the_states_are_those_of_the_code() -> None:
    run([sys.executable, str(DOCS / "states.py"), "--check"], DOCS)


@pytest.mark.parametrize("name", ["control", "data"])
def test_the_pictures_show_all_states(name: str) -> None:
    wanted = re.findall(r"(\w+) -> (\w+)", (DOCS / "images" / f"{name}-states.dot").read_text())
    svg = (DOCS / "images" / f"{name}-states.svg").read_text()
    arrows = re.findall(r"<title>(\w+)&#45;&gt;(\w+)</title>", svg)
    assert wanted
    assert sorted(arrows) == sorted(wanted)
