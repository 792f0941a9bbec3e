"""Image templates in deployment templates: which one counts, what is left out, and what its values are."""

from typing import Any

import pytest

from shared.contracts.upgrading import upgrade

from .parts import HERE, SOURCE, TYPE, changed, changes, deployment, refusals, refused, template

TAKEN = "the image template resources[0] is taken out of its deployment template"
OFF_TYPE = "taken off: every template file is of this type"
LARGE = "[if(parameters('large'), createObject('vmSize', 'L'), null())]"
FOUND = {"": TAKEN, "resources[0].type": OFF_TYPE}


def test_the_one_image_template_is_taken_out() -> None:
    content, told = changed(deployment())
    assert content == template()
    assert told == FOUND


def test_what_else_is_deployed_is_left_out_and_told() -> None:
    """Resources within resources too; newer deployment templates name them in place of listing them."""
    group = {"type": "Microsoft.Compute/galleries", "resources": [{"type": "images"}, 5, {"name": "x"}]}
    own = {**template(), "type": TYPE, "resources": [{"type": "triggers", "properties": {}}]}
    content, told = changed({"resources": {"gallery": group, "web": own}, "outputs": {"a": {}}})
    assert content == template()
    assert told == {
        "": "the image template resources.web is taken out of its deployment template",
        "outputs": "left out: outputs are those of a deployment",
        "resources.gallery": "left out: Microsoft.Compute/galleries; deploy it apart",
        "resources.gallery.resources[0]": "left out: images; deploy it apart",
        "resources.gallery.resources[2]": "left out: a resource without a type; deploy it apart",
        "resources.web.type": OFF_TYPE,
        "resources.web.resources[0]": "left out: triggers; deploy it apart",
    }


@pytest.mark.parametrize(
    ("content", "path", "said"),
    [
        ({"resources": []}, "",
         "a deployment template without an image template; expected one resource of type "
         "Microsoft.VirtualMachineImages/imageTemplates"),
        ({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}, "",
         "a deployment template without an image template; expected one resource of type "
         "Microsoft.VirtualMachineImages/imageTemplates"),
        ({"resources": [{"type": TYPE, **template()}] * 2}, "resources[1]",
         "a second image template, after resources[0]; expected one in each file"),
        ({"resources": [{"type": TYPE, "copy": {"count": 2}, **template()}]}, "resources[0].copy",
         "a copy loop; expected the image template written once"),
        (deployment(template(copy=[{"name": "customize"}])), "resources[0].properties.copy",
         "a copy loop; expected its elements written one by one"),
    ],
)  # fmt: skip
def test_a_deployment_without_one_certain_image_template_is_refused(
    content: dict[str, Any], path: str, said: str
) -> None:
    assert refusals(content) == {path: said}


def test_values_are_computed_and_told() -> None:
    """Texts that only look like expressions are unescaped; what comes out as null is left out."""
    resource = {
        **template(
            buildTimeoutInMinutes="[parameters('timeout')]",
            vmProfile=LARGE,
            customize=[{"type": "Shell", "inline": ["[[ -f /x ]", "[ -f /x ] ", "[concat('a', 'b')]"]}],
        ),
        "name": "[newGuid()]",
        "location": "[resourceGroup().location]",
    }
    parameters = {"timeout": {"type": "int", "defaultValue": 90}, "Large": {"type": "bool"}}
    content = deployment(resource, parameters=parameters)
    upgraded = upgrade(content, {"LARGE": {"value": False}}, HERE)
    here = "resources[0].properties"
    assert upgraded.refused == ()
    assert changes(upgraded) == {
        **FOUND,
        "resources[0].name": "taken off: factory.yaml names the template (template_name)",
        "resources[0].location": '"[resourceGroup().location]" is "westeurope"',
        f"{here}.buildTimeoutInMinutes": "\"[parameters('timeout')]\" is 90",
        f"{here}.vmProfile": f'left out: "{LARGE}" is null',
        f"{here}.customize[0].inline[0]": '"[[ -f /x ]" is the text "[ -f /x ]"',
        f"{here}.customize[0].inline[2]": "\"[concat('a', 'b')]\" is \"ab\"",
    }
    assert upgraded.content == template(
        buildTimeoutInMinutes=90,
        customize=[{"type": "Shell", "inline": ["[ -f /x ]", "[ -f /x ] ", "ab"]}],
    )


