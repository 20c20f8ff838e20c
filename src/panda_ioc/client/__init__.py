"""Connections to a PandA, with and without asyncio; the change feed; a PandA as Python objects."""
