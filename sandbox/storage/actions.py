"""Which Azure role action a storage request needs, as the tables of the REST reference say.

Where they offer a choice ("write, or add/action to create"), all of it stands here, and whoever holds one
of them may pass.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

_ACCOUNT: Final = "Microsoft.Storage/storageAccounts"
_BLOB: Final = f"{_ACCOUNT}/blobServices"
_CONTAINER: Final = f"{_BLOB}/containers"
_BLOBS: Final = f"{_CONTAINER}/blobs"
_QUEUE: Final = f"{_ACCOUNT}/queueServices"
_QUEUES: Final = f"{_QUEUE}/queues"
_MESSAGES: Final = f"{_QUEUES}/messages"
_TABLE: Final = f"{_ACCOUNT}/tableServices"
_TABLES: Final = f"{_TABLE}/tables"
_ENTITIES: Final = f"{_TABLES}/entities"

_READS: Final = ("GET", "HEAD")
_CHANGE: Final = re.compile(
    rb"^(POST|PUT|PATCH|MERGE|DELETE|GET) (\S+) HTTP/1\.1\r?$(.*?)\r?\n\r?\n", re.M | re.S
)
_TABLE_NAME: Final = re.compile(r"^([A-Za-z$][A-Za-z0-9]*)")


class Need(msgspec.Struct, frozen=True):
    """One of `actions` is needed, on what `below` names inside the account."""

    actions: tuple[str, ...]
    below: str = ""
    data: bool = True


class Asked(msgspec.Struct, frozen=True):
    """What of a request matters here: `segments` is the decoded path behind the account."""

    service: str
    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]


def needs(asked: Asked, body: bytes = b"") -> tuple[Need, ...]:
    """Return what the request needs; several only for a batch. The body is looked at in a batch alone."""
    return {"blob": _blob, "queue": _queue, "table": _table}[asked.service](asked, body)


def _blob(asked: Asked, _: bytes) -> tuple[Need, ...]:
    comp, kind = asked.query.get("comp", ""), asked.query.get("restype", "")
    if not asked.segments:
        return (_blob_service(asked, comp, kind),)
    container = asked.segments[0]
    below = f"/blobServices/default/containers/{container}"
    if kind == "container":
        return (_container(asked, comp, below),)
    if comp == "tags":
        verb = "tags/read" if asked.method in _READS else "tags/write"
    elif asked.method in _READS or comp == "query":
        verb = "read"
    elif asked.method == "DELETE":
        verb = "delete"
    elif comp == "" and "x-ms-blob-type" in asked.headers:
        return (Need((f"{_BLOBS}/write", f"{_BLOBS}/add/action"), below),)
    else:
        verb = "write"
    return (Need((f"{_BLOBS}/{verb}",), below),)


def _blob_service(asked: Asked, comp: str, kind: str) -> Need:
    if comp == "list":
        return Need((f"{_CONTAINER}/read",), data=False)
    if comp == "userdelegationkey":
        return Need((f"{_BLOB}/generateUserDelegationKey/action",), data=False)
    if kind == "account":
        return Need((f"{_BLOB}/getInfo/action",), data=False)
    if comp == "batch":
        return Need((f"{_BLOBS}/delete",))
    return Need((f"{_BLOB}/read" if asked.method in _READS else f"{_BLOB}/write",), data=False)


def _container(asked: Asked, comp: str, below: str) -> Need:
    if comp == "list":
        return Need((f"{_BLOBS}/read",), below)
    if comp == "acl":
        verb = "getAcl/action" if asked.method in _READS else "setAcl/action"
    else:
        verb = {"GET": "read", "HEAD": "read", "DELETE": "delete"}.get(asked.method, "write")
    return Need((f"{_CONTAINER}/{verb}",), below, data=False)


def _queue(asked: Asked, _: bytes) -> tuple[Need, ...]:
    if not asked.segments:
        verb = "read" if asked.method in _READS else "write"
        place = _QUEUES if asked.query.get("comp") == "list" else _QUEUE
        return (Need((f"{place}/{verb}",), data=False),)
    below = f"/queueServices/default/queues/{asked.segments[0]}"
    if len(asked.segments) == 1:
        verb = {"GET": "read", "HEAD": "read", "DELETE": "delete"}.get(asked.method, "write")
        return (Need((f"{_QUEUES}/{verb}",), below, data=False),)
    peek = asked.query.get("peekonly", "").lower() == "true"
    verbs = {
        "POST": ("write", "add/action"),
        "GET": ("read",) if peek else ("process/action",),
        "PUT": ("write",),
        "DELETE": ("delete", "process/action") if len(asked.segments) > 2 else ("delete",),
    }.get(asked.method, ("read",))
    return (Need(tuple(f"{_MESSAGES}/{verb}" for verb in verbs), below),)


def _table(asked: Asked, body: bytes) -> tuple[Need, ...]:
    if not asked.segments:
        return (Need((f"{_TABLE}/{'read' if asked.method in _READS else 'write'}",), data=False),)
    first = asked.segments[0]
    if first == "$batch":
        return _batch(body)
    if re.fullmatch(r"Tables(\(.*\))?", first, re.I):
        verb = {"GET": "read", "DELETE": "delete"}.get(asked.method, "write")
        return (Need((f"{_TABLES}/{verb}",), data=False),)
    return (_entity(asked.method, first, "if-match" in asked.headers),)


def _entity(method: str, segment: str, conditional: bool) -> Need:
    name = _TABLE_NAME.match(segment)
    below = f"/tableServices/default/tables/{name[1] if name else segment}"
    if method in _READS:
        verbs: tuple[str, ...] = ("read",)
    elif method == "DELETE":
        verbs = ("delete",)
    elif method == "POST":
        verbs = ("write", "add/action")
    else:  # without a condition it may insert as well as update, and only write covers both
        verbs = ("write", "update/action") if conditional else ("write",)
    return Need(tuple(f"{_ENTITIES}/{verb}" for verb in verbs), below)


def _batch(body: bytes) -> tuple[Need, ...]:
    found = []
    for method, url, headers in _CHANGE.findall(body):
        segment = url.decode("latin-1").rstrip("/").rpartition("/")[2]
        found.append(_entity(method.decode(), segment, b"if-match:" in headers.lower()))
    return tuple(dict.fromkeys(found)) or (Need((f"{_ENTITIES}/write",)),)
