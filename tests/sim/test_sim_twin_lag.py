"""What makes most events is named, encoders that move included."""

import pytest

from panda_ioc.sim.twin.network import Network
from panda_ioc.sim.twin.trajectory_text import parse_trajectory
from panda_ioc.sim.twin_hardware.lag import LagReport


@pytest.mark.parametrize(
    ("motion", "busiest"), [("ramp:0,1000,1ms", "INENC1.VAL"), ("ramp:0,10,1ms", "CLOCK1.OUT")]
)
def test_busiest_output(motion: str, busiest: str) -> None:
    twin = Network({"INENC1": "INENC", "FILTER1": "FILTER", "CLOCK1": "CLOCK", "DIV1": "DIV"})
    for name, source in (("FILTER1.INP", "INENC1.VAL"), ("DIV1.INP", "CLOCK1.OUT")):
        twin.wire(name, source)
    twin.wire("CLOCK1.ENABLE", "ONE")
    twin.write("CLOCK1.PERIOD", 1000)
    twin.move("INENC1.VAL", parse_trajectory(motion))
    twin.run_until(100_000)
    output, _ = LagReport(twin).busiest()
    assert output.name == busiest
