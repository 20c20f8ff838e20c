"""The blocking client."""

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.protocol.commands import Command, Identify
from panda_ioc.protocol.connections import ControlConnection, DataConnection
from panda_ioc.protocol.responses import Data

__all__ = ["BlockingClient", "Command", "ControlConnection", "Data", "DataConnection", "Identify"]
