"""Values as they come out of computations."""

import sys

import numpy as np

from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import Get, Put

VALUES = [
    ("PULSE1.PULSES", 5),
    ("PULSE1.PULSES", np.int64(6)),
    ("PULSE1.PULSES", np.uint8(7)),
    ("PULSE1.DELAY", 0.5),
    ("PULSE1.DELAY", np.float64(0.25)),
    ("PULSE1.DELAY", np.linspace(0, 1, 5)[1]),
    ("PULSE1.DELAY", 1),
    ("PCAP.TRIG", np.array(["ZERO", "ONE"])[1]),
    ("CLOCK1.PERIOD", np.float32(0.5)),
    ("COUNTER1.OUT.OFFSET", np.float32(1.5)),
    ("COUNTER1.OUT.OFFSET", 0),
    ("PULSE1.ENABLE.DELAY", np.int16(3)),
    ("PULSE1.ENABLE.DELAY", 0),
]
with BlockingClient(sys.argv[1]) as client:
    client.send(Put("PULSE1.DELAY.UNITS", "s"))
    for name, value in VALUES:
        client.send(Put(name, value))
        print(name, client.send(Get(name)))
    steps = np.arange(1, 4) * 1000
    client.send(Put("SEQ1.TABLE", [str(each) for each in np.repeat(steps, 4)]))
    print(client.send(Get("SEQ1.TABLE")))
    read = np.array(client.send(Get("SEQ1.TABLE")), dtype=np.uint32)
    print(read.reshape(-1, 4).sum(axis=0).tolist())
