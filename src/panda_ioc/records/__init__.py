"""Record specifications made from a device: pure data, no EPICS."""
