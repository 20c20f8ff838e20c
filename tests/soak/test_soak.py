"""A soak of some seconds, so that the long ones can be relied on."""

import re
import shlex
import subprocess
import sys

from support.docs_blocks import ROOT
from support.servers import LOOPBACK, PROGRAM, free_ports


def test_a_server_that_a_command_starts_is_soaked() -> None:
    free = set(free_ports(2000))
    port = next(port for port in free if port + 1 in free)
    command = shlex.join([*PROGRAM, "sim", "--no-alive", "--port", str(port)])
    where = ["--host", f"{LOOPBACK}:{port}", "--restart", command]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--minutes", "0.15", "--pause", "3", *where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout
    [compared] = re.findall(r"(\d+) with a bridge that has just begun", done.stdout)
    assert int(compared) > 2000
    assert re.search(r"[1-9]\d* good puts accepted", done.stdout)
    assert re.search(r"[1-9]\d* fault: ", done.stdout)
