"""The real management client does what people do: gallery, definition, version, update, delete."""

from __future__ import annotations

from datetime import timedelta

from azure.mgmt.compute import models

from .parts import GROUP, HERE, Shop


def test_version_lives_through_the_sdk() -> None:
    """Each poller ends, each result is typed, the status comes when it is asked for."""
    shop = Shop()
    shop.azure.fabric.speed = 1e9  # every operation is over when it is asked about first
    compute = shop.compute(polling_interval=0)
    versions = compute.gallery_image_versions
    gallery = compute.galleries.begin_create_or_update(GROUP, "sdk", models.Gallery(location=HERE)).result()
    assert gallery.provisioning_state == "Succeeded"
    sent = models.GalleryImage(
        location=HERE,
        properties=models.GalleryImageProperties(
            os_type="Linux",
            os_state="Generalized",
            hyper_v_generation="V2",
            identifier=models.GalleryImageIdentifier(publisher="p", offer="o", sku="s"),
        ),
    )
    compute.gallery_images.begin_create_or_update(GROUP, "sdk", "web", sent).result()
    new = models.GalleryImageVersion(
        location=HERE,
        properties=models.GalleryImageVersionProperties(
            storage_profile=models.GalleryImageVersionStorageProfile(
                source=models.GalleryArtifactVersionFullSource(id=shop.images())
            ),
            publishing_profile=models.GalleryImageVersionPublishingProfile(
                target_regions=[models.TargetRegion(name=HERE)], exclude_from_latest=True
            ),
        ),
    )
    made = versions.begin_create_or_update(GROUP, "sdk", "web", "1.0.0", new).result()
    assert made.provisioning_state == "Succeeded"
    regions = [*made.publishing_profile.target_regions, models.TargetRegion(name="eastus")]
    profile = models.GalleryImageVersionPublishingProfile(target_regions=regions)
    change = models.GalleryImageVersionUpdate(
        properties=models.GalleryImageVersionProperties(
            publishing_profile=profile, storage_profile=models.GalleryImageVersionStorageProfile()
        )
    )
    versions.begin_update(GROUP, "sdk", "web", "1.0.0", change).result()
    seen = versions.get(GROUP, "sdk", "web", "1.0.0", expand="ReplicationStatus")
    assert [each.region for each in seen.replication_status.summary] == ["West Europe", "East US"]
    assert seen.replication_status.aggregated_state == "Completed"
    assert seen.publishing_profile.exclude_from_latest is True
    assert [each.name for each in versions.list_by_gallery_image(GROUP, "sdk", "web")] == ["1.0.0"]
    versions.begin_delete(GROUP, "sdk", "web", "1.0.0").result()
    shop.clock.advance(timedelta(seconds=1))
    assert list(compute.soft_deleted_resource.list_by_artifact_name(GROUP, "sdk", "Images", "web")) == []
    compute.gallery_images.begin_delete(GROUP, "sdk", "web").result()
    compute.galleries.begin_delete(GROUP, "sdk").result()
    assert "sdk" not in [each.name for each in compute.galleries.list_by_resource_group(GROUP)]
