"""Sources: a timer watches them, a queue works off the looks, an event tells of a new version."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("watch_sources")
@blueprint.timer_trigger("timer", schedule="%IMAGE_FACTORY_SOURCES_SCHEDULE%")
def on_sources_timer(timer: func.TimerRequest) -> None:
    from shared.usecases.sweep import watch_sources  # here: to import the app must stay cheap

    boundary.on_time(worker(), watch_sources)


@blueprint.function_name("look_sources")
@blueprint.queue_trigger("message", queue_name=Lane.SOURCES.value, connection="FactoryStorage")
def look_sources(message: func.QueueMessage) -> None:
    boundary.work_off_message(worker(), Lane.SOURCES, message)


@blueprint.function_name("source_version_found")
@blueprint.event_grid_trigger("event")
def source_version_found(event: func.EventGridEvent) -> None:
    boundary.accept_event(worker(), event)
