"""Bytes of a PandA to events and back; commands as generators of requests. No I/O."""
