"""The digital twin in the place of the FPGA: `panda-ioc sim --twin`.

`hardware` is the whole. `assembly` makes the twin's blocks and buses of those that the application
has. `registers` makes register writes of what clients write, `tables` those of tables. `display`
shows clients what the twin does. `entries` tells PCAP what to capture, `rows` and `samples` keep
what it captured until data clients have it. `pace` ties the twin's time to that of the wall, `lag`
says what keeps it from that, and `controls` are the `*SIM` commands for both.
"""

from panda_ioc.sim.twin_hardware.hardware import TwinHardware

__all__ = ["TwinHardware"]
