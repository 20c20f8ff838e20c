"""Results of commands and events of the data port."""

from panda_ioc.protocol.responses import *  # noqa: F403
from panda_ioc.protocol.responses import __all__ as __all__
