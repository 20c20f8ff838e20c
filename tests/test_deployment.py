"""Bridges, compose files, chart and access security of the documentation; the health check."""

import getpass
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from epicscorelibs.ca.cadef import CAException

from support.docs_blocks import ROOT, blocks, bridges
from support.servers import LOOPBACK, PROGRAM, Ioc, Sim, Starter

PAGE = ROOT / "docs" / "how-to" / "deployment.md"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
HEALTH_CHECK = ROOT / "deploy" / "healthcheck.py"

[ONE, FIRST, CHART] = [
    yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"
]
DOZEN = yaml.safe_load((ROOT / "deploy" / "dozen.yaml").read_text())
VALUES = CHART["ioc-instance"]
SERVICES = [*ONE["services"].values(), *DOZEN["services"].values()]
# What the templates of the chart ioc-instance 5 read, and mount.
CHART_KEYS = {
    *("image", "command", "args", "env", "hostNetwork", "resources", "securityContext"),
    *("livenessProbe", "preStopExecutable", "dataVolume", "volumes", "volumeMounts"),
}
CHART_MOUNTS = ["/autosave", "/epics/opi", "/epics/runtime"]

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
        elif option in ("--cache", "--pv-list", "--alarm-config"):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield str(path)
        else:
            yield value


def test_the_page_shows_the_beginning_of_the_dozen() -> None:
    shown = {**DOZEN, "services": {"panda-01": DOZEN["services"]["panda-01"]}}
    assert shown == FIRST


def test_nothing_of_the_dozen_is_shared() -> None:
    services = DOZEN["services"].values()
    assert len(services) == 12
    for values in zip(*(service["command"][1:5:3] for service in services), strict=True):
        assert len(set(values)) == 12
    for values in zip(*(service["environment"].values() for service in services), strict=True):
        assert len(set(values)) == 12


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service["command"][2])
def test_a_service_fits_the_image(service: dict[str, Any]) -> None:
    volumes = json.loads(re.findall(r"VOLUME (.*)", DOCKERFILE)[0])
    mounted = [volume.partition(":")[2] for volume in service["volumes"]]
    assert set(mounted) <= set(volumes)
    _check_paths(service["command"], mounted)
    _check_environment(service["command"], service["environment"])


def test_the_values_fit_chart_and_image() -> None:
    assert VALUES.keys() <= CHART_KEYS
    assert VALUES["command"] == json.loads(re.findall(r"ENTRYPOINT (.*)", DOCKERFILE)[0])
    assert f"USER {VALUES['securityContext']['runAsUser']}:" in DOCKERFILE
    assert VALUES["livenessProbe"]["exec"]["command"][1] in DOCKERFILE
    _check_paths(VALUES["args"], [*CHART_MOUNTS, VALUES["dataVolume"]["hostPath"]])
    _check_environment(VALUES["args"], {each["name"]: each["value"] for each in VALUES["env"]})


def _check_paths(arguments: list[str], mounted: list[str]) -> None:
    """What the bridge writes is in a volume."""
    paths = [word for word in arguments if word.startswith("/")]
    assert paths
    assert [path for path in paths if not path.startswith(tuple(mounted))] == []


def _check_environment(arguments: list[str], environment: dict[str, str]) -> None:
    """The health check finds the bridge."""
    assert environment["PANDA_IOC_PREFIX"] == arguments[2]
    port = environment.get("EPICS_CAS_SERVER_PORT")
    assert environment.get("EPICS_CA_ADDR_LIST") == (f"127.0.0.1:{port}" if port else None)
