"""An acquisition to a file, without a bridge: `python to_disk.py PACKAGE HOST CONTROL DATA FILE`.

PACKAGE is `panda_ioc` or `pandablocks`; the simulator at HOST sends as fast as it is read. Prints
JSON: MB/s of samples as they come, CPU seconds for a GB of them, and the memory used at most (MB).
"""

import asyncio
import json
import os
import resource
import socket
import sys
import time
from pathlib import Path

import h5py

SAMPLE = 40  # bytes


def arm(host: str, control: int) -> None:
    """Start an acquisition."""
    with socket.create_connection((host, control)) as box:
        box.sendall(b"*PCAP.ARM=\n")
        if (reply := box.recv(100)) != b"OK\n":
            raise ConnectionError(f"*PCAP.ARM= answered {reply!r}")


def ours(host: str, control: int, data: int, path: Path) -> None:
    """All of one acquisition; the file is closed when it returns."""
    from panda_ioc.capture import CaptureSettings, DataStream, FileCapture
    from panda_ioc.client.data import DataSocket

    stream = DataStream(DataSocket(host, data)).open()
    capture = FileCapture(CaptureSettings(path.parent, path.name))
    capture.begin(stream)
    arm(host, control)
    status = capture.wait()
    stream.close()
    print(status.message, f"queue {status.queue_peak >> 20} MiB", file=sys.stderr)


def peer(host: str, control: int, data: int, path: Path) -> None:
    """The same; it knows no other ports than the usual ones."""
    from pandablocks.asyncio import AsyncioClient
    from pandablocks.hdf import write_hdf_files

    async def run() -> None:
        async with AsyncioClient(host) as client:
            await write_hdf_files(client, iter([str(path)]), num=1, arm=True)

    asyncio.run(run())


def samples(path: Path) -> int:
    """In the first column of a file."""
    with h5py.File(path, "r") as file:
        return next(len(one) for one in file.values() if isinstance(one, h5py.Dataset))


def main(package: str, host: str, control: str, data: str, file: str) -> None:
    path = Path(file)
    start, used = time.perf_counter(), time.process_time()
    {"panda_ioc": ours, "pandablocks": peer}[package](host, int(control), int(data), path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    size = samples(path) * SAMPLE
    os.unlink(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({"disk": size / seconds / 1e6, "disk_cpu": cpu / size * 1e9, "disk_rss": peak})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
