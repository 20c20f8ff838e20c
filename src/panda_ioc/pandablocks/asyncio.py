"""The asyncio client."""

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.protocol.commands import Command, Identify
from panda_ioc.protocol.connections import ControlConnection, DataConnection
from panda_ioc.protocol.responses import Data

__all__ = ["AsyncioClient", "Command", "ControlConnection", "Data", "DataConnection", "Identify"]
