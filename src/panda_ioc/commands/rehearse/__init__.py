"""`panda-ioc rehearse`: what a layout would do, tick by tick, before anybody needs the beam.

A simulated PandA with the digital twin is set up in this process (`bench`), by the commands that
set up a real one (`client`), and runs as fast as it can (`run`). All that its blocks do is kept
(`recording`), rows go through the data port's own bytes (`rows`). `triggers` tells which triggers
PCAP captured and which it lost, `checks` look for mistakes, `report` says it, `pictures` draws it,
and `against` compares it with a file that a real PandA wrote.
"""
