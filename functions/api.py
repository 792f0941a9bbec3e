"""HTTP: is the factory well, and look at an image now."""

from http import HTTPStatus

import azure.functions as func

from shared import telemetry
from shared.bootstrap import Worker, worker
from shared.contracts import http
from shared.contracts.faults import FaultyConfiguration
from shared.domain.errors import FactoryError, Invalid

from . import boundary

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route(
    "v1/health", trigger_arg_name="request", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS
)
def health(request: func.HttpRequest) -> func.HttpResponse:
    return tell_health(worker())


@blueprint.function_name("look_at_image")
@blueprint.route(
    "v1/images/{name}/look", trigger_arg_name="request", methods=["POST"], auth_level=func.AuthLevel.FUNCTION
)
def look_at_image(request: func.HttpRequest) -> func.HttpResponse:
    return take_look(worker(), request.route_params.get("name", ""))


def tell_health(this: Worker) -> func.HttpResponse:
    try:
        return _json(http.healthy(this.version, this.factory()), HTTPStatus.OK)
    except FaultyConfiguration as error:
        return _json(http.unhealthy(this.version, error.faults), HTTPStatus.SERVICE_UNAVAILABLE)


def take_look(this: Worker, name: str) -> func.HttpResponse:
    from shared.usecases.status import ask_for_look  # here: to import the app must stay cheap

    correlation = boundary.new_correlation()
    with telemetry.bind(correlation=correlation, image=name):
        try:
            ask_for_look(this.outside, this.factory(), name, correlation)
        except Invalid as error:
            return _problem(HTTPStatus.NOT_FOUND, str(error), correlation)
        except FaultyConfiguration as error:
            detail = f"the configuration is faulty, so nothing is acted upon: {len(error.faults)} fault(s)"
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, correlation)
        except FactoryError as error:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), correlation)
    return _json(http.accepted(name, correlation), HTTPStatus.ACCEPTED)


def _json(body: bytes, status: HTTPStatus, mimetype: str = http.JSON) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status.value, mimetype=mimetype)


def _problem(status: HTTPStatus, detail: str, correlation: str) -> func.HttpResponse:
    return _json(http.problem(status, detail, correlation=correlation), status, http.PROBLEM)
