"""Retention: a timer looks at everything, a queue works off what goes, one thing a message."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("retention")
@blueprint.timer_trigger("timer", schedule="%IMAGE_FACTORY_RETENTION_SCHEDULE%")
def on_retention_timer(timer: func.TimerRequest) -> None:
    from shared.usecases.retention import look_at_everything  # here: to import the app must stay cheap

    boundary.on_time(worker(), look_at_everything)


@blueprint.function_name("look_retention")
@blueprint.queue_trigger("message", queue_name=Lane.RETENTION.value, connection="FactoryStorage")
def look_retention(message: func.QueueMessage) -> None:
    boundary.work_off_message(worker(), Lane.RETENTION, message)
