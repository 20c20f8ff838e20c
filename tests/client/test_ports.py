"""Which ports clients connect to."""

import pytest

from panda_ioc.errors import ConnectionLost
from support.eitherclient import HOST, Make
from support.servers import free_ports


def test_the_data_port_is_the_one_after_the_control_port(make: Make) -> None:
    free = set(free_ports(1000))
    port = next(port for port in free if port + 1 in free)
    with pytest.raises(ConnectionLost, match=f"^data port {HOST}:{port + 1}: cannot connect"):
        make(port, None).data(lambda data: True)
