"""Messages that the host gave up: recorded, journalled, published."""

import azure.functions as func

from shared.bootstrap import worker
from shared.domain.looks import Lane

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("poison_sources")
@blueprint.queue_trigger("message", queue_name="sources-poison", connection="FactoryStorage")
def poison_sources(message: func.QueueMessage) -> None:
    boundary.record_poison(worker(), Lane.SOURCES, message)


@blueprint.function_name("poison_builds")
@blueprint.queue_trigger("message", queue_name="builds-poison", connection="FactoryStorage")
def poison_builds(message: func.QueueMessage) -> None:
    boundary.record_poison(worker(), Lane.BUILDS, message)


@blueprint.function_name("poison_archive")
@blueprint.queue_trigger("message", queue_name="archive-poison", connection="FactoryStorage")
def poison_archive(message: func.QueueMessage) -> None:
    boundary.record_poison(worker(), Lane.ARCHIVE, message)


@blueprint.function_name("poison_releases")
@blueprint.queue_trigger("message", queue_name="releases-poison", connection="FactoryStorage")
def poison_releases(message: func.QueueMessage) -> None:
    boundary.record_poison(worker(), Lane.RELEASES, message)


@blueprint.function_name("poison_retention")
@blueprint.queue_trigger("message", queue_name="retention-poison", connection="FactoryStorage")
def poison_retention(message: func.QueueMessage) -> None:
    boundary.record_poison(worker(), Lane.RETENTION, message)
