"""The topics of a world: the factory's own, and the one that Resource Manager publishes to."""

from typing import Final

import msgspec

from sandbox.eventgrid.events import InputSchema
from sandbox.eventgrid.subscriptions import TopicAlias

AUDIENCE: Final = "https://eventgrid.azure.net"
SEND: Final = "Microsoft.EventGrid/events/send/action"


class Topic(msgspec.Struct, frozen=True):
    """`alias` is what subscriptions call it, `scope` the resource id that roles and events name.

    A system topic has no endpoint, so it has no `name`.
    """

    alias: TopicAlias
    scope: str
    name: str | None = None
    schema: InputSchema = "EventGridSchema"


def default_topics(
    subscription: str, group: str = "image-factory", name: str = "image-factory"
) -> tuple[Topic, Topic]:
    scope = f"/subscriptions/{subscription}"
    custom = f"{scope}/resourceGroups/{group}/providers/Microsoft.EventGrid/topics/{name}"
    return Topic(alias="factory", scope=custom, name=name), Topic(alias="subscription", scope=scope)
