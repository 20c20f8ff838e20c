"""What the bridge serves: record specifications made from a device. Pure data, no EPICS."""
