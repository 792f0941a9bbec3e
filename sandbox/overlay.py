"""The factory's configuration in the sandbox: the file itself, or a copy of its folder that is changed.

People keep their own `factory.yaml` as it is, observing and with hours of patience, and still see it act
here, within seconds.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox.options import Options


class OverlayFault(ValueError):
    """The overlay cannot be laid over the configuration; the message says why."""


def configured(options: Options) -> Path:
    """Return the file that the app is to read."""
    if options.overlay is None:
        return options.config
    copy = options.state / "config"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(options.config.parent, copy)
    file = copy / options.config.name
    document = merged(_mapping(file), _mapping(options.overlay))
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay mappings over mappings, key by key; anything else replaces what was there, and null removes it."""
    laid = dict(under)
    for key, value in over.items():
        if value is None:
            laid.pop(key, None)
        elif isinstance(value, Mapping):
            below = laid.get(key)
            laid[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            laid[key] = value
    return laid


def _mapping(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise OverlayFault(f"{file} cannot be read: {error}") from error
    if not isinstance(document, Mapping):
        raise OverlayFault(f"{file} holds {type(document).__name__}, expected keys and values")
    return document
