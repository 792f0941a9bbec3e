"""What all clients of a worker share: the identity, one pool of connections, and what they must not do.

No SDK re-sends anything: a look that fails comes back by queue, at the time that the service asks for, while
a retrying SDK sleeps inside a function that is paid for, and may start a run twice. Redirects are not
followed, and the transport sends nothing to a host other than the one a client was made for.
"""

import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared import telemetry
from shared.domain.errors import PermanentError

from .credential import Identity

if TYPE_CHECKING:
    import requests
    from azure.core.pipeline.transport import HttpTransport

_CORRELATION = re.compile(r"[\x21-\x7e]{1,128}")
CONNECT_SECONDS = 10
READ_SECONDS = 65
"""A storage service gives up on a request after 60 s at the latest: its own answer says more than ours."""


class Connection:
    """`transport` replaces the network, for tests over the sandbox without sockets."""

    def __init__(
        self, identity: Identity, *, transport: "HttpTransport[Any, Any] | None" = None, connections: int = 64
    ) -> None:
        self.identity = identity
        self._transport = transport
        self._connections = connections
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def options(self, base_url: str) -> dict[str, Any]:
        """Keyword arguments for any client that speaks to `base_url` and to nothing else."""
        return {
            "credential": self.identity,
            "transport": _guarded(self._shared(), base_url),
            "retry_total": 0,
            "permit_redirects": False,
            "logging_enable": False,
        }

    def arm_options(self, base_url: str) -> dict[str, Any]:
        """For clients of Resource Manager.

        The policies are our own list: the usual one registers resource providers on its own account when a
        request is refused for the lack of one, sleeps, and then sends the request again.
        """
        from azure.core.pipeline.policies import ContentDecodePolicy, HeadersPolicy, UserAgentPolicy
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        scope = f"{base_url}/.default"
        return {
            "base_url": base_url,
            "credential": self.identity,
            "credential_scopes": [scope],
            "transport": _guarded(self._shared(), base_url),
            "policies": [
                HeadersPolicy(),
                UserAgentPolicy(base_user_agent="image-factory"),
                ContentDecodePolicy(),
                ARMChallengeAuthenticationPolicy(self.identity, scope),
            ],
        }

    def close(self) -> None:
        """Ends the network's connections; clients made before open new ones when they are used again."""
        with self._lock:
            if self._session is not None:
                self._session.close()

    def _shared(self) -> "HttpTransport[Any, Any]":
        with self._lock:
            if self._transport is None:
                self._session = _session(self._connections)
                self._transport = _network(self._session)
            return self._transport


def _session(connections: int) -> "requests.Session":
    """With room for all workers: the SDKs' own keeps ten connections per host, and opens more in vain."""
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_connections=connections, pool_maxsize=connections))
    return session


def _network(session: "requests.Session") -> "HttpTransport[Any, Any]":
    from azure.core.pipeline.transport import RequestsTransport

    transport: HttpTransport[Any, Any] = RequestsTransport(
        session=session,
        session_owner=False,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    return transport


def _guarded(inner: "HttpTransport[Any, Any]", base_url: str) -> "HttpTransport[Any, Any]":
    from azure.core.pipeline.transport import HttpTransport as Base

    class Guarded(Base[Any, Any]):
        """Shares `inner`, which outlives it."""

        def send(self, request: Any, **options: Any) -> Any:
            if not _within(request.url, base_url):
                host = request.url.split("?")[0][:200]
                raise PermanentError(f"nothing is sent to {host}: this client speaks to {base_url} alone")
            correlation = telemetry.correlation()
            if _CORRELATION.fullmatch(correlation):
                request.headers["x-ms-client-request-id"] = correlation
            return inner.send(request, **options)

        def open(self) -> None:
            inner.open()

        def close(self) -> None:
            """Nothing: other clients use it too."""

        def __exit__(self, *_: object) -> None:
            """As `close`."""

    return Guarded()


def _within(url: str, base: str) -> bool:
    """Whether it is below `base`. Resource Manager likes to write the port 443 into its next links."""
    wanted, given = urlsplit(base), urlsplit(url)
    place = given.netloc.lower().removesuffix(":443"), given.scheme
    path = wanted.path.rstrip("/")
    return place == (wanted.netloc.lower().removesuffix(":443"), wanted.scheme) and (
        given.path == path or given.path.startswith(f"{path}/")
    )
