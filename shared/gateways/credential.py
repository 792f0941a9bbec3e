"""Who the app is: its managed identity in Azure, the environment or azure-cli elsewhere. No key, ever."""

import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from shared.domain.errors import RetryableError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo

STORAGE = "https://storage.azure.com/.default"
EVENT_GRID = "https://eventgrid.azure.net/.default"
_EARLY = 300.0
"""Seconds before its end that a token is no longer used: clocks differ, and a request takes time."""


class Credential(Protocol):
    """What azure-core calls a token credential."""

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken": ...


class Identity:
    """One credential for all clients of a worker, made when the first token is needed."""

    def __init__(self, client_id: str | None = None, source: Credential | None = None) -> None:
        self._client_id = client_id
        self._source = source
        self._tokens: dict[str, AccessToken] = {}
        self._lock = threading.Lock()

    def bearer(self, scope: str) -> str:
        """An Authorization value for a header that no SDK fills in."""
        return f"Bearer {self.get_token(scope).token}"

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """As azure-core calls it. With options (a claims challenge, a tenant) the cache is passed by."""
        special = {name: value for name, value in options.items() if value and name != "enable_cae"}
        key = " ".join(scopes)
        with self._lock:  # one request for a token, however many threads have begun to copy
            held = self._tokens.get(key)
            if held is None or special or held.expires_on - _EARLY < time.time():
                held = self._tokens[key] = self._fresh(scopes, special)
            return held

    def get_token_info(self, *scopes: str, options: Any = None) -> "AccessTokenInfo":
        """As newer azure-core calls it."""
        from azure.core.credentials import AccessTokenInfo

        token = self.get_token(*scopes, **dict(options or {}))
        return AccessTokenInfo(token.token, token.expires_on)

    def _fresh(self, scopes: tuple[str, ...], options: dict[str, Any]) -> "AccessToken":
        from azure.core.exceptions import AzureError

        if self._source is None:
            self._source = _default(self._client_id)
        try:
            return self._source.get_token(*scopes, **options)
        except AzureError as error:
            raise RetryableError(
                f"no token for {' '.join(scopes)}: {_reason(str(error.message))}."
                " Is the app's managed identity assigned?"
            ) from error


def _reason(message: str) -> str:
    """Of everything that was tried, the managed identity's own words."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    telling = next((line for line in lines if line.startswith("ManagedIdentityCredential")), None)
    return (telling or " ".join(lines[:1])).rstrip(".")[:300]


def _default(client_id: str | None) -> Credential:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(
        managed_identity_client_id=client_id,
        retry_total=1,
        exclude_workload_identity_credential=True,
        exclude_visual_studio_code_credential=True,
        exclude_shared_token_cache_credential=True,
        exclude_powershell_credential=True,
        exclude_developer_cli_credential=True,
        exclude_interactive_browser_credential=True,
        exclude_broker_credential=True,
    )
