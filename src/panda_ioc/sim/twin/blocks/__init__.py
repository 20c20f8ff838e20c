"""The block types, one in each file; a new file is found by itself."""

import importlib
import pkgutil
from functools import cache

from panda_ioc.errors import TwinError
from panda_ioc.sim.twin.block import Block


@cache
def block_types() -> dict[str, type[Block]]:
    """List the block types by the name that the PandA has for them."""
    modules = [
        importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
    ]
    return {name: each for module in modules for name, each in getattr(module, "TYPES", {}).items()}


def block_type(name: str) -> type[Block]:
    """Find a block type."""
    types = block_types()
    if name not in types:
        raise TwinError(f"no block type {name!r}; there are {', '.join(sorted(types))}")
    return types[name]
