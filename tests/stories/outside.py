"""The app's outside in a story: the real gateways to Resource Manager and Event Grid, storage in memory.

Everything that the app sends passes the world's gate.
"""

import itertools
from typing import TYPE_CHECKING, Any, cast

from azure.core.credentials import AccessToken

from sandbox.identity.tokens import FACTORY
from sandbox.transport import SandboxTransport
from shared.gateways.connection import Connection
from shared.gateways.credential import Identity
from shared.gateways.estate import ArmEstate
from shared.gateways.events import TopicEvents
from shared.gateways.galleries import ArmGalleries
from shared.gateways.manifests import BlobManifests
from shared.gateways.marketplace import ArmMarketplace
from shared.gateways.resources import ArmResources
from shared.gateways.scripts import StorageScripts
from shared.gateways.templates import ArmTemplates
from shared.ports import Outside

from .cuts import Gate, Gated, InOrder

if TYPE_CHECKING:
    from azure.core.pipeline.transport import HttpTransport

    from .world import World

ARM = "https://management.azure.com"
EVENTS = "https://events.sandbox"
TOPIC = f"{EVENTS}/topics/image-factory/api/events"
BLOBS = "https://{account}.blob.core.windows.net"


class SandboxIdentity:
    """Tokens of the factory's identity, as the managed identity endpoint would give them."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        from datetime import timedelta

        now, lifetime = self._world.clock.now(), timedelta(days=30)
        audience = scopes[0].removesuffix("/.default")
        token = self._world.azure.tokens.issue(FACTORY, audience, now, lifetime)
        return AccessToken(token, int((now + lifetime).timestamp()))


class GatedTransport(SandboxTransport):
    def __init__(self, world: "World", gate: Gate) -> None:
        super().__init__({ARM: world.azure.arm, EVENTS: world.azure.eventgrid})
        self._gate = gate

    def send(self, request: Any, **kwargs: Any) -> Any:
        name = f"{request.method} {request.url.split('?')[0].removeprefix(ARM)}"
        return self._gate.through(
            name, lambda: super(GatedTransport, self).send(request, **kwargs), sockets=True
        )


def gated_outside(world: "World") -> Outside:
    gate = world.gate
    transport = cast("HttpTransport[Any, Any]", GatedTransport(world, gate))
    connection = Connection(Identity(source=SandboxIdentity(world)), transport=transport)
    blobs = cast("Any", Gated(world.blobs, "blobs", gate))
    ids = itertools.count(1)
    return Outside(
        ledger=cast("Any", Gated(world.ledger, "ledger", gate)),
        queues=cast("Any", Gated(world.queues, "queues", gate)),
        blobs=blobs,
        manifests=BlobManifests(blobs),
        scripts=StorageScripts(BLOBS, blobs),
        templates=ArmTemplates(ARM, BLOBS, connection),
        marketplace=ArmMarketplace(ARM, connection),
        galleries=ArmGalleries(ARM, connection),
        resources=ArmResources(ARM, connection),
        estate=ArmEstate(ARM, connection, world.clock.pause),
        events=TopicEvents(TOPIC, connection),
        clock=world.clock,
        workers=InOrder(),
        new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
        version="test",
    )
