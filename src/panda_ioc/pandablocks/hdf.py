"""Acquisitions to HDF5 files."""

from panda_ioc.capture.acquisitions import write_hdf_files
from panda_ioc.capture.pipeline import (
    FrameProcessor,
    HDFWriter,
    Pipeline,
    create_default_pipeline,
    create_pipeline,
    stop_pipeline,
)
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.errors import HDFDataOverrunError
from panda_ioc.protocol.commands import Arm, Disarm
from panda_ioc.protocol.connections import GATE_DURATION_FIELD, SAMPLES_FIELD
from panda_ioc.protocol.responses import (
    EndData,
    EndReason,
    FieldCapture,
    FrameData,
    ReadyData,
    StartData,
)

HDFDataOverrunException = HDFDataOverrunError  # what earlier versions called it

__all__ = [
    "GATE_DURATION_FIELD",
    "SAMPLES_FIELD",
    "Arm",
    "AsyncioClient",
    "Disarm",
    "EndData",
    "EndReason",
    "FieldCapture",
    "FrameData",
    "FrameProcessor",
    "HDFDataOverrunError",
    "HDFDataOverrunException",
    "HDFWriter",
    "Pipeline",
    "ReadyData",
    "StartData",
    "create_default_pipeline",
    "create_pipeline",
    "stop_pipeline",
    "write_hdf_files",
]
