"""Arguments of the command line: what is imported for them, and what an address is."""

import subprocess
import sys

import pytest

from panda_ioc import cli

HEAVY = {"numpy", "h5py", "softioc", "epicscorelibs", "matplotlib", "asyncio"}


@pytest.mark.parametrize("command", ["", *(command.name for command in cli.COMMANDS)])
def test_help_imports_nothing_heavy(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "panda_ioc", *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "panda_ioc.cli" in imported
    assert not imported & HEAVY
    assert not [name for name in imported if name.startswith("panda_ioc.commands")]
