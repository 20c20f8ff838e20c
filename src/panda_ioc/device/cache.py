"""A device as JSON and back: what was introspected once is served while the PandA is away.

A checksum tells a file that was damaged, or edited, from one that was written here.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

from panda_ioc.device.model import Block, Device, Field
from panda_ioc.errors import ConfigurationError
from panda_ioc.protocol import responses

FORMAT = 2

_CLASSES: dict[str, type] = {
    cls.__name__: cls
    for cls in (Device, Block, Field, *vars(responses).values())
    if isinstance(cls, type) and is_dataclass(cls)
}


def dump(device: Device) -> str:
    """The device as text."""
    content = _pack(device)
    return json.dumps({"format": FORMAT, "sha256": checksum(content), "device": content}, indent=1)


def load(text: str) -> Device:
    """The device from text.

    Raises:
        ConfigurationError: this is not what `dump` writes
    """
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ConfigurationError("it was written by another version")
        if content["sha256"] != checksum(content["device"]):
            raise ConfigurationError("it was damaged, or edited: its checksum is wrong")
        device = _unpack(content["device"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"it is not a cached PandA: {error!r}") from error
    if not isinstance(device, Device):
        raise ConfigurationError("it is not a cached PandA")
    return device


def checksum(content: object) -> str:
    """The checksum of a packed device."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _pack(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: _pack(getattr(value, f.name)) for f in fields(value)}
        return {"class": type(value).__name__, **content}
    if isinstance(value, dict):
        return {"class": "dict", "items": [[key, _pack(each)] for key, each in value.items()]}
    if isinstance(value, tuple):
        return {"class": "tuple", "items": [_pack(each) for each in value]}
    if isinstance(value, list):
        return [_pack(each) for each in value]
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.pop("class")
    if kind == "tuple":
        return tuple(_unpack(each) for each in value["items"])
    if kind == "dict":
        return {key: _unpack(each) for key, each in value["items"]}
    return _CLASSES[kind](**{name: _unpack(each) for name, each in value.items()})
