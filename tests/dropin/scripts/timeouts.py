"""A PandA that is slow now and then: what comes late belongs to what timed out."""

import asyncio
import sys

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.commands import Get, GetLine, Raw

IDENTITY = "OK =PandA SW: 4.1 FPGA: 3.0.1 rootfs: slow\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := (await reader.readline()).decode().strip():
        if line.startswith("SLOW"):
            await asyncio.sleep(0.3)
        writer.write((IDENTITY if line == "*IDN?" else f"OK ={line}\n").encode())
    writer.close()


async def main(host: str) -> None:
    server = await asyncio.start_server(serve, host, 8888)
    async with AsyncioClient(host) as client:
        print(await client.send(Get("A"), timeout=5))
        late = [GetLine("SLOW1"), GetLine("SLOW2")]
        for command in late:
            try:
                await client.send(command, timeout=0.05)
            except TimeoutError:
                print("too late")
        print(client.is_connected())
        print(await client.send(Get("B")), await client.send(Raw(["C?"])))
        print(await asyncio.gather(*(client.send(Get(name)) for name in "DEF")))
    print(client.is_connected())
    server.close()


head, _, last = sys.argv[1].rpartition(".")
asyncio.run(main(f"{head}.{int(last) + 1}"))
