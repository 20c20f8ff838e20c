"""A device as JSON and back: what was introspected once is served while the PandA is away."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

from panda_ioc.device.model import Block, Device, Field
from panda_ioc.errors import ConfigurationError
from panda_ioc.protocol import responses

FORMAT = 1

_CLASSES: dict[str, type] = {
    cls.__name__: cls
    for cls in (Device, Block, Field, *vars(responses).values())
    if isinstance(cls, type) and is_dataclass(cls)
}


def dump(device: Device) -> str:
    """The device as text."""
    return json.dumps({"format": FORMAT, "device": _pack(device)}, indent=1)


def load(text: str, source: str) -> Device:
    """The device from text; source is named in errors.

    Raises:
        ConfigurationError: this is not what `dump` writes
    """
    try:
        content = json.loads(text)
        device = _unpack(content["device"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"{source}: not a cached PandA, remove it: {error}") from error
    if content.get("format") != FORMAT or not isinstance(device, Device):
        raise ConfigurationError(f"{source}: not a cached PandA of this version, remove it")
    return device


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
