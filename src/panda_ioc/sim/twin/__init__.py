"""The digital twin: the blocks of a PandA, tick by tick.

Time is counted in ticks of 8 ns. Period t is what lies between two edges of the FPGA's clock. What
is written at tick t holds from period t on; a block acts on it in period t, and its outputs show
the result from period t + 1 on, as all of them are registers. A bit reaches the input of another
block 2 + DELAY periods after the bus, a position 1 period after it.

Nothing runs between events. `engine` holds them by tick, and calls a block once for each tick at
which something happens to it. `outputs` and `line` carry a change from a block to the inputs wired
to it. `network` is the twin as a library: it makes the blocks, wires them, writes registers and
runs, whole or in slices with the same result. `recorder` keeps the changes of chosen outputs.

An encoder that moves makes no events where they can be left out: `trajectory` answers where it is
at a tick, when it reaches a position, what its sum and extremes are; `trajectory_text` reads
trajectories as people write them. `motion` is the position on the bus, which blocks ask. Nor does
a clock that only counters listen to: `waves` counts its edges, `wave_output` decides when.

To add a block, add a file to `blocks`: a class that declares its fields, one a line, with a method
`on` that gets the tick and the flags of what changed; and `TYPES`, the name that the PandA has for
it. `blocks.div` is a short example.
"""
