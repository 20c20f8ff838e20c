"""The pages on scripts and the protocol: examples work, pictures are current."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.docs_blocks import Block, blocks
from support.servers import Sim

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS / "explanations" / "protocol.md", DOCS / "how-to" / "scripting.md"]
EXAMPLES = [block for page in PAGES for block in blocks(page)]


def run(command: list[str], directory: Path) -> None:
    done = subprocess.run(
        command,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", [b for b in EXAMPLES if b.language == "python"], ids=str)
def test_an_example_runs(block: Block, sim: Sim, tmp_path: Path) -> None:
    here = f'"127.0.0.1", {sim.port}'
    text = block.text.replace('"panda", 8888', here)
    text = text.replace('"panda"', f"{here}, {sim.data_port}")
    run([sys.executable, "-c", text], tmp_path)


def test_the_states_are_those_of_the_code() -> None:
    run([sys.executable, str(DOCS / "states.py"), "--check"], DOCS)


@pytest.mark.parametrize("name", ["control", "data"])
def test_the_pictures_show_all_states(name: str) -> None:
    wanted = re.findall(r"(\w+) -> (\w+)", (DOCS / "images" / f"{name}-states.dot").read_text())
    svg = (DOCS / "images" / f"{name}-states.svg").read_text()
    arrows = re.findall(r"<title>(\w+)&#45;&gt;(\w+)</title>", svg)
    assert wanted
    assert sorted(arrows) == sorted(wanted)
