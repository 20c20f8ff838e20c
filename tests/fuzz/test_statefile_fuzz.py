"""Any file is read as settings, or refused; what was read can be sent."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from panda_ioc import statefile
from panda_ioc.errors import ConfigurationError
from panda_ioc.protocol.commands import SetState
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.statefile.lines import Setting, lines_of

LINES = st.sampled_from(
    [
        *("", "# comment < =", "PULSE1.DELAY=1", "PULSE1.DELAY.UNITS=ms", "PULSE1.DELAY?"),
        *("SEQ1.TABLE<", "SEQ1.TABLE<B", "SEQ1.TABLE<<", "*PCAP.ARM=", "1 2 3 4", "AAAA"),
        *("*METADATA.DESIGN<", "*METADATA.LABEL_PULSE1=a = b < c", "*DESC.PULSE?", "\x00", "a b=1"),
        *("!PULSE1.DELAY=1", "!SEQ1.TABLE<", ".", "PULSE1.WIDTH (error)", "\r", "\ufeff"),
    ]
)


def read(content: bytes) -> list[Setting] | None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "state"
        path.write_bytes(content)
        try:
            return statefile.read(path)
        except ConfigurationError:
            return None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read(content)


@given(st.lists(LINES, max_size=12))
def test_only_settings_are_ever_sent(lines: list[str]) -> None:
    found = read("\n".join(lines).encode())
    if found is None:
        return
    settings = lines_of(found)
    sent = (
        ControlConnection().send(SetState(settings)).decode().split("\n")[:-1] if settings else []
    )
    in_table = False
    for line in sent:
        if in_table:
            in_table = line != ""
        else:
            assert line.startswith(("PULSE1.", "SEQ1.TABLE<", "*METADATA."))
            assert not line.startswith("SEQ1.TABLE<<")
            in_table = line.endswith(("<", "<B"))
    assert not in_table
