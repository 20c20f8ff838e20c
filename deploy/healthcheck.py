"""Read PREFIX:STATUS by Channel Access; exit status 0 if the bridge answers, 1 if not.

The prefix comes from PANDA_IOC_PREFIX, or is the argument. A bridge whose PandA is off is healthy:
to start it again would not help. It needs only the client library that comes with the bridge.
"""

import ctypes
import os
import sys

STATES = ("DISCONNECTED", "CONNECTING", "CONNECTED")
TIMEOUT = 5.0  # seconds
_DBR_SHORT = 1
_ECA_NORMAL = 1


def main(arguments: list[str]) -> int:
    """Check, say how it went, return the exit status."""
    prefix = arguments[0] if arguments else os.environ.get("PANDA_IOC_PREFIX", "")
    if not prefix:
        sys.stderr.write("set PANDA_IOC_PREFIX to the prefix that is served\n")
        return 1
    name = f"{prefix.rstrip(':')}:STATUS"
    state = read(name)
    if state is None:
        sys.stderr.write(f"{name}: no answer within {TIMEOUT:g} s\n")
        return 1
    sys.stdout.write(f"{name}: {STATES[state]}\n")
    return 0


def read(name: str) -> int | None:
    """The value of a PV as an integer; None if nobody answers."""
    # A broadcast on loopback is heard by all servers of this host, 127.0.0.1 by one of them,
    # perhaps another; unless that is the only address it serves on.
    os.environ.setdefault("EPICS_CA_ADDR_LIST", "127.255.255.255 127.0.0.1")
    os.environ.setdefault("EPICS_CA_AUTO_ADDR_LIST", "NO")
    from epicscorelibs.path import get_lib

    ca = ctypes.CDLL(get_lib("ca"))
    ca.ca_pend_io.argtypes = [ctypes.c_double]
    channel, value = ctypes.c_void_p(), ctypes.c_int16()
    ca.ca_create_channel(name.encode(), None, None, 0, ctypes.byref(channel))
    if ca.ca_pend_io(TIMEOUT / 2) != _ECA_NORMAL:
        return None
    ca.ca_array_get(_DBR_SHORT, ctypes.c_ulong(1), channel, ctypes.byref(value))
    return value.value if ca.ca_pend_io(TIMEOUT / 2) == _ECA_NORMAL else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
