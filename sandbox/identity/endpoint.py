"""The managed identity endpoint of App Service: where DefaultAzureCredential of the app gets its tokens.

Which identity a caller is follows from the secret header that it was started with: the app has one, and a
person who wants to look at the sandbox with azure-cli has another.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sandbox.calls import Call, CallLog
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.http import Request, Response
from sandbox.identity.tokens import Tokens

PATH: Final = "/msi/token"
VERSION: Final = "2019-08-01"
LIFETIME: Final = timedelta(hours=24)  # what a managed identity's tokens live


class IdentityEndpoint:
    """A Face. `headers` maps each secret to the principal that it belongs to."""

    def __init__(
        self,
        clock: Clock,
        tokens: Tokens,
        faults: Faults,
        calls: CallLog,
        headers: Mapping[str, str],
        lifetime: timedelta = LIFETIME,
    ) -> None:
        self._clock = clock
        self._tokens = tokens
        self._faults = faults
        self._calls = calls
        self._headers = headers
        self._lifetime = lifetime

    def handle(self, request: Request) -> Response:
        principal = self._headers.get(request.headers.get("X-IDENTITY-HEADER", ""))
        response = self._faults.around("identity", request, lambda asked: self._answer(asked, principal))
        self._calls.append(
            Call(
                service="identity",
                method=request.method,
                path=request.path,
                query=request.target.partition("?")[2],
                status=0 if response.drop else response.status,
                at=self._clock.now(),
                audience=request.param("resource"),
                principal=principal,
                correlation=request.headers.get("x-ms-client-request-id"),
            )
        )
        return response

    def _answer(self, request: Request, principal: str | None) -> Response:
        if request.path.rstrip("/") != PATH or request.method != "GET":
            return _refusal(404, f"There is nothing but GET {PATH} here.")
        if principal is None:
            return _refusal(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        if request.param("api-version") != VERSION:
            return _refusal(400, f"The api-version must be {VERSION}.")
        resource = request.param("resource")
        if not resource:
            return _refusal(400, "The parameter resource is missing: it names whom the token is for.")
        client_id = request.param("client_id")
        if client_id is not None and client_id.lower() != self._tokens.client_id(principal):
            return _refusal(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            )
        now = self._clock.now()
        document = {
            "access_token": self._tokens.issue(principal, resource, now, self._lifetime),
            "client_id": self._tokens.client_id(principal),
            "expires_on": str(int((now + self._lifetime).timestamp())),
            "resource": resource,
            "token_type": "Bearer",
        }
        return Response.of(200, document)


def _refusal(status: int, message: str) -> Response:
    return Response.of(status, {"statusCode": status, "message": message})
