"""The bridge between PandA boxes and EPICS."""

from importlib.metadata import version

__version__ = version("panda-ioc")
