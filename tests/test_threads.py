"""In debug mode each thing is used from its own thread only."""

import os
import subprocess
import sys

import pytest

CODE = """
import threading
from panda_ioc.ioc.panda.news import Board
from panda_ioc.threads import WrongThread

board, told = Board(), []
board.stale()
def elsewhere():
    try:
        board.stale()
    except WrongThread as error:
        told.append(str(error))
thread = threading.Thread(target=elsewhere, name="stranger")
thread.start()
thread.join()
board.stale()
print(told)
"""


def _run(options: list[str], environment: dict[str, str]) -> str:
    inherited = {k: v for k, v in os.environ.items() if k != "PANDA_IOC_CHECK_THREADS"}
    command = [sys.executable, *options, "-c", CODE]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=inherited | environment
    )
    return done.stdout


@pytest.mark.parametrize(
    ("options", "environment"), [(["-X", "dev"], {}), ([], {"PANDA_IOC_CHECK_THREADS": "1"})]
)
def test_a_stranger_is_told_in_debug_mode(options: list[str], environment: dict[str, str]) -> None:
    told = _run(options, environment)
    assert "the board belongs to thread 'MainThread', not to 'stranger'" in told


def test_nothing_is_checked_otherwise() -> None:
    assert _run([], {}) == "[]\n"


def test_all_tests_run_in_debug_mode() -> None:
    assert "PANDA_IOC_CHECK_THREADS" in os.environ
