"""What a RecCeiver is told: all records that EPICS serves, and properties of the whole IOC."""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence

from panda_ioc.ioc.epics.served import Served, environment, epics_version
from panda_ioc.ioc.recsync.messages import CLIENT, add_alias, add_info, add_record, upload_done

ENVIRONMENT = (
    *("EPICS_BASE", "EPICS_HOST_ARCH", "TOP", "ARCH", "IOC", "PWD", "ENGINEER", "LOCATION"),
    *("EPICS_CA_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST", "EPICS_CA_MAX_ARRAY_BYTES"),
    *("RSRV_SERVER_PORT", "PVAS_SERVER_PORT", "CF_USERNAME"),
)
"""Variables that sites expect of an IOC, and that are told if they are set."""

PIECE = 1 << 14
"""Bytes that are sent at a time: other work waits for less than a millisecond."""


def ioc_properties(prefix: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """Properties of the whole IOC: variables of the environment, and those of our own.

    Args:
        prefix: names the IOC unless IOCNAME does: a RecCeiver tells IOCs by it
        own: further ones
    """
    named = {
        "EPICS_VERSION": epics_version(),
        "HOSTNAME": os.environ.get("HOSTNAME") or socket.gethostname(),
        "IOCNAME": os.environ.get("IOCNAME") or prefix,
    }
    return {**named, **environment(ENVIRONMENT), **own}


def pieces(properties: Mapping[str, str], records: Sequence[Served]) -> Iterator[bytes]:
    """The whole upload, in pieces of about `PIECE` bytes."""
    piece = bytearray()
    for message in _messages(properties, records):
        piece += message
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _messages(properties: Mapping[str, str], records: Iterable[Served]) -> Iterator[bytes]:
    for key, value in properties.items():
        yield add_info(CLIENT, key, value)
    for number, record in enumerate(records, CLIENT + 1):
        yield add_record(number, record.rtype, record.name)
        for alias in record.aliases:
            yield add_alias(number, alias)
        for key, value in {"recordDesc": record.desc, **record.info}.items():
            yield add_info(number, key, value)
    yield upload_done()
