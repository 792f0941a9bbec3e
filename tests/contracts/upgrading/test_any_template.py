"""Whatever a template file holds: upgraded twice it is upgraded once, and all of it was written somewhere."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.positions import Path
from shared.contracts.upgrading import Upgraded, upgrade

from .parts import HERE, TYPE

TEXTS = st.sampled_from(
    [
        "x",
        "",
        "[concat('a', parameters('p'))]",
        "[variables('v')]",
        "[variables('v').type]",
        "[resourceGroup().location]",
        "[[concat('a')]",
        "[null()]",
        "[broken",
        "[parameters('missing')]",
        "/subscriptions/s/resourceGroups/g",
        "iso",
        "shell",
        "PLATFORMIMAGE",
        "sharedImage",
        "2019-05-01-preview",
        "2024-02-01",
        TYPE,
    ]
)
WORDS = """
    type Type apiVersion name id location tags identity
    properties source Customize customize distribute vmProfile vnetConfig subnetName
    resourceGroupName subnetId script scriptURI inline replicationRegions targetRegions storageAccountType
    runOutputName exactVersion userAssignedIdentities principalId resources copy [concat('na','me')]
    """
NAMES = st.sampled_from(WORDS.split())
PARTS = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=5),
    max_leaves=20,
)
STEPS = st.lists(st.dictionaries(NAMES, PARTS, max_size=4), max_size=3)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "source": st.dictionaries(NAMES, PARTS, max_size=4) | TEXTS,
        "customize": STEPS,
        "Distribute": STEPS,
        "distribute": STEPS,
        "vmProfile": st.fixed_dictionaries({"vnetConfig": st.dictionaries(NAMES, TEXTS, max_size=5)}),
    },
)
TEMPLATES = st.fixed_dictionaries(
    {"properties": PROPERTIES},
    optional={
        "type": st.just(TYPE) | TEXTS,
        "apiVersion": TEXTS,
        "location": TEXTS,
        "identity": PARTS,
        "tags": PARTS,
    },
)
DEPLOYMENTS = st.fixed_dictionaries(
    {"resources": st.lists(TEMPLATES.map(lambda each: {**each, "type": TYPE}), min_size=1, max_size=2)},
    optional={
        "parameters": PARTS | st.fixed_dictionaries({"p": st.fixed_dictionaries({"defaultValue": PARTS})}),
        "variables": PARTS | st.fixed_dictionaries({"v": PARTS}),
    },
)
FILES = TEMPLATES | DEPLOYMENTS | st.dictionaries(NAMES, PARTS, max_size=5)


def paths(value: Any, path: Path = ()) -> list[Path]:
    members: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(within for step, each in members for within in paths(each, (*path, step)))]


@settings(max_examples=100)
@given(FILES)
def test_an_upgraded_file_is_in_the_current_form(content: dict[str, Any]) -> None:
    once = upgrade(content, {}, HERE)
    if not once.refused:
        twice = upgrade(dict(once.content), {}, HERE)
        assert twice == Upgraded(once.content)


@settings(max_examples=100)
@given(FILES)
def test_every_part_and_every_word_has_its_place_in_the_file(content: dict[str, Any]) -> None:
    upgraded = upgrade(content, {}, HERE)
    written = set(paths(content))
    assert [path for path in paths(upgraded.content) if upgraded.origin(path) not in written] == []
    assert [change for change in upgraded.changes if change.path not in written] == []
    assert [refusal for refusal in upgraded.refused if refusal.path not in written] == []
