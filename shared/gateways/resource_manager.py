"""Resource Manager by plain requests, where no management package of its own is worth its import."""

import threading
from typing import TYPE_CHECKING, Any

from .connection import Connection
from .errors import Call, translated

if TYPE_CHECKING:
    from azure.mgmt.core import ARMPipelineClient


class ResourceManager:
    """The pipeline of a management client (identity, TLS, retries) without the client."""

    def __init__(self, endpoint: str, connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._pipeline: ARMPipelineClient[Any, Any] | None = None
        self._lock = threading.Lock()

    def send(self, call: Call, method: str, path: str, version: str, body: Any = None) -> Any:
        """One request; its answer as JSON, None if it has none. Raises what `call` makes of a refusal."""
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest

        url, params = f"{self._endpoint}{path}", {"api-version": version}
        with translated(call):
            request = HttpRequest(method, url, params=params, **({} if body is None else {"json": body}))
            answer = self._client().send_request(request)
            if not 200 <= answer.status_code < 300:
                raise HttpResponseError(response=answer)
            return answer.json() if answer.content else None

    def _client(self) -> "ARMPipelineClient[Any, Any]":
        with self._lock:
            if self._pipeline is None:
                from azure.mgmt.core import ARMPipelineClient

                options = self._connection.arm_options(self._endpoint)
                wanted = ("base_url", "transport", "policies")
                self._pipeline = ARMPipelineClient(**{name: options[name] for name in wanted})
            return self._pipeline
