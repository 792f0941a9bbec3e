"""Ids are parsed strictly: what does not look exactly like one is none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Invalid
from shared.domain.ids import BlobAddress, ResourceId, TemplateId

SUBSCRIPTION = "00000000-0000-0000-0000-00000000abcd"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/image-factory"
TEMPLATE = f"{GROUP}/providers/Microsoft.VirtualMachineImages/imageTemplates/ubuntu-22"
VERSION = f"{GROUP}/providers/Microsoft.Compute/galleries/main/images/ubuntu/versions/1.0.0"


class TestResourceId:
    def test_it_knows_its_parts(self) -> None:
        found = ResourceId.parse(VERSION)
        assert (found.subscription, found.group) == (SUBSCRIPTION, "image-factory")
        assert found.type == "microsoft.compute/galleries/images/versions"
        assert found.names == ("main", "ubuntu", "1.0.0")

    @pytest.mark.parametrize("text", [TEMPLATE, VERSION])
    def test_it_can_be_written_and_read_again(self, text: str) -> None:
        found = ResourceId.parse(text)
        assert ResourceId.parse(str(found)) == found
        assert str(found).lower() == text.lower()

    def test_casing_of_anything_but_names_does_not_matter(self) -> None:
        shouted = VERSION.replace("subscriptions", "SUBSCRIPTIONS").replace("image-factory", "Image-Factory")
        shouted = shouted.replace("resourceGroups", "RESOURCEGROUPS").replace("galleries", "Galleries")
        assert ResourceId.parse(shouted) == ResourceId.parse(VERSION)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "/",
            VERSION.removeprefix("/"),
            f"{VERSION}/",
            f"{VERSION}/extra",
            VERSION.replace("main", ".."),
            VERSION.replace("main", "."),
            VERSION.replace("main", "..."),
            VERSION.replace("main", ""),
            VERSION.replace("main", "ma%2Fin"),
            VERSION.replace("main", "ma%69n"),
            VERSION.replace("main", "ma?in"),
            VERSION.replace("main", "ma#in"),
            VERSION.replace("main", "ma\\in"),
            VERSION.replace("main", "ma in"),
            VERSION.replace("main", "mäin"),
            VERSION.replace("main", "main\n"),
            VERSION.replace("main", "m" * 100),
            f"{VERSION}?api-version=2024-02-01",
            f"https://management.azure.com{VERSION}",
            f"//evil.example{VERSION}",
            VERSION.replace(SUBSCRIPTION, "me"),
            VERSION.replace(SUBSCRIPTION, SUBSCRIPTION + "0"),
            VERSION.replace("resourceGroups", "groups"),
            VERSION.replace("image-factory", "image-factory."),
            VERSION.replace("image-factory", "g" * 91),
            GROUP,
        ],
    )
    def test_everything_else_is_no_id(self, text: str) -> None:
        with pytest.raises(Invalid, match="is not a resource id"):
            ResourceId.parse(text)

    @given(st.text(max_size=300))
    def test_whatever_is_read_as_an_id_is_written_as_it_was(self, text: str) -> None:
        for each in (text, VERSION.replace("main", text), f"{VERSION}{text}"):
            with contextlib.suppress(Invalid):
                assert str(ResourceId.parse(each)).lower() == each.lower()

    def test_a_huge_text_is_not_repeated_in_the_message(self) -> None:
        with pytest.raises(Invalid) as refused:
            ResourceId.parse("x" * 1_000_000)
        assert len(str(refused.value)) < 500


class TestTemplateId:
    def test_ids_that_arm_takes_for_the_same_are_the_same(self) -> None:
        assert TemplateId.parse(TEMPLATE.upper()) == TemplateId.parse(TEMPLATE)
        assert TemplateId.parse(TEMPLATE) == TemplateId(SUBSCRIPTION, "image-factory", "ubuntu-22")

    def test_what_lies_below_a_template_names_the_template(self) -> None:
        """Events name run outputs and triggers as well."""
        assert TemplateId.parse(f"{TEMPLATE}/runOutputs/vhd") == TemplateId.parse(TEMPLATE)

    @pytest.mark.parametrize(
        "text", [VERSION, TEMPLATE.replace("imageTemplates", "imageTemplatesX"), f"{TEMPLATE}{'x' * 60}"]
    )
    def test_other_things_are_no_templates(self, text: str) -> None:
        with pytest.raises(Invalid, match="is not the id of an image template"):
            TemplateId.parse(text)

    def test_it_can_be_written_and_read_again(self) -> None:
        found = TemplateId.parse(TEMPLATE)
        assert TemplateId.parse(str(found)) == found


class TestBlobAddress:
    def test_a_companion_lies_beside_its_vhd(self) -> None:
        at = BlobAddress("archive", "vhds", "ubuntu/run/a.vhd")
        assert str(at.beside(".json")) == "archive/vhds/ubuntu/run/a.json"

    def test_a_name_without_the_ending_keeps_all_of_it(self) -> None:
        assert BlobAddress("archive", "vhds", "a.VHD").beside(".json").name == "a.VHD.json"
