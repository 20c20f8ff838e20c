"""Timing diagrams: what bits, positions and states did, over ticks of 8 ns.

`trace` is one signal, `diagram` all of a picture, `window` the part of it to look at. `lanes` turns
a diagram into lines, boxes and words, which `svg` writes and `png` has drawn. `vcd` writes the same
for viewers of waveforms. `times` are times as people write them.
"""
