"""Bytes of a PandA <-> events, and commands as generators of requests. No I/O."""
