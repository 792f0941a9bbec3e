"""The usual sample: add a region, wait until that region has it, go on to the next."""

from collections.abc import Callable, Sequence
from typing import Any

POLL_SECONDS = 60


def release(
    client: Any, version: tuple[str, str, str, str], regions: Sequence[str], sleep: Callable[[int], None]
) -> None:
    """`version` is group, gallery, definition and version; `sleep` is time.sleep in a script of its own."""
    versions = client.gallery_image_versions
    for region in regions:
        found = versions.get(*version)
        profile = found["properties"]["publishingProfile"]
        profile["targetRegions"].append({"name": region})
        body = {
            "location": found["location"],
            "properties": {"publishingProfile": profile, "storageProfile": {}},
        }
        versions.begin_create_or_update(*version, body, polling=False)
        while not _has(versions.get(*version, expand="ReplicationStatus"), region):
            sleep(POLL_SECONDS)


def _has(version: Any, region: str) -> bool:
    summary = version["properties"]["replicationStatus"]["summary"]
    states = {each["region"].replace(" ", "").lower(): each["state"] for each in summary}
    return states.get(region) == "Completed"
