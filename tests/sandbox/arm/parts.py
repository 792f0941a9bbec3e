"""A world in process with the real SDK clients on it: storage is a dictionary, time stands still."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.imagebuilder import ImageBuilderClient

from sandbox.arm.storage import BlobAddress
from sandbox.azure import SUBSCRIPTION, LocalAzure
from sandbox.clock import VirtualClock
from sandbox.http import Request, Response
from sandbox.identity.tokens import OPERATOR
from sandbox.transport import SandboxTransport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.arm.imagebuilder.template import Template
    from sandbox.vhd import Vhd

BASE = "https://arm.sandbox"
GROUP = "image-factory"
TEMPLATES = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    "/providers/Microsoft.VirtualMachineImages/imageTemplates"
)
API = "api-version=2024-02-01"
_HOST = ".blob.core.windows.net"


class DictStorage:
    def __init__(self) -> None:
        self.accounts: dict[str, dict[tuple[str, str], Any]] = {}
        self.metadata: dict[BlobAddress, dict[str, str]] = {}

    def create_account(self, account: str) -> None:
        self.accounts.setdefault(account, {})

    def delete_account(self, account: str) -> None:
        self.accounts.pop(account, None)

    def account_exists(self, account: str) -> bool:
        return account in self.accounts

    def write_vhd(self, address: BlobAddress, vhd: Vhd, metadata: Mapping[str, str]) -> None:
        self.accounts[address.account][address.container, address.name] = vhd
        self.metadata[address] = dict(metadata)

    def write_text(self, address: BlobAddress, text: str) -> None:
        self.accounts[address.account][address.container, address.name] = text.encode()

    def delete_blob(self, address: BlobAddress) -> None:
        self.accounts.get(address.account, {}).pop((address.container, address.name), None)

    def read(self, address: BlobAddress) -> bytes | None:
        found = self.accounts.get(address.account, {}).get((address.container, address.name))
        return found if isinstance(found, bytes) else None

    def size(self, address: BlobAddress) -> int | None:
        found = self.accounts.get(address.account, {}).get((address.container, address.name))
        return None if found is None else len(found) if isinstance(found, bytes) else found.size

    def url(self, address: BlobAddress) -> str:
        return f"https://{address.account}{_HOST}/{address.container}/{address.name}"

    def parse(self, url: str) -> BlobAddress | None:
        host, _, path = url.removeprefix("https://").partition("/")
        container, _, name = path.partition("/")
        if not host.endswith(_HOST) or not container:
            return None
        return BlobAddress(host.removesuffix(_HOST), container, name)

    def vhds(self, account: str) -> list[str]:
        return [name for container, name in self.accounts.get(account, {}) if container == "vhds"]


class Credential:
    """What an identity library would fetch: a token of the audience that the client names."""

    def __init__(self, world: LocalAzure, principal: str) -> None:
        self._world, self._principal = world, principal

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        now = self._world.clock.now()
        token = self._world.tokens.issue(
            self._principal, scopes[0].removesuffix("/.default"), now, timedelta(hours=24)
        )
        return AccessToken(token, int((now + timedelta(hours=24)).timestamp()) + 10**8)


class World:
    """A LocalAzure with its parts at hand; `events` are those of the subscription's topic, as published."""

    def __init__(self, **options: Any) -> None:
        self.clock, self.storage = VirtualClock(), DictStorage()
        self.azure = LocalAzure(self.clock, self.storage, **options)
        self.events: list[dict[str, Any]] = []
        self.transport = SandboxTransport({BASE: self.azure.arm})
        publish = self.azure.fabric.emit

        def emit(scope: str, event: Mapping[str, object]) -> None:
            self.events.append(dict(event))
            publish(scope, event)

        self.azure.fabric.emit = emit

    def wait(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))
        self.azure.tick()

    def token(self, principal: str = OPERATOR, audience: str = BASE, hours: float = 24) -> str:
        return self.azure.tokens.issue(principal, audience, self.clock.now(), timedelta(hours=hours))

    def send(
        self, method: str, path: str, body: object = None, *, principal: str = OPERATOR, **headers: str
    ) -> Response:
        """A raw request, for what no SDK client would send."""
        given = {"Authorization": f"Bearer {self.token(principal)}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.azure.arm.handle(Request.to(method, f"{BASE}{path}", given, content))

    def builder(self, principal: str = OPERATOR, **options: Any) -> ImageBuilderClient:
        return ImageBuilderClient(
            Credential(self.azure, principal), SUBSCRIPTION, **{**self._options(), **options}
        )

    def compute(self, principal: str = OPERATOR, **options: Any) -> ComputeManagementClient:
        return ComputeManagementClient(
            Credential(self.azure, principal), SUBSCRIPTION, **{**self._options(), **options}
        )

    def provisioned(self, name: str = "web", **changes: Any) -> Template:
        """A template as after a PUT that went well."""
        put = self.send("PUT", f"{TEMPLATES}/{name}?{API}", template_body(self, **changes))
        assert put.status == 201, put.body
        self.wait(minutes=1)
        return self.template(name)

    def template(self, name: str = "web") -> Template:
        found = self.azure.imagebuilder.template(f"{TEMPLATES}/{name}")
        assert found is not None, f"no template {name}"
        return found

    def get(self, path: str) -> Any:
        return self.send("GET", path).json()

    def properties(self, name: str = "web") -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{TEMPLATES}/{name}?{API}")["properties"]
        return found

    def _options(self) -> dict[str, Any]:
        return {
            "base_url": BASE,
            "credential_scopes": [f"{BASE}/.default"],
            "transport": self.transport,
        }


def template_body(world: World, **properties: Any) -> dict[str, Any]:
    """A Linux template with one VHD target; None leaves a property out."""
    asked = {
        "source": {
            "type": "PlatformImage",
            "publisher": "Canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-lts-gen2",
            "version": "latest",
        },
        "customize": [{"type": "Shell", "name": "patch", "inline": ["apt-get update"]}],
        "distribute": [{"type": "VHD", "runOutputName": "web-vhd"}],
        **properties,
    }
    return {
        "location": world.azure.setting.location,
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {world.azure.setting.identity_id: {}},
        },
        "properties": {key: value for key, value in asked.items() if value is not None},
    }
