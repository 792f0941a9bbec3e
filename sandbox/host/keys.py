"""The keys of the host's endpoints. They outlive the process, since the world has learnt them."""

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from sandbox.host.files import replace_file

EVENT_GRID = "eventgrid_extension"


class HostKeys(msgspec.Struct, frozen=True, rename="camel"):
    master_key: str
    function_keys: dict[str, str]
    system_keys: dict[str, str]
    functions: dict[str, dict[str, str]]

    def accepts(self, key: str, function: str) -> bool:
        """Whether the key opens a function of level "function": its own, a host key, or the master key."""
        allowed = [self.master_key, *self.function_keys.values(), *self.functions.get(function, {}).values()]
        return _among(key, allowed)

    def is_master(self, key: str) -> bool:
        return _among(key, [self.master_key])

    def opens_webhook(self, key: str) -> bool:
        return _among(key, [self.system_keys[EVENT_GRID], self.master_key])


def load_keys(path: Path, functions: Iterable[str]) -> HostKeys:
    """Return the keys of the file; what is missing is made and kept."""
    kept = msgspec.json.decode(path.read_bytes(), type=HostKeys) if path.exists() else None
    keys = HostKeys(
        master_key=kept.master_key if kept else _new(),
        function_keys=kept.function_keys if kept else {"default": _new()},
        system_keys=kept.system_keys if kept else {EVENT_GRID: _new()},
        functions=dict(_function_keys(kept.functions if kept else {}, functions)),
    )
    if keys != kept:
        replace_file(path, msgspec.json.format(msgspec.json.encode(keys)), mode=0o600)
    return keys


def _function_keys(
    kept: dict[str, dict[str, str]], functions: Iterable[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    yield from kept.items()
    for name in functions:
        if name not in kept:
            yield name, {"default": _new()}


def _new() -> str:
    return secrets.token_urlsafe(40)


def _among(key: str, allowed: Iterable[str]) -> bool:
    return any(secrets.compare_digest(key.encode(), each.encode()) for each in allowed)
