"""Azure's regions: asked for as `eastus2`, answered as `East US 2`."""

from __future__ import annotations

_NAMES = """
Australia Central;Australia Central 2;Australia East;Australia Southeast;Austria East
Belgium Central;Brazil South;Brazil Southeast;Canada Central;Canada East;Central India;Central US
Central US EUAP;Chile Central;Denmark East;East Asia;East US;East US 2;East US 2 EUAP;France Central
France South;Germany North;Germany West Central;Indonesia Central;Israel Central;Italy North
Japan East;Japan West;Jio India Central;Jio India West;Korea Central;Korea South;Malaysia West
Mexico Central;New Zealand North;North Central US;North Europe;Norway East;Norway West
Poland Central;Qatar Central;South Africa North;South Africa West;South Central US;South India
Southeast Asia;Spain Central;Sweden Central;Sweden South;Switzerland North;Switzerland West
UAE Central;UAE North;UK South;UK West;West Central US;West Europe;West India;West US;West US 2
West US 3
"""


def plain(name: str) -> str:
    return name.replace(" ", "").lower()


DISPLAY = {plain(name): name for line in _NAMES.split("\n") for name in line.split(";") if name}
"""Display names by plain ones."""


def display(name: str) -> str:
    """As the service writes it."""
    return DISPLAY.get(plain(name), name)
