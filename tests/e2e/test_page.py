"""The page that describes the API, in a browser: without scripts of anybody, and with nothing missing."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.contracts.api.table import OPERATIONS
from tests.worlds.factory import FactoryWorld

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_shows_every_operation_in_a_browser(factory: FactoryWorld, tmp_path: Path) -> None:
    """As it stands after it was rendered."""
    page = f"{factory.sandbox.endpoints['functions']}/api/v1/docs"
    shown = dumped(page, tmp_path / "profile")
    text = html.unescape(re.sub(r"<[^>]+>", " ", shown))
    for operation in OPERATIONS:
        assert f"/api/v1{operation.path}" in text, operation.id
        assert operation.summary in text, operation.id
    assert "<script" not in shown
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", shown), "everything comes from the app itself"


def dumped(address: str, profile: Path) -> str:
    assert CHROMIUM
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom")
    command = [CHROMIUM, *options, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