def test_an_identity_is_named_by_an_expression() -> None:
    name = "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'builder')]"
    id = (
        f"/subscriptions/{HERE.subscription}/resourceGroups/images/providers/Microsoft.ManagedIdentity"
        "/userAssignedIdentities/builder"
    )
    resource = {**template(), "identity": {"type": "UserAssigned", "userAssignedIdentities": {name: {}}}}
    upgraded = upgrade(deployment(resource), {}, HERE)
    assert upgraded.content["identity"]["userAssignedIdentities"] == {id: {}}
    assert upgraded.origin(("identity", "userAssignedIdentities", id)) == (
        *("resources", 0, "identity", "userAssignedIdentities"),
        name,
    )


@pytest.mark.parametrize(
    ("tags", "path", "said"),
    [
        ({"[concat('a')]": "x", "a": "y"}, "[concat('a')]",
         "\"[concat('a')]\" is \"a\"; expected a name that is not there yet"),
        ({"[add(1, 2)]": "x"}, "[add(1, 2)]", '"[add(1, 2)]" is 3; expected a name that is not there yet'),
        ({"[newGuid()]": "x"}, "[newGuid()]",
         '"[newGuid()]" cannot be computed: newGuid() is another at every deployment; '
         "write a fixed value in its place"),
        ({"a": "[uniqueString('x')]"}, "a",
         "\"[uniqueString('x')]\" cannot be computed: uniqueString() is computed in a way that only Azure "
         "knows; write a fixed name in its place"),
    ],
)  # fmt: skip
def test_a_name_or_value_that_cannot_be_had_is_refused_where_it_stands(
    tags: dict[str, str], path: str, said: str
) -> None:
    assert refusals(deployment({**template(), "tags": tags})) == {f"resources[0].tags.{path}": said}


def test_older_forms_within_a_deployment_are_upgraded_whatever_their_age_is_called() -> None:
    """Its api-version may be a parameter without a value: names counted in any case then."""
    resource = {
        "apiVersion": "[parameters('api-version')]",
        **template(Customize=[{"type": "[parameters('kind')]", "script": "[parameters('url')]"}]),
    }
    parameters = {name: {"type": "string"} for name in ("kind", "url", "api-version")}
    given = {"kind": {"value": "shell"}, "url": {"value": "https://x"}}
    upgraded = upgrade(deployment(resource, parameters=parameters), given)
    assert upgraded.content["properties"]["customize"] == [{"type": "Shell", "scriptUri": "https://x"}]
    at = ("resources", 0, "properties", "Customize", 0)
    here = ("properties", "customize", 0)
    assert upgraded.origin((*here, "scriptUri")) == (*at, "script")
    assert upgraded.origin((*here, "type")) == (*at, "type")
    modern = {"api-version": {"value": "2024-02-01"}}
    strict = upgrade(deployment(resource, parameters=parameters), {**given, **modern})
    assert "Customize" in strict.content["properties"]


def test_an_object_of_the_variables_is_found_where_it_is_used() -> None:
    content = deployment(
        template(
            source="[variables('image')]",
            distribute="[variables('targets')]",
            validate={"again": "[variables('targets')]"},
        ),
        variables={
            "image": {**SOURCE, "sku": "[toLower('S')]"},
            "targets": [{"type": "SharedImage", "replicationRegions": ["a"]}],
        },
    )
    upgraded = upgrade(content)
    assert refused(upgraded) == {}
    assert upgraded.content["properties"]["source"] == {**SOURCE, "sku": "s"}
    assert upgraded.origin(("properties", "source", "sku")) == ("resources", 0, "properties", "source")
    name = ("properties", "distribute", 0, "targetRegions", 0, "name")
    assert upgraded.origin(name) == ("resources", 0, "properties", "distribute")
    assert upgraded.content["properties"]["validate"]["again"][0]["replicationRegions"] == ["a"]


def test_values_for_what_is_not_declared_are_told() -> None:
    upgraded = upgrade(
        deployment(parameters={"A": {"type": "string"}}), {"a": {"value": 1}, "b": {"value": 2}}
    )
    assert changes(upgraded)["parameters"] == "the parameter file has values for what is not declared: b"
