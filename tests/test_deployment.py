"""The bridges that the documentation starts, its access security, the health check of the image."""

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from epicscorelibs.ca.cadef import CAException

from docs_blocks import ROOT, blocks, bridges
from servers import LOOPBACK, PROGRAM, Ioc, Sim, Starter

HEALTH_CHECK = ROOT / "deploy" / "healthcheck.py"
# Each set of options once.
SERVED = {
    " ".join(word for word in arguments if word.startswith("--")): arguments
    for arguments in bridges()
    if arguments[:1] == ["run"]
}


def _check(ioc: Ioc, prefix: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, HEALTH_CHECK],
        env={**os.environ, **ioc.environment, "PANDA_IOC_PREFIX": prefix},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_bridge_that_answers_is_healthy(ioc: Ioc) -> None:
    done = _check(ioc, ioc.prefix)
    assert (done.returncode, done.stdout) == (0, f"{ioc.prefix}:STATUS: CONNECTED\n")


def test_no_answer_is_not(ioc: Ioc) -> None:
    done = _check(ioc, f"{ioc.prefix}X")
    assert done.returncode == 1
    assert f"{ioc.prefix}X:STATUS: no answer" in done.stderr


def test_a_missing_prefix_is_said(ioc: Ioc) -> None:
    done = _check(ioc, "")
    assert done.returncode == 1
    assert "PANDA_IOC_PREFIX" in done.stderr


@pytest.mark.parametrize("may_put", [False, True])
async def test_the_access_security_file_of_the_documentation(
    may_put: bool, start_ioc: Starter[Ioc], ca: Any, tmp_path: Path
) -> None:
    page = ROOT / "docs" / "how-to" / "security.md"
    [rules] = [block.text for block in blocks(page) if block.language == "acf"]
    if may_put:
        rules = rules.replace("alice", getpass.getuser())
    file = tmp_path / "roles.acf"
    file.write_text(rules)
    demo = start_ioc(None, "--access-security", str(file), "--log-puts")
    name = demo.pv("PULSE1:DELAY")
    if may_put:
        await ca.caput(name, 2.5, wait=True)
        demo.wait_for(f"{name}.*2.5")
    else:
        with pytest.raises(CAException, match="Write access denied"):
            await ca.caput(name, 2.5, wait=True)
    assert await ca.caget(name) == (2.5 if may_put else 0)


def test_an_access_security_file_with_a_mistake_ends_the_bridge_in_order(
    ioc: Ioc, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.acf"
    file.write_text("ASG(DEFAULT) {\n    RULE(1, READ)\n")
    done = subprocess.run(
        [*PROGRAM, "demo", "WRONG", "--access-security", file],
        env={**os.environ, **ioc.environment, "EPICS_CAS_SERVER_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert f"panda-ioc: {file}: no valid access security file" in done.stderr


@pytest.mark.parametrize("arguments", SERVED.values(), ids=SERVED)
def test_a_bridge_that_is_told_of_serves(
    arguments: list[str], sim: Sim, start_ioc: Starter[Ioc], tmp_path: Path
) -> None:
    _, _, prefix, *options = arguments
    placed = _placed(options, tmp_path)
    ioc = start_ioc(sim.address, *placed, prefix=prefix, ready=r":\d+: connected")
    assert ioc.stop() == 0


def _placed(options: list[str], directory: Path) -> Iterator[str]:
    """Paths in a directory of the test, addresses of this host."""
    for option, value in pairwise(["", *options]):
        path = directory / value.lstrip("/")
        if option == "--bind":
            yield LOOPBACK
        elif option == "--access-security":
            yield str(ROOT / "db" / "roles.acf")
        elif option.endswith(("-dir", "-root")):
            path.mkdir(parents=True, exist_ok=True)
            yield str(path)
        elif option in ("--cache", "--pv-list"):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield str(path)
        else:
            yield value
