"""The local Azure in process, with the app's gateways on it as the factory's identity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from azure.core.credentials import AccessToken

from sandbox.azure import SUBSCRIPTION, LocalAzure
from sandbox.clock import VirtualClock
from sandbox.http import Response
from sandbox.identity.tokens import FACTORY
from sandbox.transport import SandboxTransport
from shared.domain.ids import TemplateId
from shared.gateways.connection import Connection
from shared.gateways.credential import Identity
from shared.gateways.galleries import ArmGalleries
from shared.gateways.marketplace import ArmMarketplace
from shared.gateways.resources import ArmResources
from shared.gateways.templates import ArmTemplates
from tests.memory import MemoryBlobs, MemoryStorage

if TYPE_CHECKING:
    from sandbox.http import Face, Request

ARM = "https://arm.sandbox"
BLOBS = "https://{account}.blob.core.windows.net"
WEB = TemplateId(SUBSCRIPTION, "image-factory", "web")
MADE = datetime(2026, 11, 21, 9, tzinfo=UTC)


class WorldsToken:
    """What an identity library would fetch."""

    def __init__(self, world: LocalAzure, principal: str) -> None:
        self._world, self._principal = world, principal
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked.append(scopes[0])
        now = self._world.clock.now()
        audience = scopes[0].removesuffix("/.default")
        token = self._world.tokens.issue(self._principal, audience, now, timedelta(days=1000))
        return AccessToken(token, int((now + timedelta(days=1000)).timestamp()))


class ArmWorld:
    def __init__(self, principal: str = FACTORY, **options: Any) -> None:
        self.clock = VirtualClock()
        self.blobs = MemoryBlobs(self.clock)
        self.azure = LocalAzure(self.clock, MemoryStorage(self.blobs), **options)
        self.transport = SandboxTransport({ARM: self.azure.arm})
        self.connection = connection_to(self.azure.arm, WorldsToken(self.azure, principal))
        self.templates = ArmTemplates(ARM, BLOBS, self.connection)
        self.galleries = ArmGalleries(ARM, self.connection)
        self.marketplace = ArmMarketplace(ARM, self.connection)
        self.resources = ArmResources(ARM, self.connection)

    def wait(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))
        self.azure.tick()

    def provisioned(self, id: TemplateId = WEB, **properties: Any) -> TemplateId:
        self.templates.create(id, self.body(**properties), "ubuntu", MADE)
        self.wait(minutes=2)
        return id

    def body(self, tags: dict[str, str] | None = None, **properties: Any) -> bytes:
        """A template file as people write it."""
        setting = self.azure.setting
        source = {
            "type": "PlatformImage",
            "publisher": "Canonical",
            "offer": "0001-com-ubuntu-server-jammy",
            "sku": "22_04-lts-gen2",
            "version": "latest",
        }
        asked = {
            "source": source,
            "customize": [{"type": "Shell", "name": "patch", "inline": ["apt-get update"]}],
            "distribute": [{"type": "VHD", "runOutputName": "web-vhd"}],
            **properties,
        }
        identity = {"type": "UserAssigned", "userAssignedIdentities": {setting.identity_id: {}}}
        document = {"location": setting.location, "identity": identity, "properties": asked}
        return msgspec.json.encode(document | ({"tags": tags} if tags else {}))

    def methods(self) -> list[str]:
        return [call.method for call in self.azure.calls.list("arm", FACTORY)]


class Said:
    """A service that answers what it is told to, one answer per request, and remembers what was asked."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return self._answers.pop(0)


class AnyToken:
    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        return AccessToken("secret-token", 4_000_000_000)


def connection_to(face: Face, source: Any = None, base: str = ARM) -> Connection:
    return Connection(
        Identity(source=source or AnyToken()), transport=SandboxTransport({base: face, f"{base}:443": face})
    )


def templates_of(*answers: Response) -> tuple[ArmTemplates, Said]:
    said = Said(*answers)
    return ArmTemplates(ARM, BLOBS, connection_to(said)), said


def error(status: int, code: str, message: str = "No.", **headers: str) -> Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response.of(status, {"error": {"code": code, "message": message}}, given)


def template_document(**properties: Any) -> dict[str, Any]:
    return {
        "id": str(WEB),
        "location": "West Europe",
        "properties": {"provisioningState": "Succeeded", **properties},
    }
