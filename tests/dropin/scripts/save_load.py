"""Save all settings, change some, load them again."""

import asyncio
import sys

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.commands import Get, GetMultiline, GetState, Put, SetState

NAMES = ["PULSE1.DELAY.UNITS", "PULSE1.DELAY", "PCAP.TRIG", "*METADATA.LABEL_PULSE1"]


async def main(host: str) -> None:
    async with AsyncioClient(host) as client:
        await client.send(Put("PULSE1.DELAY.UNITS", "ms"))
        await client.send(Put("PULSE1.DELAY", "2.5"))
        await client.send(Put("PCAP.TRIG", "PULSE1.OUT"))
        await client.send(Put("*METADATA.LABEL_PULSE1", "shutter"))
        await client.send(Put("SEQ1.TABLE", ["1", "2", "3", "4"]))
    async with AsyncioClient(host) as client:
        state = await client.send(GetState())
    for name in NAMES:
        print([line for line in state if line.startswith(f"{name}=")])
    print(state[state.index("SEQ1.TABLE<B") :][:3])
    async with AsyncioClient(host) as client:
        await client.send(Put("PCAP.TRIG", "ZERO"))
        await client.send(Put("PULSE1.DELAY.UNITS", "s"))
        await client.send(Put("SEQ1.TABLE", []))
        print(await client.send(SetState(state)))
        print([await client.send(Get(name)) for name in NAMES])
        print(await client.send(GetMultiline("SEQ1.TABLE")))
        refused = ["PULSE1.DELAY=1", "PULSE1.NOPE=1", "PULSE1.WIDTH=3"]
        print(await client.send(Get("PULSE1.DELAY")))
        await client.send(SetState(refused))
        print(await client.send(Get("PULSE1.WIDTH")))


asyncio.run(main(sys.argv[1]))
