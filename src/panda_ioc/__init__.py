"""The bridge between PandAs and EPICS."""

from importlib.metadata import version

__version__ = version("panda-ioc")
