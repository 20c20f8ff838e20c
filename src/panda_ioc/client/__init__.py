"""Connections to a PandA, with asyncio and without; the change feed; a PandA as Python objects."""
