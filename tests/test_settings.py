"""The environment is read whole, or refused whole with everything that is wrong with it."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from shared.settings import VERSION, Settings, SettingsError, trusts_principal

ROOT = Path(__file__).parent.parent
COMPLETE = {
    "FactoryStorage__queueServiceUri": "https://mystorage.queue.core.windows.net/",
    "FactoryStorage__tableServiceUri": "https://mystorage.table.core.windows.net",
    "IMAGE_FACTORY_TOPIC_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events",
}


def faults(**changed: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**COMPLETE, **changed})
    return caught.value.faults


def test_what_may_be_left_out_has_the_values_of_the_public_cloud() -> None:
    settings = Settings.from_env(COMPLETE)
    assert settings.arm_endpoint == "https://management.azure.com"
    assert settings.blob_endpoint == "https://{account}.blob.core.windows.net"
    assert settings.config == ROOT / "config/factory.yaml"
    assert settings.client_id is None
    assert settings.queue_uri == "https://mystorage.queue.core.windows.net"  # no slash at the end


def test_a_relative_configuration_is_found_from_the_root_of_the_app(tmp_path: Path) -> None:
    assert (
        Settings.from_env({**COMPLETE, "IMAGE_FACTORY_CONFIG": "config/b.yaml"}).config
        == ROOT / "config/b.yaml"
    )
    elsewhere = str(tmp_path / "factory.yaml")
    assert Settings.from_env({**COMPLETE, "IMAGE_FACTORY_CONFIG": elsewhere}).config == Path(elsewhere)


def test_the_sandbox_differs_in_endpoints_alone() -> None:
    settings = Settings.from_env(
        {
            "FactoryStorage__queueServiceUri": "https://127.0.0.1:4001/factory",
            "FactoryStorage__tableServiceUri": "https://127.0.0.1:4002/factory",
            "IMAGE_FACTORY_TOPIC_ENDPOINT": "https://127.0.0.1:4003/topics/image-factory/api/events",
            "IMAGE_FACTORY_ARM_ENDPOINT": "https://127.0.0.1:4000",
            "IMAGE_FACTORY_BLOB_ENDPOINT": "https://127.0.0.1:4004/{account}",
        }
    )
    assert settings.blob_endpoint.format(account="it0815") == "https://127.0.0.1:4004/it0815"


def test_everything_that_is_wrong_is_said_at_once_with_name_and_example() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(
            {"IMAGE_FACTORY_BLOB_ENDPOINT": "https://blob.core.windows.net", "FactoryStorage__clientId": "me"}
        )
    told = caught.value.faults
    assert [fault.split(" ")[0] for fault in told] == [
        "IMAGE_FACTORY_BLOB_ENDPOINT",
        "FactoryStorage__queueServiceUri",
        "FactoryStorage__tableServiceUri",
        "IMAGE_FACTORY_TOPIC_ENDPOINT",
        "FactoryStorage__clientId",
    ]
    assert "{account} exactly once" in told[0]
    assert "https://{account}.blob.core.windows.net" in told[0]
    assert all("expected something like" in fault for fault in told)
    assert all(fault in str(caught.value) for fault in told)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("http://mystorage.table.core.windows.net", "https://"),
        ("https://user:word@mystorage.table.core.windows.net", "credentials"),
        ("https://mystorage.table.core.windows.net?sv=1", "query"),
        ("https:///nowhere", "no host"),
        ("https://host:port", "not a URL"),
        ("https://my storage", "blanks"),
    ],
)
def test_a_service_that_gets_tokens_is_plain_https(value: str, wrong: str) -> None:
    (fault,) = faults(FactoryStorage__tableServiceUri=value)
    assert wrong in fault


@pytest.mark.parametrize(
    "value", ["https://{account}.x/{account}", "https://{account}.{zone}", "https://x:{account}"]
)
def test_the_blob_template_names_the_account_once_where_it_can_stand(value: str) -> None:
    (fault,) = faults(IMAGE_FACTORY_BLOB_ENDPOINT=value)
    assert fault.startswith("IMAGE_FACTORY_BLOB_ENDPOINT")


def test_resource_manager_is_a_host_without_a_path() -> None:
    (fault,) = faults(IMAGE_FACTORY_ARM_ENDPOINT="https://management.azure.com/subscriptions")
    assert "path" in fault


def test_the_version_is_that_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_resource_graph_may_be_behind_by_a_quarter_of_an_hour_anywhere_but_in_the_sandbox() -> None:
    """So long nothing is deleted after its exclusion: not a matter of taste."""
    assert Settings.from_env(COMPLETE).graph_lag == timedelta(minutes=15)
    (fault,) = faults(IMAGE_FACTORY_GRAPH_LAG_SECONDS="60")
    assert "expected at least 900 anywhere but in the sandbox" in fault
    local = {"IMAGE_FACTORY_GRAPH_LAG_SECONDS": "1", "IMAGE_FACTORY_ARM_ENDPOINT": "https://127.0.0.1:4000"}
    assert Settings.from_env({**COMPLETE, **local}).graph_lag == timedelta(seconds=1)
    (fault,) = faults(IMAGE_FACTORY_GRAPH_LAG_SECONDS="soon")
    assert "it is not a whole number of seconds" in fault


def test_the_header_of_app_service_is_trusted_only_where_the_platform_writes_it() -> None:
    """Off by default; and a fault where anybody could write it."""
    name, platform = "IMAGE_FACTORY_TRUST_PRINCIPAL_HEADER", "WEBSITE_AUTH_ENABLED"
    (fault,) = faults(**{name: "true"})
    assert "App Service authentication is not on (WEBSITE_AUTH_ENABLED is not set)" in fault
    (fault,) = faults(**{name: "yes"})
    assert "it is neither true nor false; expected something like true" in fault
    assert not Settings.from_env(COMPLETE).trust_principal
    assert Settings.from_env({**COMPLETE, name: "true", platform: "True"}).trust_principal
    assert not trusts_principal({name: "true"})
    assert not trusts_principal({platform: "true"})
