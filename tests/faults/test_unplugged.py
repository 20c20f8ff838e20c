"""A pulled cable, where this system lets us make a network for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNPLUGGED = Path(__file__).with_name("unplugged.py")
TRIAL = "ip link set lo up && ip link add near type veth peer name far"


def namespace() -> list[str]:
    """The command that runs another one in a network namespace."""
    if shutil.which("unshare") and shutil.which("ip"):
        for command in (["unshare", "-n"], ["unshare", "-rn"]):
            trial = subprocess.run([*command, "sh", "-c", TRIAL], capture_output=True, check=False)
            if trial.returncode == 0:
                return command
    pytest.skip("no network namespaces here (unshare, ip)")


def test_a_pulled_cable_is_noticed_and_forgotten() -> None:
    options = ["-q", "-s", "-n", "0", "-p", "no:cacheprovider"]
    command = [*namespace(), sys.executable, "-m", "pytest", *options]
    ran = subprocess.run(
        [*command, str(UNPLUGGED)], capture_output=True, text=True, timeout=110, check=False
    )
    print(ran.stdout, ran.stderr)
    assert ran.returncode == 0
