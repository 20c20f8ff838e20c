"""`panda-ioc rehearse`: what a layout would do, tick by tick, before anybody needs the beam.

* `bench`: a simulated PandA with the digital twin, in this process
* `client`: sets it up, by the commands that set up a real one
* `run`: runs it as fast as it can
* `recording`: keeps all that its blocks do
* `rows`: passes its rows through the bytes of the data port
* `triggers`: which triggers PCAP captured, and which it lost
* `checks`: look for mistakes
* `report`, `pictures`: say and draw what was found
* `against`: compares it with a file that a real PandA wrote
"""
