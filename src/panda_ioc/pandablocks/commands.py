"""Commands, and what is needed to make one more."""

from panda_ioc.protocol.commands import *  # noqa: F403
from panda_ioc.protocol.commands import __all__ as __all__
