"""Calls of the HTTP API as the host makes them, without a host."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from azure.functions.http import HttpRequest

from functions import dispatch
from shared.bootstrap import Worker
from shared.domain.callers import Role

if TYPE_CHECKING:
    import azure.functions as func

ROOT: Final = "/api/v1"


class Answered(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    media: str
    content: bytes

    @property
    def told(self) -> Any:
        return msgspec.json.decode(self.content)

    @property
    def detail(self) -> str:
        """Of a problem, whose form is checked on the way."""
        assert (self.media, self.told["status"]) == ("application/problem+json", self.status), self.content
        return str(self.told["detail"])


class Api:
    """Somebody with a key, or none where they are signed in."""

    def __init__(self, worker: Worker, key: Role | None = Role.ADMIN) -> None:
        self.worker, self.key = worker, key

    def get(self, path: str, **headers: str) -> Answered:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answered:
        return self.send("POST", path, b"" if body is None else msgspec.json.encode(body), headers=headers)

    def page_by_page(self, path: str) -> list[Any]:
        """Whatever a list has; `path` says how many at a time."""
        items, token = [], ""
        while True:
            page = self.get(f"{path}{token}").told
            items += page["items"]
            if page["next"] is None:
                return items
            token = f"&next={page['next']}"

    def send(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> Answered:
        parts = urlsplit(path.removeprefix(ROOT))
        sent = {"Content-Type": "application/json"} if body else {}
        sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        request = HttpRequest(
            method=method,
            url=f"https://factory.azurewebsites.net{ROOT}{path}",
            headers=sent,
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            route_params={"path": parts.path.strip("/")},
            body_type="bytes",
            body=body,
        )
        answer: func.HttpResponse = dispatch.serve(self.worker, request, parts.path.strip("/"), self.key)
        return Answered(answer.status_code, dict(answer.headers), answer.mimetype, answer.get_body())


def principal(*roles: str, name: str = "ada@example.org", id: str = "0ada", **more: Any) -> str:
    """The header as App Service authentication writes it."""
    claims = [{"typ": "roles", "val": role} for role in roles]
    claims += [{"typ": "preferred_username", "val": name}, {"typ": "oid", "val": id}]
    told = {
        "auth_typ": "aad",
        "claims": claims,
        "name_typ": "preferred_username",
        "role_typ": "roles",
        **more,
    }
    return base64.b64encode(msgspec.json.encode(told)).decode()
