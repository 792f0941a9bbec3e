"""The environment of the app, read once and whole: the only place that knows the names of its variables."""

import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec

VERSION = "0.1.0"
"""The product's version. A constant: a deployed Functions app is a folder, not an installed package."""

_ROOT = Path(__file__).resolve().parent.parent
_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


_LEAST_LAG = 900
_TRUST = "IMAGE_FACTORY_TRUST_PRINCIPAL_HEADER"
_PLATFORM = "WEBSITE_AUTH_ENABLED"


class SettingsError(Exception):
    """Everything that is wrong with the environment at once, one line per setting."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("the app's settings cannot be used:\n" + "\n".join(f"- {each}" for each in faults))
        self.faults = faults


class Settings(msgspec.Struct, frozen=True):
    """Where the app finds its configuration and its services."""

    config: Path
    arm_endpoint: str
    blob_endpoint: str
    """A template with `{account}`, from which every storage address is built and against which it is read."""
    queue_uri: str
    table_uri: str
    topic_endpoint: str
    client_id: str | None = None
    """Of the user-assigned identity; None for the system-assigned one."""
    trust_principal: bool = False
    """Whether callers are who the header of App Service authentication says; else keys count."""
    graph_lag: timedelta = timedelta(minutes=15)
    """How far Resource Graph may be behind: so long nothing is deleted after its exclusion from latest."""
    version: str = VERSION

    @classmethod
    def from_environment(cls) -> Self:
        return cls.from_env(os.environ)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Raises SettingsError, which lists every fault."""
        found: dict[str, str] = {}
        faults: list[str] = []
        for setting in _SETTINGS:
            value = environment.get(setting.variable, "").strip() or setting.default
            fault = _fault_in(setting, value)
            if fault:
                faults.append(fault)
            found[setting.field] = value.rstrip("/") if setting.check is not _any_text else value
        trust = found.pop("trust_principal") == "true"
        if trust and not trusts_principal(environment):
            faults.append(
                f"{_TRUST} is 'true', but App Service authentication is not on ({_PLATFORM} is not set):"
                " anybody could write the header; turn it on, or leave this setting out"
            )
        lag = found.pop("graph_lag")
        if not faults and int(lag) < _LEAST_LAG and urlsplit(found["arm_endpoint"]).hostname != "127.0.0.1":
            faults.append(
                f"IMAGE_FACTORY_GRAPH_LAG_SECONDS is {lag!r}: Azure's Resource Graph may be minutes behind;"
                f" expected at least {_LEAST_LAG} anywhere but in the sandbox"
            )
        if faults:
            raise SettingsError(tuple(faults))
        config = Path(found.pop("config"))
        return cls(
            config=config if config.is_absolute() else _ROOT / config,
            client_id=found.pop("client_id") or None,
            graph_lag=timedelta(seconds=int(lag)),
            trust_principal=trust,
            **found,
        )


def trusts_principal(environment: Mapping[str, str] | None = None) -> bool:
    """Whether the header is to be trusted, and it is the platform that writes it.

    The platform says so in an environment variable, by which Microsoft.Identity.Web goes as well
    (`AppServicesAuthenticationInformation`). Without that the setting counts for nothing.
    """
    told = os.environ if environment is None else environment
    return all(told.get(name, "").strip().lower() == "true" for name in (_TRUST, _PLATFORM))


class _Setting(msgspec.Struct, frozen=True):
    field: str
    variable: str
    check: Callable[[str], str]
    """Says what is wrong with a value, or nothing."""
    example: str
    default: str = ""
    required: bool = True


def _fault_in(setting: _Setting, value: str) -> str:
    if not value:
        if not setting.required:
            return ""
        return f"{setting.variable} is not set; expected something like {setting.example}"
    wrong = setting.check(value)
    return (
        f"{setting.variable} is {value!r}: {wrong}; expected something like {setting.example}"
        if wrong
        else ""
    )


def _any_text(value: str) -> str:
    return "" if "\0" not in value else "it contains a NUL character"


def _seconds(value: str) -> str:
    return "" if re.fullmatch(r"[0-9]{1,6}", value) else "it is not a whole number of seconds"


def _yes_or_no(value: str) -> str:
    return "" if value in ("true", "false") else "it is neither true nor false"


def _client_id(value: str) -> str:
    return "" if _CLIENT_ID.fullmatch(value) else "it is not the client id (a GUID) of a managed identity"


def _service(value: str) -> str:
    """Bearer tokens go to these addresses: nothing but plain HTTPS will do."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  reading it is what checks it
    except ValueError as error:
        return f"it is not a URL ({error})"
    faults = (
        (parts.scheme == "https", "it does not begin with https:// (tokens are sent to it)"),
        (bool(parts.hostname), "it names no host"),
        (not parts.username and not parts.password, "it contains credentials"),
        (not parts.query and not parts.fragment, "it has a query or a fragment"),
        (not re.search(r"[\s\\]", value), "it contains blanks or backslashes"),
    )
    return next((text for fine, text in faults if not fine), "")


def _host_alone(value: str) -> str:
    return _service(value) or ("it has a path" if urlsplit(value).path.strip("/") else "")


def _account_template(value: str) -> str:
    if value.count("{account}") != 1 or len(re.findall(r"[{}]", value)) != 2:
        return "it must contain {account} exactly once, and no other braces"
    return _service(value.replace("{account}", "account"))


_SETTINGS = (
    _Setting(
        *("config", "IMAGE_FACTORY_CONFIG", _any_text, "config/factory.yaml"), default="config/factory.yaml"
    ),
    _Setting(
        *("arm_endpoint", "IMAGE_FACTORY_ARM_ENDPOINT", _host_alone, "https://management.azure.com"),
        default="https://management.azure.com",
    ),
    _Setting(
        *("blob_endpoint", "IMAGE_FACTORY_BLOB_ENDPOINT", _account_template),
        example="https://{account}.blob.core.windows.net",
        default="https://{account}.blob.core.windows.net",
    ),
    _Setting(
        *("queue_uri", "FactoryStorage__queueServiceUri", _service),
        example="https://mystorage.queue.core.windows.net",
    ),
    _Setting(
        *("table_uri", "FactoryStorage__tableServiceUri", _service),
        example="https://mystorage.table.core.windows.net",
    ),
    _Setting(
        *("topic_endpoint", "IMAGE_FACTORY_TOPIC_ENDPOINT", _service),
        example="https://image-factory.westeurope-1.eventgrid.azure.net/api/events",
    ),
    _Setting(
        *("client_id", "FactoryStorage__clientId", _client_id),
        example="3f0c2e5a-7a0e-4f5b-9d6a-2b1c8e4d7f90",
        required=False,
    ),
    _Setting(*("trust_principal", _TRUST, _yes_or_no, "true"), default="false"),
    _Setting(
        *("graph_lag", "IMAGE_FACTORY_GRAPH_LAG_SECONDS", _seconds, str(_LEAST_LAG)), default=str(_LEAST_LAG)
    ),
)
