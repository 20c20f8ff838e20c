"""What is refused, and what goes on afterwards."""

import asyncio
import socket
import sys

from panda_ioc.pandablocks.asyncio import AsyncioClient
from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import Append, CommandError, CommandException, Get, Put

BAD = [
    Put("PULSE1.DELAY", "soon"),
    Put("PULSE1.DELAY", -1e30),
    Put("PULSE1.NOPE", "1"),
    Put("PULSE99.DELAY", "1"),
    Put("PCAP.TRIG", "NOWHERE"),
    Put("SEQ1.TABLE", ["1", "2", "3"]),
    Put("SEQ1.TABLE", ["x", "2", "3", "4"]),
    Put("COUNTER1.OUT", "1"),
    Append("SEQ1.TABLE", ["1"]),
    Get("PULSE1.NOPE"),
]


async def main(host: str) -> None:
    async with AsyncioClient(host) as client:
        for command in BAD:
            try:
                print("taken", await client.send(command))
            except CommandError as error:
                print(type(command).__name__, command.field, type(error) is CommandException)
        results = await asyncio.gather(*(client.send(each) for each in BAD), return_exceptions=True)
        print([isinstance(result, CommandError) for result in results])
        print(await client.send(Get("PCAP.ACTIVE")))


asyncio.run(main(sys.argv[1]))
with BlockingClient(sys.argv[1]) as client:
    try:
        client.send([Get("PCAP.ACTIVE"), Put("PULSE1.NOPE", "1"), Put("PULSE1.WIDTH", "4")])
    except CommandError as error:
        print("PULSE1.NOPE" in str(error), "No such field" in str(error))
    print(client.send([Get("PULSE1.WIDTH"), Get("PCAP.ACTIVE")]))
for host in ("127.255.255.254", "nobody.invalid"):
    try:
        BlockingClient(host).connect()
    except ConnectionRefusedError as error:
        print("refused", error.errno)
    except socket.gaierror:
        print("unknown")
    try:
        asyncio.run(AsyncioClient(host).connect())
    except ConnectionRefusedError as error:
        print("refused", error.errno)
    except OSError as error:
        print("unknown", isinstance(error, socket.gaierror))
