"""Connections to a PandA: for asyncio and without, the change feed, a PandA as objects. No EPICS."""
