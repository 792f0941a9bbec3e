"""Archive: a queue works off the looks at VHD outputs, one time slice each."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("look_archive")
@blueprint.queue_trigger("message", queue_name=Lane.ARCHIVE.value, connection="FactoryStorage")
def look_archive(message: func.QueueMessage) -> None:
    boundary.work_off_message(worker(), Lane.ARCHIVE, message)
