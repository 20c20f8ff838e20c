"""STATUS and `SYSTEM:*`: the state of the connection, and the versions of both sides."""

from collections.abc import Mapping

from panda_ioc import __version__
from panda_ioc.device.model import Device
from panda_ioc.ioc.epics.alarms import MAJOR, NO_ALARM, STATE, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import ConnectionState
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part
from panda_ioc.records import own


class ConnectionStatus(Part):
    """Shows the state of the connection.

    Args:
        device: what the PandA is
        fields: records that a field of the PandA has, which may have the name of one of these
    """

    def __init__(self, device: Device, fields: frozenset[str]) -> None:
        self._device = device
        self._fields = fields
        self._shown: tuple[ConnectionState, str] | None = None

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        self._record = records[own.STATUS]
        found = self._device.identification
        versions = {own.SYSTEM_IDN: self._device.idn, own.SYSTEM_IOC_VERSION: __version__}
        if found:
            versions |= {
                own.SYSTEM_PANDA_SW_VERSION: found.software,
                own.SYSTEM_FPGA_VERSION: found.fpga,
                own.SYSTEM_ROOTFS_VERSION: found.rootfs,
            }
        for name in versions.keys() - self._fields:
            records[name].post(versions[name])

    def show(self, state: ConnectionState, why: str) -> None:
        """Show a state of the connection."""
        if (state, why) != self._shown:
            self._shown = (state, why)
            severity = {
                ConnectionState.CONNECTED: 0,
                ConnectionState.CONNECTING: 1,
                ConnectionState.DISCONNECTED: MAJOR,
            }[state]
            self._record.post(state, Alarm(severity, STATE, why) if severity else NO_ALARM)
