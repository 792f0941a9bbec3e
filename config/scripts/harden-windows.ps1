# Hardening that holds for every machine made from the image. Runs elevated.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

function Set-RegistryValue {
    param([string] $Path, [string] $Name, [int] $Value)
    if (-not (Test-Path $Path)) { New-Item -Path $Path -Force | Out-Null }
    New-ItemProperty -Path $Path -Name $Name -Value $Value -PropertyType DWord -Force | Out-Null
}

# SMB 1 and guest access go; signing is asked of both sides.
Disable-WindowsOptionalFeature -Online -FeatureName SMB1Protocol -NoRestart | Out-Null
Set-SmbServerConfiguration -RequireSecuritySignature $true -Force
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Services\LanmanWorkstation\Parameters' 'RequireSecuritySignature' 1
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Services\LanmanWorkstation\Parameters' 'AllowInsecureGuestAuth' 0

# TLS 1.2 and newer.
foreach ($protocol in 'SSL 3.0', 'TLS 1.0', 'TLS 1.1') {
    foreach ($side in 'Client', 'Server') {
        $key = "HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\$protocol\$side"
        Set-RegistryValue $key 'Enabled' 0
        Set-RegistryValue $key 'DisabledByDefault' 1
    }
}

# Remote Desktop asks for network level authentication.
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp' 'UserAuthentication' 1

# No LM hashes, no NTLMv1.
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa' 'NoLMHash' 1
Set-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa' 'LmCompatibilityLevel' 5

Write-Output 'hardening: done'
