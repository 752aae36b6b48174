# Fetches ampls-doctor, verifies it, runs it and leaves nothing behind: for Azure Run Command on Windows (Windows
# PowerShell 5.1). README.md beside this file has the commands. The project's tests cannot run it: read it, it is short.
param(
    [string] $Source = '',     # https:// or http:// URL, path, or vmapp:NAME for a VM application; {arch}: amd64, arm64
    [string] $Sha256 = '',     # in hexadecimal; several, separated by commas, where machines differ
    [string] $Arguments = ''   # for the program, separated by spaces; `--format compact` unless there is a --format
)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# What Run Command does not carry unharmed (spaces, `&`, `^`) may be written base64:...
function Decoded([string] $Text) {
    if (-not $Text.StartsWith('base64:')) { return $Text }
    [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Text.Substring(7)))
}

$folder = $null
$status = 3
try {
    $from = (Decoded $Source).Replace('{arch}', $env:PROCESSOR_ARCHITECTURE.ToLowerInvariant())
    $sums = (Decoded $Sha256).ToUpperInvariant().Split(',') | ForEach-Object { $_.Trim() }
    $words = @((Decoded $Arguments).Split(' ') | Where-Object { $_ })
    if (-not $from) { throw 'Source is missing: set it to a URL, a path or vmapp:NAME' }
    if ($sums -notmatch '^[0-9A-F]{64}$') { throw 'Sha256 is not 64 hexadecimal digits' }
    if (-not ($words -match '^--format(=|$)')) { $words += '--format', 'compact' }

    # Only SYSTEM and administrators may put anything beside a program that SYSTEM runs.
    $rights = New-Object Security.AccessControl.DirectorySecurity
    $rights.SetSecurityDescriptorSddlForm('D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
    $folder = Join-Path ([IO.Path]::GetTempPath()) ('ampls-doctor.' + [guid]::NewGuid().ToString('N'))
    [void] [IO.Directory]::CreateDirectory($folder, $rights)
    $program = Join-Path $folder 'ampls-doctor.exe'

    if ($from -match '^https?://') {
        [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
        Invoke-WebRequest -Uri $from -OutFile $program -UseBasicParsing -TimeoutSec 120
    } elseif ($from -match '^vmapp:([A-Za-z0-9_-][A-Za-z0-9._-]*)$') {
        # https://learn.microsoft.com/azure/virtual-machines/vm-applications: a folder for each version; the SHA-256 chooses.
        $place = "C:\Packages\Plugins\Microsoft.CPlat.Core.VMApplicationManagerWindows\*\Downloads\$($Matches[1])\*\*"
        $file = Get-ChildItem -Path $place -File | Where-Object { $sums -contains (Get-FileHash $_.FullName).Hash }
        if (-not $file) { throw "no file of the VM application $($Matches[1]) has a SHA-256 of Sha256" }
        Copy-Item -LiteralPath @($file)[0].FullName -Destination $program
    } else {
        Copy-Item -LiteralPath $from -Destination $program
    }
    $sum = (Get-FileHash -LiteralPath $program -Algorithm SHA256).Hash
    if ($sums -notcontains $sum) { throw "the binary has the SHA-256 $sum, which is not in Sha256: not run" }

    & $program @words
    # A finding is no failure of the script: Run Command can lose the output of one that fails.
    $status = if ($LASTEXITCODE -in 0, 1) { 0 } else { $LASTEXITCODE }
} catch {
    # What follows a question mark may be a signature.
    [Console]::Error.WriteLine('run-command: ' + ($_.Exception.Message -replace '\?\S+', ''))
} finally {
    if ($folder) { Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue }
}
exit $status
