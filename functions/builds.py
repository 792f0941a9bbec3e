"""Builds: an event hints at the end of a run, a queue works off the looks."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("template_changed")
@blueprint.event_grid_trigger("event")
def template_changed(event: func.EventGridEvent) -> None:
    boundary.accept_event(worker(), event)


@blueprint.function_name("look_builds")
@blueprint.queue_trigger("message", queue_name=Lane.BUILDS.value, connection="FactoryStorage")
def look_builds(message: func.QueueMessage) -> None:
    boundary.work_off_message(worker(), Lane.BUILDS, message)
