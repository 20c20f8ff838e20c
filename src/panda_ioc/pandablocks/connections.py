"""The two ports without I/O."""

from panda_ioc.protocol.commands import (
    Command,
    CommandError,
    Exchange,
    ExchangeGenerator,
    Exchanges,
)
from panda_ioc.protocol.connections import *  # noqa: F403
from panda_ioc.protocol.connections import __all__ as _names

__all__ = [
    *_names,
    "Command",
    "CommandError",
    "Exchange",
    "ExchangeGenerator",
    "Exchanges",
]
