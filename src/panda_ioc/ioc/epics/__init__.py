"""The binary face of EPICS: the only importers of softioc and epicscorelibs."""
