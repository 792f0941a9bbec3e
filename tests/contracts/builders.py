"""Small factories to hold contracts against."""

import json
from pathlib import Path

import msgspec
import pytest

from shared.contracts.factory import load
from shared.contracts.faults import Fault, FaultyConfiguration
from shared.domain.factory import Archive, Factory, Image, Mode
from shared.domain.galleries import DefinitionId
from shared.domain.ids import ImageName, TemplateId
from shared.domain.releases import Definition, DefinitionName, Ring, RingRegion
from shared.domain.sources import MarketplaceSource

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TEMPLATE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images"
    "/providers/Microsoft.VirtualMachineImages/imageTemplates/ubuntu"
)
DEFINITION = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute"
    "/galleries/gallery/images/ubuntu"
)
IDENTITY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/builder"
)
VHD = {"type": "VHD", "runOutputName": "disk"}
SOURCE = f"{SUBSCRIPTION}:westeurope:canonical:jammy:22_04-lts-gen2"


def build_factory() -> Factory:
    """One image, built in TEMPLATE from SOURCE, and one definition, DEFINITION."""
    image = Image(
        name=ImageName("ubuntu"),
        mode=Mode.ACT,
        template=TemplateId(SUBSCRIPTION, "images", "ubuntu"),
        location="westeurope",
        body=msgspec.Raw(b"{}"),
        source=MarketplaceSource(SUBSCRIPTION, "westeurope", "Canonical", "jammy", "22_04-lts-gen2"),
        source_text="Canonical:jammy:22_04-lts-gen2 in westeurope",
    )
    definition = Definition(
        name=DefinitionName("ubuntu"),
        id=DefinitionId.parse(DEFINITION),
        home="westeurope",
        rings=(Ring("all", (RingRegion("westeurope"),)),),
    )
    return Factory(
        Mode.ACT,
        Archive("archive", "images"),
        {image.name: image},
        definitions={definition.name: definition},
    )


def template_file(**changes: object) -> dict[str, object]:
    """A small sound template file; `None` leaves a member out."""
    source = {"type": "PlatformImage", "publisher": "P", "offer": "O", "sku": "S", "version": "latest"}
    content = {
        "location": "westeurope",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
        "properties": {"source": source, "distribute": [VHD]},
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


def write_factory(folder: Path, yaml: str, **templates: object) -> Path:
    """factory.yaml beside its template files: `name=content` becomes templates/name.json."""
    (folder / "templates").mkdir(exist_ok=True)
    for name, content in templates.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "templates" / f"{name}.json").write_text(text, encoding="utf-8")
    path = folder / "factory.yaml"
    path.write_text(yaml, encoding="utf-8")
    return path


def yaml(image: str = "", top: str = "", images: str = "") -> str:
    """A sound factory.yaml with lines added from line 7 on: to its image, to the images, to the top."""
    return f"""\
subscription: {SUBSCRIPTION}
resource_group: images
archive: {{account: archive, container: images}}
images:
  ubuntu:
    template: templates/ubuntu.json
{_lines(image, 4)}{_lines(images, 2)}{_lines(top, 0)}"""


def _lines(text: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in text.splitlines())


def faults_of(folder: Path, text: str, **templates: object) -> tuple[Fault, ...]:
    """What is wrong with it; the template file `ubuntu` is sound unless it is given."""
    path = write_factory(folder, text, **{"ubuntu": template_file(), **templates})
    with pytest.raises(FaultyConfiguration) as refused:
        load(path)
    return refused.value.faults
