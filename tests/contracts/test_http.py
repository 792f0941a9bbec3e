"""Bodies of the HTTP surface."""

import json
from http import HTTPStatus

from shared.contracts import http
from shared.contracts.faults import Fault

from .builders import build_factory

FAULT = Fault("factory.yaml", 3, "images.a.mode", "'acts'; expected act or observe", "act")
TOLD = {
    "file": "factory.yaml",
    "line": 3,
    "path": "images.a.mode",
    "message": "'acts'; expected act or observe",
    "suggestion": "act",
}


def test_health_says_what_runs() -> None:
    assert json.loads(http.healthy("0.1.0", build_factory())) == {
        "status": "ok",
        "version": "0.1.0",
        "mode": "act",
        "images": 1,
        "faults": [],
    }


def test_health_says_why_nothing_is_acted_upon() -> None:
    assert json.loads(http.unhealthy("0.1.0", (FAULT,))) == {
        "status": "faulty",
        "version": "0.1.0",
        "mode": None,
        "images": None,
        "faults": [TOLD],
    }


def test_an_accepted_look_says_where_to_follow_it() -> None:
    assert json.loads(http.accepted("ubuntu", "c-1")) == {"image": "ubuntu", "correlation": "c-1"}


def test_a_problem_says_what_was_wrong() -> None:
    body = http.problem(HTTPStatus.NOT_FOUND, "no image 'x' is configured", instance="/api/v1/images/x/look")
    assert json.loads(body) == {
        "title": "Not Found",
        "status": 404,
        "detail": "no image 'x' is configured",
        "instance": "/api/v1/images/x/look",
    }


def test_a_problem_with_the_configuration_lists_its_faults() -> None:
    body = json.loads(
        http.problem(HTTPStatus.SERVICE_UNAVAILABLE, "mend it", correlation="c", faults=(FAULT,))
    )
    assert (body["faults"], body["correlation"]) == ([TOLD], "c")
