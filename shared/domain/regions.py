"""Azure's regions by name, so that a misspelt one is found before a release is.

The list of 2026; a region that is younger than this release is named under `more_regions`.
"""

from collections.abc import Collection

REGIONS = frozenset(
    """
    australiacentral australiacentral2 australiaeast australiasoutheast austriaeast
    belgiumcentral brazilsouth brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap
    chilecentral chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3 denmarkeast eastasia
    eastus eastus2 eastus2euap francecentral francesouth germanynorth germanywestcentral indonesiacentral
    israelcentral italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth
    malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral
    qatarcentral southafricanorth southafricawest southcentralus southeastasia southindia spaincentral
    swedencentral swedensouth switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest
    usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia westcentralus westeurope westindia westus
    westus2 westus3
    """.split()  # noqa: SIM905 # a list of a hundred lines would say no more
)


def plain(name: str) -> str:
    """The one spelling that regions are compared by: Azure answers `East US 2` where `eastus2` was sent."""
    return name.replace(" ", "").lower()


def unknown(name: str, more: Collection[str] = ()) -> bool:
    return plain(name) not in REGIONS and plain(name) not in {plain(each) for each in more}
