"""What a story starts from: a factory written for it, and the people who do things in its world."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sandbox.azure import SUBSCRIPTION
from sandbox.http import Request, Response
from sandbox.identity.tokens import OPERATOR
from shared.usecases import status

from .outside import ARM
from .world import CONFIG, World

IMAGE = "ubuntu-22"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/image-factory"
TEMPLATES = f"{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates"
API = "api-version=2024-02-01"
KEEP = {"after_archive": "keep_template"}
DELETE = {"after_archive": "delete_template"}


def factory_file(
    folder: Path,
    *images: str,
    options: Mapping[str, Any] | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    properties: Mapping[str, Any] | None = None,
    **top: Any,
) -> Path:
    """factory.yaml and one template file for all its images, made from the sample one.

    `options` are those of every image, `own` those of single ones; `properties` are the template's.
    """
    sample = json.loads((CONFIG / "templates" / f"{IMAGE}.json").read_text(encoding="utf-8"))
    sample["properties"] |= properties or {}
    (folder / "template.json").write_text(json.dumps(sample), encoding="utf-8")
    common = {"template": "template.json", **DELETE, **(options or {})}
    document = {
        "mode": "act",
        "subscription": SUBSCRIPTION,
        "resource_group": "image-factory",
        "archive": {"account": "archive", "container": "images"},
        "images": {name: {**common, **(own or {}).get(name, {})} for name in images or (IMAGE,)},
        **top,
    }
    path = folder / "factory.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def source(**changes: Any) -> dict[str, Any]:
    """The sample's source, as a template's property."""
    sample = json.loads((CONFIG / "templates" / f"{IMAGE}.json").read_text(encoding="utf-8"))
    return {"source": {**sample["properties"]["source"], **changes}}


def vhd_distributor(**changes: Any) -> dict[str, Any]:
    return {"distribute": [{"type": "VHD", "runOutputName": f"{IMAGE}-vhd", **changes}]}


class Operator:
    """A person with a terminal, Owner of everything."""

    def __init__(self, world: World, *, api: str = API) -> None:
        self._world, self._api = world, api

    def send(self, method: str, path: str, body: object = None) -> Response:
        from datetime import timedelta

        azure, now = self._world.azure, self._world.clock.now()
        token = azure.tokens.issue(OPERATOR, ARM, now, timedelta(hours=1))
        content = b"" if body is None else msgspec.json.encode(body)
        joint = "&" if "?" in path else "?"
        sent = {"Authorization": f"Bearer {token}"}
        return azure.arm.handle(Request.to(method, f"{ARM}{path}{joint}{self._api}", sent, content))

    def run(self, image: str = IMAGE) -> None:
        assert self.send("POST", f"{TEMPLATES}/{image}/run").status == 202

    def cancel(self, image: str = IMAGE) -> None:
        assert self.send("POST", f"{TEMPLATES}/{image}/cancel").status == 204

    def delete_template(self, image: str = IMAGE) -> None:
        assert self.send("DELETE", f"{TEMPLATES}/{image}").status == 202

    def put_template(self, body: object, image: str = IMAGE) -> None:
        answer = self.send("PUT", f"{TEMPLATES}/{image}", body)
        assert answer.status == 201, answer.body

    def trigger(self, image: str = IMAGE) -> None:
        """Azure itself shall build the image when its source has a new version."""
        body = {"properties": {"kind": "SourceImage"}}
        assert self.send("PUT", f"{TEMPLATES}/{image}/triggers/on-source", body).status == 201

    def resume(self, image: str = IMAGE) -> None:
        this = self._world.worker
        status.resume(this.outside, this.factory(), image, "resume-by-hand")


def arm_calls(world: World, method: str, ending: str = "") -> int:
    """How many requests of the factory Resource Manager has got since its log was cleared."""
    return sum(
        call.method == method and call.path.lower().endswith(ending.lower())
        for call in world.azure.calls.list("arm", "factory")
    )
