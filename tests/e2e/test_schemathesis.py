"""Whatever fits the description of the API, and much that does not, is answered as the description says.

Requests are made up from the OpenAPI document that the running app serves: no server error, no status that is
not documented, no answer that does not fit its schema.
"""

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.worlds.factory import IMAGE, FactoryWorld

if TYPE_CHECKING:
    from schemathesis.schemas import APIOperation

LONGEST = 8000
KNOWN = {"image": IMAGE, "definition": "windows-2022", "version": "1.0.0"}
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("examples", [1, pytest.param(40, marks=pytest.mark.long)])
def test_every_answer_is_one_that_the_description_has(factory: FactoryWorld, examples: int) -> None:
    """And afterwards the factory is at rest, with nothing failed."""
    functions = f"{factory.sandbox.endpoints['functions']}/api/v1"
    document = requests.get(f"{functions}/openapi.json", timeout=20).json()
    schema = schemathesis.openapi.from_dict(document)
    with requests.Session() as session:
        session.headers["x-functions-key"] = factory.sandbox.endpoints["master_key"]
        for found in schema.get_all_operations():
            operation: APIOperation[Any, Any, Any, Any] = found.ok()
            for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                _try(operation, mode, functools.partial(_call, session, functions), examples)
        _resume(session, functions)
    factory.sandbox.until(factory.quiet, "quiet", 60, pause=0.2)
    assert factory.status()["failed"] == []


def _try(operation: Any, mode: GenerationMode, call: Any, examples: int) -> None:
    @settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(mode))
    def attempt(case: Case) -> None:
        call(case)

    with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        attempt()


def _call(session: requests.Session, base: str, case: Case) -> None:
    for name, there in KNOWN.items():
        if case.path_parameters and len(str(case.path_parameters.get(name, ""))) % 2:
            case.path_parameters[name] = there  # else hardly any request gets beyond "no such thing"
    if len(case.as_curl_command()) > LONGEST:
        return  # no host reads so long a request line
    response = case.call(base_url=base, session=session, timeout=20)
    case.validate_response(response, checks=CHECKS)


def _resume(session: requests.Session, base: str) -> None:
    assert session.post(f"{base}/images/{IMAGE}/resume", timeout=20).status_code in (200, 409)
