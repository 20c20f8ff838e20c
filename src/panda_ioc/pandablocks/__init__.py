"""The names of the `pandablocks` 0.10 client library, for scripts that were written for it.

``from pandablocks.blocking import BlockingClient`` becomes
``from panda_ioc.pandablocks.blocking import BlockingClient``. Here are names only: what they name
is in `panda_ioc.protocol`, `panda_ioc.client`, `panda_ioc.device` and `panda_ioc.capture`.
"""

from panda_ioc import __version__

__all__ = ["__version__"]
