"""App settings: `%NAME%` in bindings, and identity-based connections behind a `connection` name."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

_PLACEHOLDER: Final = re.compile(r"%([^%]+)%")


class SettingFault(ValueError):
    """A binding needs a setting that is missing or of a form that this host does not run."""


class Connection(msgspec.Struct, frozen=True):
    """Where a storage account's queues are, and which identity goes there."""

    queue_uri: str
    credential: str | None = None
    client_id: str | None = None


class AppSettings:
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        return self._values.get(name) or None

    def resolve(self, text: str) -> str:
        """Replace each `%NAME%`; raise `SettingFault` for one that is not set."""

        def value(match: re.Match[str]) -> str:
            found = self.get(match[1])
            if found is None:
                raise SettingFault(f"'%{match[1]}%' does not resolve to a value: set {match[1]}")
            return found

        return _PLACEHOLDER.sub(value, text)

    def connection(self, name: str) -> Connection:
        """Return the storage connection of that name, or raise `SettingFault`."""
        for prefix in (name, f"AzureWebJobs{name}"):
            if self.get(prefix):
                raise SettingFault(
                    f"{prefix} is a connection string; set {prefix}__queueServiceUri and "
                    f"{prefix}__credential=managedidentity instead, this host goes by identity alone"
                )
            uri = self.get(f"{prefix}__queueServiceUri")
            account = self.get(f"{prefix}__accountName")
            if uri or account:
                return Connection(
                    queue_uri=(uri or f"https://{account}.queue.core.windows.net").rstrip("/"),
                    credential=self.get(f"{prefix}__credential"),
                    client_id=self.get(f"{prefix}__clientId"),
                )
        raise SettingFault(
            f"connection '{name}' is not set: neither {name}__queueServiceUri nor __accountName"
        )
