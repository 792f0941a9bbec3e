"""`endpoints.json`: where a running sandbox answers, for people, tests and the sandbox's own commands."""

import os
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "endpoints.json"


class NotRunning(Exception):
    """No sandbox runs on the state folder; the message says how to start one."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The services come first. The keys are secrets of this sandbox alone, and change with it."""

    arm: str
    identity: str
    blob: str
    queue: str
    table: str
    eventgrid: str
    functions: str
    control: str
    ca: str
    topic: str
    subscription: str
    tenant: str
    resource_group: str
    identity_header: str
    operator_identity_header: str
    functions_key: str | None
    master_key: str | None
    event_grid_key: str | None
    pid: int


def publish(state: Path, published: Published) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    draft = state / f"{FILE}.new"
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(published)) + b"\n")
    draft.replace(state / FILE)


def read(state: Path) -> Published:
    """Raise `NotRunning` unless a sandbox lives on that state folder."""
    try:
        published = msgspec.json.decode((state / FILE).read_bytes(), type=Published)
    except (OSError, msgspec.DecodeError) as error:
        raise NotRunning(f"No sandbox runs on {state}: start one with `python -m sandbox up`.") from error
    if not _alive(published.pid):
        raise NotRunning(f"The sandbox of {state} has ended: start it with `python -m sandbox up`.")
    return published


def withdraw(state: Path) -> None:
    (state / FILE).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
