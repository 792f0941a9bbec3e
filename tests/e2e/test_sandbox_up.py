"""`python -m sandbox up` as people and tests use it: started as a process, asked over its sockets."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.storage.blob import BlobServiceClient

from tests.e2e.conftest import SMALL
from tests.worlds.sandbox import SandboxProcess, alive, children_of

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/image-factory"
SERVICES = {"arm", "identity", "blob", "queue", "table", "eventgrid", "functions", "control", "ca"}


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def archived(sandbox: SandboxProcess) -> list[str]:
    """Return what lies in the archive, read with the identity of the app in a process of its own."""
    script = (
        "import os; from azure.identity import DefaultAzureCredential as C;"
        "from azure.storage.blob import ContainerClient as B;"
        "url = os.environ['IMAGE_FACTORY_BLOB_ENDPOINT'].format(account='archive');"
        "print(*(b.name for b in B(url, 'images', credential=C()).list_blobs()))"
    )
    command = [sys.executable, "-c", script]
    environment = sandbox.environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_endpoints_are_published_and_said_before_ready(sandbox: SandboxProcess) -> None:
    assert set(sandbox.endpoints) >= SERVICES
    assert "".join(sandbox.said).count("\nready\n") == 1
    assert all(sandbox.endpoints[name] in "".join(sandbox.said) for name in ("arm", "blob", "control"))
    assert Path(sandbox.endpoints["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_the_app_gets_its_tokens_from_the_identity_endpoint(sandbox: SandboxProcess) -> None:
    functions = sandbox.endpoints["functions"]
    assert get(f"{functions}/api/containers/archive") == ["images"]
    calls = sandbox.control("GET", "/calls?service=blob&principal=factory")["calls"]
    assert calls[-1]["audience"] == "https://storage.azure.com"
    assert calls[-1]["path"] == "/archive"


def test_an_event_goes_from_resource_manager_through_the_app_to_the_archive(sandbox: SandboxProcess) -> None:
    name = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/seen"
    token = sandbox.command("token").stdout.strip()
    request = urllib.request.Request(
        f"{sandbox.endpoints['arm']}{name}?api-version=2024-05-01",
        json.dumps({"location": "westeurope", "properties": {}}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PUT",
    )
    tls = ssl.create_default_context(cafile=sandbox.endpoints["ca"])
    with urllib.request.urlopen(request, context=tls, timeout=20) as answer:
        assert answer.status == 201
    blob = name.replace("/", "_")
    path = f"/archive/images/{blob}"
    sandbox.until(
        lambda: sandbox.control("GET", f"/calls?service=blob&method=PUT&path={path}")["calls"], "the blob"
    )
    assert blob in archived(sandbox)


def test_scripts_are_uploaded_for_image_builder(sandbox: SandboxProcess) -> None:
    token = sandbox.command("token", "--audience", "https://storage.azure.com").stdout.strip()
    url = f"{sandbox.endpoints['blob']}/scripts/scripts/hello.sh"
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
    tls = ssl.create_default_context(cafile=sandbox.endpoints["ca"])
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), context=tls, timeout=20
    ) as answer:
        assert answer.read().endswith(b"echo hello\n")


def test_an_account_that_does_not_exist_drops_the_connection(sandbox: SandboxProcess) -> None:
    client = BlobServiceClient(
        f"{sandbox.endpoints['blob']}/neverheardof", connection_verify=sandbox.endpoints["ca"], retry_total=0
    )
    with pytest.raises(ServiceResponseError):
        next(iter(client.list_containers()))


def test_a_new_version_appears_by_command(sandbox: SandboxProcess) -> None:
    done = sandbox.command(
        "new-version", "Canonical:0001-com-ubuntu-server-jammy:22_04-lts", "22.04.202612010"
    )
    assert done.returncode == 0, done.stderr
    skus = {each["sku"]: each for each in sandbox.control("GET", "/marketplace/versions")}
    assert "22.04.202612010" in [each["version"] for each in skus["22_04-lts"]["versions"]]
    wrong = sandbox.command("new-version", "Canonical:Nothing:22", "22.04.1")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "no platform image Canonical:Nothing:22" in wrong.stderr


def test_orders_that_make_no_sense_are_refused_with_what_would(sandbox: SandboxProcess) -> None:
    for method, path, body, words in (
        ("POST", "/faults", {"service": "arm", "action": "drop", "nht": 2}, "nth"),
        ("POST", "/faults", {"service": "mail", "action": "drop"}, "eventgrid"),
        ("PATCH", "/switches", {"completion_event": False}, "completion_events"),
        ("PATCH", "/limits", {"bytes_per_second": -1}, "above 0"),
        ("POST", "/host/explode", None, "restart"),
        ("GET", "/nothing", None, "GET / lists"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            sandbox.control(method, path, body)
        with refused.value as answer:
            assert answer.code in (400, 404)
            assert words in json.load(answer)["error"]


def test_switches_limits_and_disturbances_can_be_turned_and_read_back(sandbox: SandboxProcess) -> None:
    for path, wanted in (
        ("/switches", {"completion_events": False}),
        ("/limits", {"bytes_per_second": 1e6, "requests_per_second": 100.0}),
        ("/events", {"copies": 3, "shuffle_seed": 1, "spread": 2.0, "drop": None}),
    ):
        before = sandbox.control("GET", path)
        answer = sandbox.control("PATCH", path, wanted)
        assert wanted.items() <= answer.items()
        back = {name: before.get("disturbance", before).get(name) for name in wanted}
        sandbox.control("PATCH", path, back)


def test_a_fault_kills_the_host_at_the_point_named_and_the_world_survives(sandbox: SandboxProcess) -> None:
    before = sandbox.control("PATCH", "/host", {"restart": False})
    fault = sandbox.control(
        "POST",
        "/faults",
        {"service": "blob", "action": "kill_host", "when": "after", "path": "/archive.*comp=list"},
    )
    with pytest.raises(OSError, match=r"closed|reset"):
        get(f"{sandbox.endpoints['functions']}/api/containers/archive")
    sandbox.until(lambda: not sandbox.control("GET", "/host")["running"], "the death")
    status = sandbox.control("GET", "/host")
    assert (status["last_exit"], before["running"]) == (-9, True)
    assert len(sandbox.control("GET", f"/faults/{fault['id']}")["fired"]) == 1
    started = sandbox.control("POST", "/host/start")
    assert started["starts"] == before["starts"] + 1
    sandbox.until(lambda: _well(sandbox), "the new host")
    sandbox.control("PATCH", "/host", {"restart": True})
    sandbox.control("DELETE", "/faults")


def test_a_killed_host_comes_back_by_itself(sandbox: SandboxProcess) -> None:
    before = sandbox.control("GET", "/host")
    assert sandbox.command("host", "kill").returncode == 0
    sandbox.until(lambda: sandbox.control("GET", "/host")["starts"] > before["starts"], "the restart")
    sandbox.until(lambda: _well(sandbox), "the new host")


def test_a_seeded_gallery_version_replicates_as_ordered_and_is_listed(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/replications", {"version": "plain/0.*", "region": "uk*", "hangs": True})
    place, regions = {"group": "image-factory", "gallery": "others"}, [{"name": "westeurope"}]
    version = {**place, "definition": "plain", "version": "0.1.0"}
    regions.append({"name": "uksouth", "state": "Replicating"})
    order = {
        "definitions": [{**place, "name": "plain"}],
        "gallery_versions": [{**version, "regions": regions}],
    }
    sandbox.control("POST", "/seed", order)
    said = sandbox.command("galleries").stdout
    assert "others/plain/0.1.0  Updating  westeurope: Completed, latest; uksouth: Replicating " in said
    assert sandbox.control("DELETE", "/replications") == {"forgotten": 1}


def test_one_state_folder_holds_one_sandbox(sandbox: SandboxProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "sandbox", "up", "--state", str(sandbox.state)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "already" in second.stdout


def test_without_functions_the_settings_for_func_start_are_written(tmp_path: Path) -> None:
    sandbox = SandboxProcess(tmp_path, [*SMALL, "--without-functions"]).start()
    settings = json.loads((tmp_path / "local.settings.json").read_text())["Values"]
    assert sandbox.endpoints["functions"] == "http://127.0.0.1:7071"
    assert settings["FactoryStorage__credential"] == "managedidentity"
    assert not [name for name, value in settings.items() if "AccountKey" in value or "sig=" in value]
    assert sandbox.stop(signal.SIGINT) == 0
    assert not (tmp_path / "endpoints.json").exists()


def test_even_a_killed_sandbox_leaves_no_child_behind(tmp_path: Path, small_app: Path) -> None:
    sandbox = SandboxProcess(tmp_path, SMALL, app=small_app).start()
    children = children_of(sandbox.pid)
    assert len(children) == 2  # Azurite and the host
    os.kill(sandbox.pid, signal.SIGKILL)
    sandbox.until(lambda: not any(alive(child) for child in children), "the end of its children")
    sandbox.kill()
    missing = sandbox.command("state")
    assert missing.returncode == 1
    assert "has ended" in missing.stderr


def _well(sandbox: SandboxProcess) -> bool:
    try:
        with urllib.request.urlopen(f"{sandbox.endpoints['functions']}/api/v1/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
