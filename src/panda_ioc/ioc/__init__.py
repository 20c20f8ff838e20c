"""EPICS: the only importer of softioc. Records, links between fields and records, start and stop."""
