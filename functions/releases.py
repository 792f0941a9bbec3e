"""Releases: an event hints at a version that was written, a queue works off the looks."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("version_changed")
@blueprint.event_grid_trigger("event")
def version_changed(event: func.EventGridEvent) -> None:
    boundary.accept_event(worker(), event)


@blueprint.function_name("look_releases")
@blueprint.queue_trigger("message", queue_name=Lane.RELEASES.value, connection="FactoryStorage")
def look_releases(message: func.QueueMessage) -> None:
    boundary.work_off_message(worker(), Lane.RELEASES, message)
