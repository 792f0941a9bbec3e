"""Health: told to anybody, so in words and not in details: faults quote the configuration."""

from http import HTTPStatus
from typing import TYPE_CHECKING

import azure.functions as func
import msgspec

from functions import answers
from shared.bootstrap import Worker
from shared.contracts.api import health
from shared.contracts.api.problems import JSON
from shared.contracts.faults import FaultyConfiguration
from shared.usecases.health import Condition, overall

if TYPE_CHECKING:
    from shared.domain.factory import Factory


def tell_health(this: Worker) -> func.HttpResponse:
    """200 while work gets done, late or not; 503 when it does not."""
    factory: Factory | None = None
    faults = 0
    try:
        factory = this.factory()
    except FaultyConfiguration as error:
        faults = len(error.faults)
    parts = this.examined(factory)
    standing = overall(parts)
    told = health.Health(
        status=health.Standing(standing.value),
        version=this.version,
        mode=factory.mode.value if factory else None,
        images=len(factory.images) if factory else None,
        parts=tuple(health.HealthPart(p.name, health.Standing(p.condition.value), p.told) for p in parts),
        faults=faults,
    )
    status = HTTPStatus.SERVICE_UNAVAILABLE if standing is Condition.DOWN else HTTPStatus.OK
    return answers.answer(msgspec.json.encode(told), status, JSON)
