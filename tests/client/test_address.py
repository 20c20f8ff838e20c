"""How people write where a PandA is."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc import cli
from panda_ioc.client.address import Address, with_port
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.errors import ConfigurationError, ConnectionLost
from support.boxes import FaultyBox

GOOD = {
    "panda": ("panda", 8888, 8889),
    "panda:9000": ("panda", 9000, 9001),
    "10.0.0.1:9000:7": ("10.0.0.1", 9000, 7),
    "panda:65535:7": ("panda", 65535, 7),
    "::1": ("::1", 8888, 8889),
    "[::1]": ("::1", 8888, 8889),
    "[::1]:9000": ("::1", 9000, 9001),
    "[::1]:8888:8889": ("::1", 8888, 8889),
    "[fe80::1%eth0]:9000:7": ("fe80::1%eth0", 9000, 7),
    "fe80::1:2": ("fe80::1:2", 8888, 8889),
}


@pytest.mark.parametrize(("text", "parts"), GOOD.items())
def test_address(text: str, parts: tuple[str, int, int]) -> None:
    found = Address.parse(text, 2.5)
    assert (found.host, found.control_port, found.data_port) == parts
    assert found.timeout == 2.5
    assert Address.parse(f"{found}:7") == Address(*parts[:2], 7)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":1", "panda:", "panda:a", "panda:0", "panda:1:65536", "panda:1:2:3", "panda::"),
        *("[", "[]", "[]:1", "[::1", "::1]", "[::1]1", "[::1]:", "[panda]:1", "[1.2.3.4]:1"),
        *("1:2:3:4:5:6:7:8:9", "[::g]:1", "[::1]:1:2:3", "panda:\u0661"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Address.parse(text)
    assert str(raised.value).startswith(f"{text}: ")


@given(st.text("panda[]:%.0123456789fe", max_size=30))
def test_any_text_is_an_address_or_a_clear_error(text: str) -> None:
    try:
        found = Address.parse(text)
    except ConfigurationError as error:
        assert str(error).startswith(f"{text}: ")  # noqa: PT017
    else:
        assert found.host
        assert 0 < found.control_port < 65536
        assert 0 < found.data_port < 65536


def test_messages_have_brackets_too() -> None:
    assert with_port("::1", 5) == "[::1]:5"
    assert with_port("panda", 5) == "panda:5"
    with pytest.raises(ConnectionLost, match=r"\[::1\]:1: cannot connect"):
        BlockingClient("::1", 1).connect()
    with pytest.raises(ConnectionLost, match=r"data port \[::1\]:2: cannot connect"):
        next(iter(BlockingClient("::1", 1).data()))


def test_a_panda_with_an_ipv6_address(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with FaultyBox(listener=listener) as box:
        assert cli.main(["control", f"[::1]:{box.port}:1", "A?"]) == 0
    assert capsys.readouterr().out == "OK =A?\n"
