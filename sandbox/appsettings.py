"""The app's settings in the sandbox: the whole contract between the two."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox.endpoints import Published

GRAPH_LAG = "1"
"""Seconds: Resource Graph here is never far behind."""


def app_settings(
    published: Published, config: Path, sources_schedule: str, sweep_schedule: str, retention_schedule: str
) -> dict[str, str]:
    """The environment of a Functions host that runs the app here; no key and no connection string in it."""
    settings = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "IMAGE_FACTORY_CONFIG": str(config),
        "IMAGE_FACTORY_ARM_ENDPOINT": published.arm,
        "IMAGE_FACTORY_BLOB_ENDPOINT": f"{published.blob}/{{account}}",
        "IMAGE_FACTORY_TOPIC_ENDPOINT": published.topic,
        "IMAGE_FACTORY_SOURCES_SCHEDULE": sources_schedule,
        "IMAGE_FACTORY_SWEEP_SCHEDULE": sweep_schedule,
        "IMAGE_FACTORY_RETENTION_SCHEDULE": retention_schedule,
        "IMAGE_FACTORY_GRAPH_LAG_SECONDS": GRAPH_LAG,
        "IDENTITY_ENDPOINT": published.identity,
        "IDENTITY_HEADER": published.identity_header,
        "REQUESTS_CA_BUNDLE": published.ca,
        "SSL_CERT_FILE": published.ca,
    }
    for prefix in ("AzureWebJobsStorage", "FactoryStorage"):
        for service in ("blob", "queue", "table"):
            settings[f"{prefix}__{service}ServiceUri"] = f"{getattr(published, service)}/factory"
        settings[f"{prefix}__credential"] = "managedidentity"
    return settings


def write_local_settings(path: Path, settings: Mapping[str, str]) -> None:
    """The same for `func start`: copy the file beside function_app.py as local.settings.json."""
    document = {"IsEncrypted": False, "Values": dict(settings)}
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
