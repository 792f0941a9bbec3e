"""An address is built and read by one template, or is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Invalid
from shared.domain.ids import BlobAddress
from shared.gateways.addresses import Addresses

CLOUD = Addresses("https://{account}.blob.core.windows.net")
SANDBOX = Addresses("https://127.0.0.1:10000/{account}")
VHD = "/vhds/web_20261121.vhd"

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\"), min_size=1
)


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (CLOUD, f"https://it0815.blob.core.windows.net{VHD}"),
        (SANDBOX, f"https://127.0.0.1:10000/it0815{VHD}"),
    ],
)
def test_the_plain_address_of_a_blob_is_read_and_built_alike(addresses: Addresses, url: str) -> None:
    found = addresses.address_of(url)
    assert found == BlobAddress("it0815", "vhds", "web_20261121.vhd")
    assert addresses.url_of(found) == url


def test_escapes_in_a_name_are_undone_and_done() -> None:
    found = CLOUD.address_of("https://acc.blob.core.windows.net/vhds/Gr%C3%B6%C3%9Fe%205%25/a%3Fb.vhd")
    assert found.name == "Größe 5%/a?b.vhd"
    assert CLOUD.address_of(CLOUD.url_of(found)) == found


@pytest.mark.parametrize(
    "url",
    [
        f"http://it0815.blob.core.windows.net{VHD}",
        f"HTTPS://it0815.blob.core.windows.net{VHD}",
        f"https://it0815.blob.core.windows.net.evil.example{VHD}",
        f"https://evil.example/it0815.blob.core.windows.net{VHD}",
        f"https://it0815.blob.core.windows.net@evil.example{VHD}",
        f"https://user:word@it0815.blob.core.windows.net{VHD}",
        f"https://it0815.blob.core.windows.net:443{VHD}",
        f"https://it0815.blob.core.windows.net:8443{VHD}",
        f"https://it0815.BLOB.core.windows.net{VHD}",
        f"https://IT0815.blob.core.windows.net{VHD}",
        f"https://it_0815.blob.core.windows.net{VHD}",
        f"https://ab.blob.core.windows.net{VHD}",
        f"https://.blob.core.windows.net{VHD}",
        f"https://it0815xblobxcorexwindowsxnet{VHD}",
        f"https://169.254.169.254{VHD}",
        f"https://it0815.blob.core.windows.net./vhds/x{VHD}",
        "https://it0815.blob.core.windows.net/vhds",
        "https://it0815.blob.core.windows.net/vhds/",
        "https://it0815.blob.core.windows.net/",
        "https://it0815.blob.core.windows.net//x.vhd",
        "https://it0815.blob.core.windows.net/$logs/x.vhd",
        "https://it0815.blob.core.windows.net/VHDS/x.vhd",
        "https://it0815.blob.core.windows.net/v/x.vhd",
        "https://it0815.blob.core.windows.net/vhds/../secrets/x.vhd",
        "https://it0815.blob.core.windows.net/vhds/..",
        "https://it0815.blob.core.windows.net/vhds/./x.vhd",
        "https://it0815.blob.core.windows.net/vhds/a//x.vhd",
        "https://it0815.blob.core.windows.net/vhds/%2e%2e/x.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%2Fx.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%2f..%2fx.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%5Cx.vhd",
        "https://it0815.blob.core.windows.net/vhds/a\\x.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%00x.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%0d%0ax.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%FFx.vhd",
        "https://it0815.blob.core.windows.net/vhds/a%zzx.vhd",
        "https://it0815.blob.core.windows.net/vhds/a b.vhd",
        "https://it0815.blob.core.windows.net/vhds/größe.vhd",
        f"https://it0815.blob.core.windows.net{VHD}?sig=secret",
        f"https://it0815.blob.core.windows.net{VHD}#fragment",
        f" https://it0815.blob.core.windows.net{VHD}",
        f"https://it0815.blob.core.windows.net{VHD}\n",
        "https://it0815.blob.core.windows.net/vhds/" + "x" * 1025,
        "https://it0815.blob.core.windows.net/vhds/" + "%41" * 3000,
        VHD,
        "",
    ],
)
def test_anything_else_is_no_address(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        CLOUD.address_of(url)
    assert "sig=" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"https://127.0.0.1/it0815{VHD}",
        f"https://127.0.0.1:10001/it0815{VHD}",
        f"https://127.0.0.1:10000/../it0815{VHD}",
        f"https://127.0.0.1:10000/it0815/x{VHD}".replace("/x/vhds", "/%2e%2e/vhds"),
        f"https://it0815.blob.core.windows.net{VHD}",
    ],
)
def test_the_sandbox_is_read_no_more_leniently(url: str) -> None:
    with pytest.raises(Invalid):
        SANDBOX.address_of(url)


def test_an_account_that_cannot_be_one_is_not_built_into_a_host() -> None:
    for account in ("", "a", "a.evil.example", "A0815", "it0815/x", "x" * 25):
        with pytest.raises(Invalid):
            CLOUD.base(account)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_every_name_survives_building_and_reading(parts: list[str]) -> None:
    name = "/".join(part for part in parts if part not in (".", ".."))[:200].strip("/")
    if name.isprintable() and name and not any(part in ("", ".", "..") for part in name.split("/")):
        address = BlobAddress("it0815", "vhds", name)
        assert SANDBOX.address_of(SANDBOX.url_of(address)) == address


@given(st.text(), st.text())
def test_nothing_is_read_that_would_not_be_built(before: str, after: str) -> None:
    for url in (
        before,
        f"https://it0815.blob.core.windows.net/{before}",
        f"{before}.blob.core.windows.net/vhds/{after}",
    ):
        try:
            found = CLOUD.address_of(url)
        except Invalid:
            continue
        assert CLOUD.url_of(found).startswith("https://it0815.blob.core.windows.net/")
