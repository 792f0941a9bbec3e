"""Which templates generalize their image with a command of their own."""

from typing import Any

import pytest

from shared.contracts.generalization import generalized_by

LINUX = "custom command: /tmp/DeprovisioningScript.sh"
WINDOWS = r"custom command: c:\DeprovisioningScript.ps1"
SH = "/tmp/DeprovisioningScript.sh"
PS1 = r"c:\DeprovisioningScript.ps1"


def shell(*lines: str) -> list[dict[str, Any]]:
    return [{"type": "Shell", "name": "x", "inline": list(lines)}]


def powershell(*lines: str) -> list[dict[str, Any]]:
    return [{"type": "PowerShell", "name": "x", "inline": list(lines)}]


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        (SH, LINUX),
        ("/tmp/deprovisioningscript.sh", ""),
        ("/tmp/scripts/DeprovisioningScript.sh", ""),
        ("/tmp/DeprovisioningScript.sh.bak", ""),
        (PS1, WINDOWS),
        (r"C:\DEPROVISIONINGSCRIPT.PS1", WINDOWS),
        ("C:/DeprovisioningScript.ps1", WINDOWS),
        (r"c:\\DeprovisioningScript.ps1", WINDOWS),
        (r"c:\scripts\DeprovisioningScript.ps1", ""),
        (r"d:\DeprovisioningScript.ps1", ""),
        (None, ""),
    ],
)
def test_a_file_customizer_puts_it_in_place_by_its_destination(destination: object, said: str) -> None:
    """Windows does not count upper and lower case, and takes either slash."""
    steps = [{"type": "File", "sourceUri": "https://x/y", "destination": destination}]
    assert generalized_by(steps) == said


@pytest.mark.parametrize(
    "line",
    [
        f"sudo cp /tmp/mine.sh {SH}",
        f"echo 'waagent -force -deprovision' > {SH}",
        f"echo x | sudo tee -a {SH} > /dev/null",
        f"cat > '{SH}' << EOF",
        f"curl -fsSLo {SH} https://scripts.example.org/a.sh?x=1",
        f"wget -q -O {SH} https://scripts.example.org/a.sh",
        f"sed -i 's|user;|x|' {SH}",
        f"install -m 755 mine.sh {SH} && sync",
        f"ln -s /opt/mine.sh {SH}; true",
        f"TARGET={SH}\nmv /tmp/mine.sh \"${{TARGET}}\"",
    ],
)  # fmt: skip
def test_a_command_of_the_shell_that_writes_it_is_recognised(line: str) -> None:
    assert generalized_by(shell("apt-get update", line)) == LINUX
    assert generalized_by(powershell(line)) == ""


@pytest.mark.parametrize(
    "line",
    [
        f"cat {SH}",
        f"rm -f {SH}",
        f"cp {SH} /tmp/backup.sh",
        f"test -f {SH} && echo there > /tmp/note",
        f"# echo x > {SH}",
        f"chmod +x {SH}",
        f"tee /tmp/copy < {SH}",
        "echo x > /tmp/DeprovisioningScript.sh.txt",
    ],
)
def test_one_that_reads_or_removes_it_is_not(line: str) -> None:
    assert generalized_by(shell(line)) == ""


@pytest.mark.parametrize(
    "line",
    [
        # As most templates for virtual desktops have it.
        r"((Get-Content -path C:\\DeprovisioningScript.ps1 -Raw) -replace 'Sysprep.exe /oobe /generalize "
        r"/quiet /quit','Sysprep.exe /oobe /generalize /quit /mode:vm' ) | "
        r"Set-Content -Path C:\\DeprovisioningScript.ps1",
        f"Copy-Item .\\mine.ps1 {PS1} -Force",
        f"Copy-Item -Path .\\mine.ps1 -Destination '{PS1}' -Force",
        f"'sysprep' >> {PS1}",
        f"Invoke-WebRequest -Uri https://x/y -OutFile {PS1}",
        f"[IO.File]::WriteAllText('{PS1}', $text)",
        f"(New-Object Net.WebClient).DownloadFile('https://x/y', '{PS1}')",
        f"$Path = \"{PS1}\"\n((Get-Content -Path $path -Raw).Replace('a', 'b') | Set-Content -Path $path)",
        "Get-Content x | Out-File -FilePath $env:SystemDrive\\DeprovisioningScript.ps1",
    ],
)  # fmt: skip
def test_a_command_of_powershell_that_writes_it_is_recognised(line: str) -> None:
    assert generalized_by(powershell(line)) == WINDOWS


@pytest.mark.parametrize(
    "line",
    [
        f"Get-Content {PS1}",
        f"Remove-Item {PS1} -Force",
        f"Copy-Item {PS1} -Destination c:\\backup",
        f"if (Test-Path {PS1}) {{ Write-Output there }}",
        f"Get-Content {PS1} | Out-File c:\\copy.txt",
    ],
)
def test_one_of_powershell_that_reads_or_removes_it_is_not(line: str) -> None:
    assert generalized_by(powershell(line)) == ""


@pytest.mark.parametrize("steps", [None, {}, "x", [], [None, 5], [{}], [{"type": "Shell", "inline": 5}]])
def test_what_is_no_list_of_customizers_brings_nothing(steps: object) -> None:
    assert generalized_by(steps) == ""
