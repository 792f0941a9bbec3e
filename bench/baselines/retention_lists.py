"""The usual sample: list everything there is, one definition after the other, and keep the newest of each."""

from collections.abc import Iterator
from typing import Any


def doomed(client: Any, newest: int) -> list[str]:
    """Ids of the versions that the sample deletes: neither among the newest nor named by a machine."""
    used = {id.lower() for id in _used(client)}
    found: list[str] = []
    for gallery in client.galleries.list():
        group = gallery["id"].split("/")[4]
        for image in client.gallery_images.list_by_gallery(group, gallery["name"]):
            versions = client.gallery_image_versions.list_by_gallery_image(
                group, gallery["name"], image["name"]
            )
            by_date = sorted(versions, key=lambda v: v["properties"]["publishingProfile"]["publishedDate"])
            found += [version["id"] for version in by_date[:-newest]]
    return [id for id in found if id.lower() not in used]


def _used(client: Any) -> Iterator[str]:
    for machine in client.virtual_machines.list_all():
        yield _image(machine["properties"])
    for scale_set in client.virtual_machine_scale_sets.list_all():
        yield _image(scale_set["properties"]["virtualMachineProfile"])


def _image(properties: Any) -> str:
    id: str = (properties["storageProfile"].get("imageReference") or {}).get("id", "")
    return id
