"""Requests of Compute Gallery as its clients write them."""

from __future__ import annotations

from typing import Any

from tests.sandbox.arm.parts import GROUP, World
from tests.sandbox.compute.parts import HERE, PLACE, image, made, vhd

__all__ = ["GROUP", "HERE", "PLACE", "World"]

API = "api-version=2026-03-03"
GALLERY = f"{PLACE}/galleries/main"
DEFINITION = f"{GALLERY}/images/web"


def version_id(name: str = "1.0.0") -> str:
    return f"{DEFINITION}/versions/{name}"


def body(
    *regions: str | dict[str, Any], source: dict[str, Any] | None = None, **profile: Any
) -> dict[str, Any]:
    """A version of the VHD `os.vhd`; regions by name or as entries of targetRegions."""
    named = [{"name": each} if isinstance(each, str) else each for each in regions or (HERE,)]
    return {
        "location": HERE,
        "tags": {},
        "properties": {
            "publishingProfile": {"targetRegions": named, **profile},
            "storageProfile": source if source is not None else of_vhd(),
        },
    }


def update(*regions: str | dict[str, Any], allow: bool | None = None, **profile: Any) -> dict[str, Any]:
    """An update: it names no source."""
    sent = body(*regions, source={}, **profile)
    if allow is not None:
        sent["properties"]["safetyProfile"] = {"allowDeletionOfReplicatedLocations": allow}
    return sent


def of_vhd(name: str = "os.vhd") -> dict[str, Any]:
    account = f"{PLACE.removesuffix('Microsoft.Compute')}Microsoft.Storage/storageAccounts/archive"
    uri = f"https://archive.blob.core.windows.net/vhds/{name}"
    return {"osDiskImage": {"source": {"storageAccountId": account, "uri": uri}}}


class Shop(World):
    """A world with a gallery, a definition and a VHD."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.azure.galleries.seed_definition(self.azure.setting.group_id, "main", "web", os_type="Linux")
        vhd(self)

    def put(self, sent: dict[str, Any], name: str = "1.0.0") -> dict[str, Any]:
        """The answer of a PUT that is accepted."""
        answer = self.send("PUT", f"{version_id(name)}?{API}", sent)
        assert answer.status in (200, 201), answer.body
        found: dict[str, Any] = answer.json()
        return found

    def made(self, sent: dict[str, Any] | None = None, name: str = "1.0.0") -> dict[str, Any]:
        """The version after a PUT, when all that it brought about is over."""
        self.put(sent or body(), name)
        self.wait(minutes=10)
        return self.version(name)

    def version(self, name: str = "1.0.0", api: str = API) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{version_id(name)}?$expand=ReplicationStatus&{api}")
        return found

    def state(self, name: str = "1.0.0") -> str:
        return str(self.version(name)["properties"]["provisioningState"])

    def regions(self, name: str = "1.0.0") -> dict[str, str]:
        """Replication states by display name."""
        summary = self.version(name)["properties"]["replicationStatus"]["summary"]
        return {each["region"]: each["state"] for each in summary}

    def refused(
        self, sent: dict[str, Any], name: str = "1.0.0", method: str = "PUT", **options: Any
    ) -> tuple[int, str, str]:
        """Status, code and target (else message) of a request that does not go."""
        answer = self.send(method, f"{version_id(name)}?{API}", sent, **options)
        error = answer.json()["error"]
        return answer.status, error["code"], error.get("target", error["message"])

    def images(self) -> str:
        """The id of a managed image of a generalized Linux machine."""
        disk = {"osType": "Linux", "osState": "Generalized", "blobUri": vhd(self)}
        sent = {"hyperVGeneration": "V2", "storageProfile": {"osDisk": disk}}
        return str(made(self, image("base"), {"location": HERE, "properties": sent})["id"])
