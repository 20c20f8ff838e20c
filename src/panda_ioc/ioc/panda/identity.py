"""Find out what a PandA is, never from one introspection alone.

Replies have no names and no checksums. One that comes twice, or is lost, makes the introspection
that it is part of describe a PandA that does not exist. So two looks have to agree before records
are made, the cache is written, or the bridge begins anew.
"""

import logging

from panda_ioc.client.address import Address
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.device.model import Device
from panda_ioc.errors import PandAError, ProtocolError
from panda_ioc.ioc.panda.backoff import Backoff

__all__ = ["client_of", "identify", "introspect", "wait_for_device"]

log = logging.getLogger(__name__)


def client_of(address: Address) -> AsyncioClient:
    """Make a client, not yet connected, that treats silence as the end of its connection."""
    return AsyncioClient(
        address.host,
        address.control_port,
        address.data_port,
        address.timeout,
        close_on_timeout=True,
    )


async def identify(client: AsyncioClient, first: Device) -> Device:
    """Introspect again; return what the PandA is.

    Args:
        client: connected, and not the one that `first` was seen by
        first: what the PandA seemed to be

    Raises:
        ProtocolError: it seems to be something else now
    """
    second = await introspect(client)
    if first.layout != second.layout:
        raise ProtocolError("the PandA described itself in two ways: a reply was damaged")
    return second


async def wait_for_device(address: Address) -> Device:
    """Introspect a PandA; wait for it if it is not reachable."""
    backoff, told = Backoff(), ""
    while True:
        try:
            async with client_of(address) as one, client_of(address) as other:
                return await identify(other, await introspect(one))
        except (PandAError, OSError) as error:
            if str(error) != told:
                told = str(error)
                log.warning("waiting for the PandA: %s", error)
        await backoff.pause()
