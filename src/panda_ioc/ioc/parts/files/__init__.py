"""Capture to HDF5 files, as records."""
