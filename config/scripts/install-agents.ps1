# What every server carries: auditing, an event log that lasts, and PowerShell logging. Runs elevated.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

# Names of audit subcategories depend on the language of the system; these GUIDs do not.
$subcategories = @{
    '{0CCE9215-69AE-11D9-BED3-505054503030}' = 'Logon'
    '{0CCE9235-69AE-11D9-BED3-505054503030}' = 'User Account Management'
    '{0CCE922B-69AE-11D9-BED3-505054503030}' = 'Process Creation'
}
foreach ($guid in $subcategories.Keys) {
    auditpol.exe /set /subcategory:$guid /success:enable /failure:enable | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "auditpol refused $($subcategories[$guid])" }
}

wevtutil.exe sl Security /ms:268435456
if ($LASTEXITCODE -ne 0) { throw 'wevtutil refused the size of the Security log' }

$logging = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging'
New-Item -Path $logging -Force | Out-Null
New-ItemProperty -Path $logging -Name 'EnableScriptBlockLogging' -Value 1 -PropertyType DWord -Force | Out-Null

Write-Output 'agents: done'
