"""EPICS: the only importer of softioc. Records, links to fields, start and stop."""
