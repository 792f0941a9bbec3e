"""The marketplace that a world starts with: the images that people build from, in every region."""

from __future__ import annotations

from typing import Literal

from sandbox.arm.marketplace import Catalogue, Sku, Version

REGIONS = (
    "australiaeast",
    "australiasoutheast",
    "brazilsouth",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "centraluseuap",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus2euap",
    "francecentral",
    "germanywestcentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "koreacentral",
    "mexicocentral",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
)

_Row = tuple[Literal["V1", "V2"], str, str]
_LINUX: dict[tuple[str, str], tuple[_Row, ...]] = {
    ("Canonical", "UbuntuServer"): (
        ("V1", "16.04-LTS 16.04.0-LTS", "16.04.202109280 16.04.202109281"),
        ("V2", "16_04-lts-gen2", "16.04.202109280 16.04.202109281"),
        ("V1", "18.04-LTS", "18.04.202306070 18.04.202401161"),
        ("V2", "18_04-LTS-GEN2", "18.04.202306070 18.04.202401161"),
    ),
    ("Canonical", "0001-com-ubuntu-server-focal"): (
        ("V1", "20_04-lts", "20.04.202409120 20.04.202505200"),
        ("V2", "20_04-lts-gen2", "20.04.202409120 20.04.202505200"),
    ),
    ("Canonical", "0001-com-ubuntu-server-jammy"): (
        ("V1", "22_04-lts", "22.04.202609090 22.04.202610070"),
        ("V2", "22_04-lts-gen2", "22.04.202609090 22.04.202610070"),
    ),
    ("Canonical", "ubuntu-24_04-lts"): (
        ("V1", "server-gen1", "24.04.202609180 24.04.202610150"),
        ("V2", "server minimal", "24.04.202609180 24.04.202610150"),
    ),
    ("Debian", "debian-12"): (
        ("V1", "12", "0.20260902.2223 0.20261014.2265"),
        ("V2", "12-gen2", "0.20260902.2223 0.20261014.2265"),
    ),
    ("RedHat", "RHEL"): (("V2", "8-lvm-gen2 9-lvm-gen2 95_gen2", "9.5.2025011509 9.5.2026030412"),),
    ("almalinux", "almalinux-x86_64"): (("V2", "9-gen2", "9.4.2024080501 9.5.2025010101"),),
    ("OpenLogic", "CentOS"): (("V1", "7.5 7_9", "7.9.2022020700 7.9.2023030700"),),
    ("SUSE", "sles-15-sp5"): (("V2", "gen2", "2026.08.28 2026.10.02"),),
}
_WINDOWS: dict[tuple[str, str], tuple[_Row, ...]] = {
    ("MicrosoftWindowsServer", "WindowsServer"): (
        ("V1", "2012-R2-Datacenter", "9600.21620.231004 9600.21713.231202"),
        ("V1", "2016-Datacenter", "14393.8422.260905 14393.8519.261009"),
        ("V1", "2019-Datacenter", "17763.7792.260905 17763.7919.261009"),
        ("V2", "2019-datacenter-gensecond", "17763.7792.260905 17763.7919.261009"),
        ("V1", "2022-datacenter", "20348.4171.260903 20348.4294.261008"),
        ("V2", "2022-datacenter-g2 2022-datacenter-azure-edition", "20348.4171.260903 20348.4294.261008"),
        ("V2", "2025-datacenter-g2 2025-datacenter-azure-edition", "26100.6584.260909 26100.6899.261014"),
    ),
    ("MicrosoftWindowsDesktop", "windows-11"): (
        ("V2", "win11-23h2-avd win11-23h2-ent", "22631.5909.260909 22631.6060.261014"),
        ("V2", "win11-24h2-avd win11-24h2-ent win11-24h2-pro", "26100.6584.260909 26100.6899.261014"),
    ),
    ("MicrosoftWindowsDesktop", "Windows-10"): (
        ("V2", "win10-22h2-avd-g2 win10-22h2-ent-g2", "19045.6332.260909 19045.6456.261014"),
    ),
}


def standard_catalogue() -> Catalogue:
    catalogue = Catalogue(regions=REGIONS)
    systems: tuple[tuple[Literal["Linux", "Windows"], dict[tuple[str, str], tuple[_Row, ...]]], ...] = (
        ("Linux", _LINUX),
        ("Windows", _WINDOWS),
    )
    for system, offers in systems:
        for (publisher, offer), rows in offers.items():
            for generation, names, versions in rows:
                for name in names.split():
                    sku = Sku(publisher, offer, name, system, generation)
                    sku.versions = {version: Version(version) for version in versions.split()}
                    catalogue.add_sku(sku)
    return catalogue
